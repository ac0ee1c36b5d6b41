"""What only operators and the gateway say to each other; the rest is in `protocol.py`.

operator -> gateway    OperatorHello, Watch, Acquire, Renew, Release, Answer, LabelEpisode
gateway -> operator    Roster, HelpList, Asked, Receipt
"""

import dataclasses
from typing import ClassVar

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
from policy.schema import Outcome


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatorHello:
    """First message of an operator."""

    TYPE: ClassVar[str] = "operator_hello"
    protocol: int = PROTOCOL_VERSION
    operator_id: str

    def __post_init__(self) -> None:
        check_name(self.operator_id, "operator_id")


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

    def __post_init__(self) -> None:
        check_name(self.episode_id, "episode_id")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roster:
    """The robots that are connected."""

    TYPE: ClassVar[str] = "roster"
    robots: tuple[RobotInfo, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenRequest:
    """One robot that waits for a person."""

    robot_id: str
    request_id: str
    reason: str
    waiting_s: float
    severity: str
    """error (lost, stopped) or warning."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpList:
    """All open requests, most urgent first."""

    TYPE: ClassVar[str] = "help"
    requests: tuple[OpenRequest, ...]


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
)
TO_OPERATOR = table(Roster, Reports, HelpList, LeaseState, Asked, Receipt, Refused)
