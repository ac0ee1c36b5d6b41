"""What flows: the file to read first.

Every record that leaves a process is one of the frozen types below. One type has one topic and,
where it is kept, one table (`infra/topics.py`); `infra/wire.py` turns them into Arrow batches whose
columns are exactly these fields. Raw records are never rewritten: a later `Label` wins over an
earlier one, and what a critic thinks of a step lives in `Value`.

Every kept record carries (`boot_id`, `seq`): the producer's boot, and a number that grows by one per
boot and topic, starting at 0. Together they are the idempotence key: a record that is sent twice,
or late, is stored once.

Shapes: B batch, H horizon, A action, S state, T tactile, C cameras, L tokens, D width, V value bins.
"""

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION = 1
"""Of every record below; grows by one with each release that adds a field, which must have a default."""
COMPATIBLE_SINCE = 1
"""The oldest version whose records we read, and whose readers may read ours without the fields that came since.
It moves only with a change that is more than an added field."""

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


class Source(enum.StrEnum):
    """Where a step comes from."""

    DEMONSTRATION = "demonstration"
    """A person, or the scripted expert, from start to end; all positive."""
    ROLLOUT = "rollout"
    """The released policy at work, with or without help."""
    EVALUATION = "evaluation"
    """A named version on held-out scenes without help; never trained on."""
    SIMULATED_EXPERT = "simulated_expert"
    """A policy trained by RL in simulation (Rho-alpha's third source)."""


EXPERT_SOURCES = frozenset({Source.DEMONSTRATION, Source.SIMULATED_EXPERT})
"""Who knows the task did the whole episode."""


class ControlMode(enum.StrEnum):
    """Who moves the robot in a tick, as the robot itself decided."""

    AUTONOMOUS = "autonomous"
    PAUSED = "paused"
    """A person holds the lease; the robot holds still."""
    CORRECTING = "correcting"
    """A person's command was executed."""
    LOST = "lost"
    """The link to the person went away while they held the robot; it holds still."""
    STOPPED = "stopped"
    """Latched; only a person clears it."""


