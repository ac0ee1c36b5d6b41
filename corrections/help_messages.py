"""What people, watchers and gateway say about robots that need help.

operator -> gateway    Claim, Unclaim, AnswerHelp
service -> gateway     RaiseHelp, Values
gateway -> operator    HelpList, Values
"""

import dataclasses
from typing import ClassVar

from corrections.protocol import Help, check_name
from policy.schema import Fallback, HelpKind, HelpResult, Severity


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """I look after this request; lapses after 30 s unless it is repeated."""

    TYPE: ClassVar[str] = "claim"
    request_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unclaim:
    """I do not, after all."""

    TYPE: ClassVar[str] = "unclaim"
    request_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerHelp:
    """The answer to a request for help, by its kind.

    choose: one of its options ("take over" only claims it: then acquire the robot); point: "x y CAMERA",
    in shares of that camera's picture, from top left; confirm_outcome: an outcome, which also becomes this person's
    label; reset_scene: "done". A stopped or lost robot's request ends when the stop is cleared or
    somebody takes the robot, not by words.
    """

    TYPE: ClassVar[str] = "answer_help"
    request_id: str
    answer: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaiseHelp:
    """A watcher asks for a person on a robot's behalf; if that robot asks already, nothing is added."""

    TYPE: ClassVar[str] = "raise_help"
    robot_id: str
    episode_id: str
    """The running one: what was seen in the one before is no reason any more."""
    kind: HelpKind
    trigger: str
    severity: Severity = Severity.WARNING
    reason: str
    question: str = ""
    options: tuple[str, ...] = ()
    deadline_s: float = 0.0
    fallback: Fallback = Fallback.CONTINUE

    def __post_init__(self) -> None:
        check_name(self.trigger, "trigger")
        self.help("raised")

    def help(self, request_id: str) -> Help:
        """The request, under this name."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name in _HELP}
        return Help(request_id=request_id, **fields)


_HELP = frozenset(field.name for field in dataclasses.fields(Help))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PastRequest:
    """An ended request like an open one, and what people did about it."""

    request_id: str
    robot_id: str
    reason: str
    result: HelpResult
    answer: str
    author: str
    ago_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenRequest:
    """One robot that waits for a person."""

    request_id: str
    robot_id: str
    episode_id: str
    task_id: str
    kind: HelpKind
    trigger: str
    severity: Severity
    reason: str
    question: str
    options: tuple[str, ...]
    waiting_s: float
    deadline_s: float
    """How long the robot waits for an answer; 0 for ever."""
    left_s: float
    """Until the deadline; 0 where there is none."""
    fallback: Fallback
    claimed_by: str
    """Who looks after it now; empty where nobody does."""
    claim_left_s: float
    """Until the claim lapses; 0 where nobody claimed it."""
    similar: tuple[PastRequest, ...]
    """The last three of the same task and trigger, newest first."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpList:
    """Open requests, most urgent first; as many as one message holds."""

    TYPE: ClassVar[str] = "help"
    requests: tuple[OpenRequest, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveValue:
    """What a critic thinks of a robot's present."""

    robot_id: str
    episode_id: str
    step_index: int
    value: float
    """V(o, l) in (-1, 0)."""
    critic_version: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Values:
    """Live values: from the critic to the gateway, and on to whoever watches; newest only."""

    TYPE: ClassVar[str] = "values"
    values: tuple[LiveValue, ...]
