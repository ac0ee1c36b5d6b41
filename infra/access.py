"""Who reads and writes which topic: the one table from which Kafka's ACLs are made.

Nobody has a transactional id, and a producer's idempotence needs no right of its own (since Kafka 2.8).
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Literal

from infra import topics
from infra.bus import topic_layout


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """What one member does at the broker, by the names of topics."""

    writes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    creates: frozenset[str] = frozenset()
    """What it makes where it is missing; it must see them to know."""
    is_shared: bool = False
    """Whether several of it may share what they read, in a consumer group for each topic."""


def _names(*found: topics.Topic) -> frozenset[str]:
    return frozenset(topic.name for topic in found)


ROBOT = Access(writes=topics.ROBOT_TOPICS, reads=_names(topics.RELEASES))
"""Every member that is no service."""

SERVICES = {
    "ingest": Access(
        reads=frozenset(topic.name for topic in topics.TOPICS if topic.is_kept),
        writes=frozenset({topics.DEAD_LETTERS}),
        creates=frozenset(topic_layout()),
        is_shared=True,
    ),
    "gateway": Access(
        writes=_names(topics.LABELS, topics.MARKS, topics.HELP_REQUESTS, topics.HELP_ANSWERS, topics.AUDIT)
    ),
    "console": Access(writes=_names(topics.AUDIT, topics.RELEASES)),
    "critic": Access(reads=_names(topics.STEPS, topics.EPISODES, topics.LABELS), writes=_names(topics.VALUES)),
    "judge": Access(writes=_names(topics.RELEASES)),
    "learner": Access(writes=_names(topics.RELEASES, topics.VALUES, topics.SAMPLINGS)),
    "release": Access(writes=_names(topics.RELEASES)),
}
"""Services by name, as in `identity.SERVICES`."""


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Rule:
    """One thing that one principal may do."""

    principal: str
    """User:NAME."""
    resource: Literal["group", "topic"]
    name: str
    """As the cluster names it, prefix included."""
    operation: str
    """Kafka's word: Create, Describe, Read or Write."""


def rules(names: Iterable[str], *, topic_prefix: str, group: str = "") -> list[Rule]:
    """The least that these members need, in order; `group` is that of several ingests, empty for one."""
    return [rule for name in names for rule in sorted(_rules_of(name, topic_prefix, group))]


def group_id(topic_prefix: str, group: str, topic: str) -> str:
    """The consumer group in which several of a service share one topic."""
    return f"{topic_prefix}{group}-{topic}"


def _rules_of(name: str, topic_prefix: str, group: str) -> Iterator[Rule]:
    allowed = SERVICES.get(name, ROBOT)
    granted = {
        "Write": allowed.writes,
        "Read": allowed.reads,
        "Create": allowed.creates,
        # Who may read or write a topic may see it.
        "Describe": allowed.creates - allowed.reads - allowed.writes,
    }
    principal = f"User:{name}"
    for operation, found in granted.items():
        for topic in found:
            yield Rule(principal=principal, resource="topic", name=topic_prefix + topic, operation=operation)
    if group and allowed.is_shared:
        for topic in allowed.reads:
            found_id = group_id(topic_prefix, group, topic)
            yield Rule(principal=principal, resource="group", name=found_id, operation="Read")