class Outcome(enum.StrEnum):
    """How an episode went."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMED_OUT = "timed_out"
    UNLABELLED = "unlabelled"


class HelpKind(enum.StrEnum):
    """What a robot asks of a person, cheapest first."""

    CHOOSE = "choose"
    """One of the options that the request names."""
    POINT = "point"
    """A place in a picture."""
    CONFIRM_OUTCOME = "confirm_outcome"
    """How the episode went."""
    RESET_SCENE = "reset_scene"
    """Put things back, and say that it is done."""
    TAKE_OVER = "take_over"
    """Drive the robot."""


class Severity(enum.StrEnum):
    """How much a request for help matters."""

    INFO = "info"
    """Nobody waits."""
    WARNING = "warning"
    """The robot copes, badly."""
    ERROR = "error"
    """The robot stands still."""


class Fallback(enum.StrEnum):
    """What a robot does when nobody answered in time."""

    CONTINUE = "continue"
    HOLD = "hold"
    END_EPISODE = "end_episode"


class HelpResult(enum.StrEnum):
    """How a request for help ended."""

    ANSWERED = "answered"
    TAKEN_OVER = "taken_over"
    SELF_RESOLVED = "self_resolved"
    """The robot needs nobody any more: a false alarm."""
    EXPIRED = "expired"
    """Its deadline passed, or the robot went away."""


class MarkKind(enum.StrEnum):
    """What a person points out in an episode."""

    MOMENT = "moment"
    """Here it went wrong."""
    RECOVERED = "recovered"
    """Back to a good state: recovery ends, correction begins."""
    FLAG = "flag"
    """Somebody should look at this episode."""
    INSTRUCTION = "instruction"
    """The robot was given a new instruction, which is the note."""


class SceneSplit(enum.Enum):
    """Disjoint ranges of `scene_seed`, so that nobody is judged on what they trained on."""

    COLLECT = range(0, 1_000_000)
    GATE = range(1_000_000, 2_000_000)
    REPORT = range(2_000_000, 3_000_000)
    DEMONSTRATE = range(3_000_000, 4_000_000)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """Everything sensed at one instant; what a policy sees."""

    frames: tuple[UInt8, ...]
    """uint8[height, width, 3] per camera, in the spec's order."""
    state: Float32
    """float32[S], the spec's units."""
    tactile: Float32
    """float32[T], the spec's units."""
    instruction: str
    time_ns: int
    """Wall time of the sensing."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One control tick of one robot, as the robot recorded it."""

    schema_version: int = SCHEMA_VERSION
    spec_id: str
    robot_id: str
    boot_id: str
    seq: int
    episode_id: str
    step_index: int
    """From 0 in the episode; times 1 / control_rate_hz gives robot time."""
    time_ns: int
    """Wall time at which the action was applied."""
    observation_time_ns: int
    source: str
    scene_seed: int
    """-1 where there is no simulator."""
    task_id: str
    instruction: str
    policy_version: str
    """Registry version that proposed the action; empty where no policy ran."""
    control_mode: str
    intervention_id: str
    """Empty while nobody intervenes."""
    operator_id: str
    """Empty while nobody intervenes."""
    proposed_action: Float32
    """float32[A], what the policy wanted."""
    executed_action: Float32
    """float32[A], what the motors were told, after arbitration and limits."""
    state: Float32
    """float32[S]."""
    tactile: Float32
    """float32[T]."""
    frames: tuple[bytes, ...]
    """One per camera: JPEG, or raw uint8 of exactly height * width * 3 bytes."""
    chunk_index: int
    """Position of the proposed action in its chunk; -1 where no policy ran."""
    is_terminal: bool
    """The episode ended in success or failure after this step."""
    is_truncated: bool
    """The episode was cut (time limit, stop, shutdown) after this step."""
    command_delay_ms: float
    """Age of the human command when applied; NaN where none was."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """One episode, written by the robot when it ends."""

    schema_version: int = SCHEMA_VERSION
    spec_id: str
    robot_id: str
    boot_id: str
    seq: int
    episode_id: str
    source: str
    scene_seed: int
    task_id: str
    instruction: str
    policy_version: str
    release_role: str
    """"champion" or "canary": under which alias the policy acted; empty for other sources."""
    started_ns: int
    ended_ns: int
    first_seq: int
    """`seq` of its first step in the steps stream of the same boot."""
    num_steps: int
    num_correction_steps: int
    num_interventions: int
    control_rate_hz: float
    outcome: str
    outcome_reason: str
    """In words: "broken connector", "wrong socket", ...; may be empty."""
    outcome_author: str
    """Who judged it first: "simulator" or an operator."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Intervention:
    """The span in which a person had control, written by the robot when it ends."""

    schema_version: int = SCHEMA_VERSION
    robot_id: str
    boot_id: str
    seq: int
    intervention_id: str
    episode_id: str
    operator_id: str
    lease_epoch: int
    started_ns: int
    ended_ns: int
    first_step_index: int
    last_step_index: int
    num_correction_steps: int
    mean_command_delay_ms: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Label:
    """Somebody's judgement of an episode; the latest `time_ns` wins, history stays."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    episode_id: str
    outcome: str
    progress: int = 0
    """How far it got, 1 to 5; 0 where nobody said."""
    reason: str
    author: str
    time_ns: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that a person pointed out in an episode; never withdrawn, only added to."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    episode_id: str
    step_index: int
    """-1 for the episode as a whole."""
    kind: str
    """A `MarkKind`."""
    note: str
    author: str
    time_ns: int


LIVE_SUFFIX = "-live"
"""Ends the `critic_version` of values given while the robot acted, which a round's labels do not replace."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Value:
    """What one critic thinks of one step; keyed by critic version, recomputable."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    critic_version: str
    episode_id: str
    step_index: int
    value: float
    """V(o, l) in (-1, 0)."""
    return_to_go: float
    """Normalised return in [-1, 0]."""
    advantage: float
    improvement_indicator: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """How often one training drew from one episode; written by the learner when it has published the version."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    """The training's own id: a learner that was killed says the same again, and it is stored once."""
    seq: int
    policy_version: str
    episode_id: str
    num_sampled: int
    """Training samples that began at one of its steps."""
    num_corrections_sampled: int
    """Those of them that began at a step which a person executed."""
    first_sampled_ns: int
    """Wall time of the first of them."""
    first_correction_sampled_ns: int
    """Wall time of the first at a person's step; 0 where there was none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpRequest:
    """A robot asks for a person, or a watcher asks on its behalf; written by whoever noticed."""

    schema_version: int = SCHEMA_VERSION
    robot_id: str
    boot_id: str
    seq: int
    request_id: str
    episode_id: str
    kind: str = HelpKind.TAKE_OVER
    """A `HelpKind`."""
    trigger: str = ""
    """What noticed: no_progress, spread, watchdog, value_drop, lost, stopped, unlabelled."""
    severity: str = Severity.WARNING
    """A `Severity`."""
    reason: str
    """In words: "no progress for 2.0 s"."""
    question: str = ""
    """What the person is asked, in words."""
    options: str = "[]"
    """JSON list of texts; empty list where the answer is not one of several."""
    deadline_s: float = 0.0
    """Wall time that the robot waits for an answer; 0 for ever."""
    fallback: str = Fallback.CONTINUE
    """What the robot does at the deadline: a `Fallback`."""
    time_ns: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpAnswer:
    """How a request for help ended, written once by the gateway."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    request_id: str
    robot_id: str
    kind: str
    trigger: str
    result: str
    """A `HelpResult`."""
    answer: str
    """The chosen option, "x y" of the point in shares of the first camera's picture, or the outcome; else empty."""
    author: str
    """Empty where nobody answered."""
    asked_ns: int
    claimed_ns: int
    """0 where nobody claimed it."""
    ended_ns: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Release:
    """One line of the append-only ledger, and the hint that makes robots look at the registry."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    time_ns: int
    event: str
    """candidate, canary, promote, reject, rollback, freeze, thaw; and of a staged rollout, which begins with
    canary and ends with promote or reject: rollout_stage (more robots run the version), rollout_pause,
    rollout_resume, rollout_abort (follows its reject, and says at which stage); shadow, shadow_end (a version
    proposes beside the champion, or nothing does any more)."""
    policy_version: str
    previous_version: str
    author: str
    """"judge", or a person's name."""
    reason: str
    """In words, with the numbers that decided."""
    evidence: str
    """JSON: counts, rates, intervals per task."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Telemetry:
    """How a robot is, about once a second; not kept in the lake."""

    schema_version: int = SCHEMA_VERSION
    robot_id: str
    boot_id: str
    time_ns: int
    episode_id: str
    step_index: int
    control_mode: str
    policy_version: str
    num_steps: int
    """Steps recorded since boot."""
    num_episodes: int
    """Episodes ended since boot."""
    spool_bytes: int
    num_steps_dropped: int
    """Steps given up since boot because the spool was full."""
    num_steps_delivered: int
    """Steps acknowledged by the broker since boot."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what: every claim, takeover, stop, label, promotion and sign-in."""

    schema_version: int = SCHEMA_VERSION
    boot_id: str
    seq: int
    time_ns: int
    author: str
    role: str
    """The author's role at that time; empty where it is not known."""
    action: str
    """A verb, such as take_over, stop, label, promote, sign_in."""
    subject: str
    """Of what: a robot, an episode, a version, a user."""
    reason: str
    detail: str
    """JSON with whatever else matters."""
