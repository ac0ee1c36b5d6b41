"""Every topic: one frozen table, used by services, by broker set-up and by tests.

One record type has one topic, and a kept topic feeds one table of the same name, because Delta has
no transaction across tables.
"""

import dataclasses

from policy import schema


@dataclasses.dataclass(frozen=True, kw_only=True)
class Topic:
    """One Kafka topic."""

    name: str
    record: type
    """The type in `policy.schema` whose Arrow batches it carries."""
    key: str
    """Field whose value keys the message, so that one robot's records stay in order."""
    num_partitions: int
    retention_s: int
    max_message_bytes: int
    is_kept: bool
    """Whether ingest writes it to the Delta table of the same name."""


_DAY_S = 86_400
_SMALL_BYTES = 1 << 20
_CAMERA_BYTES = 8 << 20

STEPS = Topic(
    name="steps",
    record=schema.Step,
    key="robot_id",
    num_partitions=4,
    retention_s=7 * _DAY_S,
    max_message_bytes=_CAMERA_BYTES,
    is_kept=True,
)
EPISODES = Topic(
    name="episodes",
    record=schema.Episode,
    key="robot_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
INTERVENTIONS = Topic(
    name="interventions",
    record=schema.Intervention,
    key="robot_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
LABELS = Topic(
    name="labels",
    record=schema.Label,
    key="episode_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
MARKS = Topic(
    name="marks",
    record=schema.Mark,
    key="episode_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
VALUES = Topic(
    name="values",
    record=schema.Value,
    key="critic_version",
    num_partitions=1,
    retention_s=_DAY_S,
    max_message_bytes=_CAMERA_BYTES,
    is_kept=True,
)
SAMPLINGS = Topic(
    name="samplings",
    record=schema.Sampling,
    key="policy_version",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
HELP_REQUESTS = Topic(
    name="help_requests",
    record=schema.HelpRequest,
    key="robot_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
HELP_ANSWERS = Topic(
    name="help_answers",
    record=schema.HelpAnswer,
    key="robot_id",
    num_partitions=1,
    retention_s=30 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
RELEASES = Topic(
    name="releases",
    record=schema.Release,
    key="policy_version",
    num_partitions=1,
    retention_s=365 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
AUDIT = Topic(
    name="audit",
    record=schema.AuditEntry,
    key="author",
    num_partitions=1,
    retention_s=365 * _DAY_S,
    max_message_bytes=_SMALL_BYTES,
    is_kept=True,
)
TELEMETRY = Topic(
    name="telemetry",
    record=schema.Telemetry,
    key="robot_id",
    num_partitions=1,
    retention_s=3_600,
    max_message_bytes=_SMALL_BYTES,
    is_kept=False,
)

TOPICS = (
    STEPS,
    EPISODES,
    INTERVENTIONS,
    LABELS,
    MARKS,
    VALUES,
    SAMPLINGS,
    HELP_REQUESTS,
    HELP_ANSWERS,
    RELEASES,
    AUDIT,
    TELEMETRY,
)

ROBOT_TOPICS = frozenset(topic.name for topic in (STEPS, EPISODES, INTERVENTIONS, HELP_REQUESTS, TELEMETRY))
"""What robots write, each about itself alone; all other topics are the services'."""
SHARED_TOPICS = frozenset({HELP_REQUESTS.name})
"""What services write beside the robots: the gateway asks for help where a watcher noticed."""

DEAD_LETTERS = "dead_letters"
"""What did not validate, byte for byte, with its origin and reason in the headers."""
