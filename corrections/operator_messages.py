"""What only operators and the gateway say to each other; the rest is in `protocol.py`.

operator -> gateway    OperatorHello, Watch, Acquire, Renew, Release, Answer, LabelEpisode, MarkEpisode, Ping
gateway -> operator    Roster, Asked, Receipt, Marked, Pong

Requests for help and live values have a file of their own, `help_messages.py`.
"""

import dataclasses
import enum
from typing import ClassVar

from corrections.help_messages import AnswerHelp, Claim, HelpList, RaiseHelp, Unclaim, Values
from corrections.inspection import Inspect, Inspected
from corrections.protocol import (
    PROTOCOL_VERSION,
    ClearStop,
    HumanCommand,
    Instruct,
    LeaseState,
    Refused,
    Reports,
    RobotInfo,
    Stop,
    check_name,
    table,
)
from policy.errors import WireError
from policy.schema import MarkKind, Outcome

MAX_PROGRESS = 5


class PeerKind(enum.StrEnum):
    """Who is at the other end of an operator connection."""

    PERSON = "person"
    SERVICE = "service"
    """A watcher such as the critic: it may ask for help on a robot's behalf, and send live values."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatorHello:
    """First message of an operator."""

    TYPE: ClassVar[str] = "operator_hello"
    protocol: int = PROTOCOL_VERSION
    operator_id: str
    kind: PeerKind = PeerKind.PERSON
    role: str = ""
    """As the console knows it, for the audit; empty from a terminal."""

    def __post_init__(self) -> None:
        check_name(self.operator_id, "operator_id")
        if self.role:
            check_name(self.role, "role")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watch:
    """Which robots this operator wants to see; replaces the previous choice."""

    TYPE: ClassVar[str] = "watch"
    is_all: bool = True
    """Every robot, also those that connect later."""
    robot_ids: tuple[str, ...] = ()
    """Where not all."""
    frames_of: tuple[str, ...] = ()
    """Robots whose pictures are wanted; their place in this list is their view number."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Acquire:
    """Take the robot's lease, if it is free."""

    TYPE: ClassVar[str] = "acquire"
    robot_id: str
    ask: bool = False
    """If it is held, ask the holder to give it."""
    force: bool = False
    """If it is held, take it; needs a reason, and is logged."""
    reason: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Renew:
    """The holder is still there; once a second."""

    TYPE: ClassVar[str] = "renew"
    robot_id: str
    lease_epoch: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Release:
    """Hand the robot back to its policy."""

    TYPE: ClassVar[str] = "release"
    robot_id: str
    lease_epoch: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """The holder's answer to `Asked`."""

    TYPE: ClassVar[str] = "answer"
    robot_id: str
    give: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelEpisode:
    """This person's judgement of an episode; the gateway stamps and records it."""

    TYPE: ClassVar[str] = "label"
    episode_id: str
    outcome: Outcome
    reason: str = ""
    progress: int = 0
    """How far it got, 1 to 5; 0 where nobody said."""

    def __post_init__(self) -> None:
        check_name(self.episode_id, "episode_id")
        if not 0 <= self.progress <= MAX_PROGRESS:
            raise WireError("progress is 1 to 5, or 0 for none", got=self.progress)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarkEpisode:
    """Something that this person points out in an episode."""

    TYPE: ClassVar[str] = "mark"
    episode_id: str
    step_index: int = -1
    """-1: now, if the episode is running, else the episode as a whole; a flag is always of the whole."""
    kind: MarkKind = MarkKind.MOMENT
    note: str = ""

    def __post_init__(self) -> None:
        check_name(self.episode_id, "episode_id")
        if self.step_index < -1:
            raise WireError("step_index is -1 or more", got=self.step_index)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ping:
    """Answered at once, to measure the way there and back."""

    TYPE: ClassVar[str] = "ping"
    id: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pong:
    """The answer to `Ping`."""

    TYPE: ClassVar[str] = "pong"
    id: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roster:
    """The robots that are connected."""

    TYPE: ClassVar[str] = "roster"
    robots: tuple[RobotInfo, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """A colleague wants the robot that you hold."""

    TYPE: ClassVar[str] = "asked"
    robot_id: str
    operator_id: str
    reason: str
    answer_within_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Receipt:
    """A label was taken: it reaches the log as soon as the broker answers."""

    TYPE: ClassVar[str] = "receipt"
    episode_id: str
    outcome: Outcome


@dataclasses.dataclass(frozen=True, kw_only=True)
class Marked:
    """A mark was taken, as a receipt says of a label."""

    TYPE: ClassVar[str] = "marked"
    episode_id: str
    step_index: int
    """Where it was put."""
    kind: MarkKind


FROM_OPERATOR = table(
    OperatorHello,
    Watch,
    Acquire,
    Renew,
    Release,
    Answer,
    HumanCommand,
    Stop,
    ClearStop,
    Instruct,
    LabelEpisode,
    MarkEpisode,
    Claim,
    Unclaim,
    AnswerHelp,
    RaiseHelp,
    Values,
    Inspect,
    Ping,
)
TO_OPERATOR = table(Roster, Reports, HelpList, LeaseState, Asked, Receipt, Marked, Values, Inspected, Pong, Refused)
