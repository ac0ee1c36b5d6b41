"""What robots, gateway and operators say to each other over their sockets.

    robot process                      gateway                        operator
      RobotHello, Reports, frames  ->          ->  Roster, Reports, HelpList, frames
      LeaseState, HumanCommand,    <-          <-  OperatorHello, Watch, Acquire, Renew, Release, Answer,
      Stop, ClearStop, Instruct,                   HumanCommand, Stop, ClearStop, Instruct,
      HelpAnswered, WantFrames                     Claim, AnswerHelp, LabelEpisode, MarkEpisode
      Inspect, Refused             <-          ->  LeaseState, Asked, Receipt, Inspected, Refused

Messages between operators and gateway alone are in `operator_messages.py`. Control and state are
JSON text, pictures binary (`frames.py`). Commands are *state*, not events: the latest wins and a lost
one does no harm. Times are never compared between hosts: a report carries the
robot's own monotonic clock, and a command says when it was sent *on that clock*, as the operator
extrapolated it from the last report, so the age of a command is at most the round trip and clocks
may differ by any amount.
"""

import dataclasses
import types
from collections.abc import Mapping
from typing import ClassVar

from corrections.codec import Message
from corrections.inspection import Inspect, Inspected
from policy.errors import WireError
from policy.schema import ControlMode, Fallback, HelpKind, HelpResult, Severity

PROTOCOL_VERSION = 1
MAX_ROBOTS = 256
"""Robots of one process: the view number of a picture is one byte."""
MAX_ACTION, MAX_NAME_CHARS = 64, 128
MAX_OPERATOR_BYTES = 16_384
"""Largest message that an operator may send."""
MAX_ROBOT_BYTES = 4 << 20
"""Largest message that a robot process may send: 256 robots in one batch, or one picture."""


def check_name(name: str, field: str) -> None:
    """Refuse names that would garble a log or a screen.

    Raises:
        WireError: empty, too long or not printable.
    """
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise WireError(f"a name has 1 to {MAX_NAME_CHARS} printable characters", field=field, got=name[:80])


# --- robot -> gateway ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotInfo:
    """What an operator must know of a robot to drive it."""

    robot_id: str
    spec: str
    """`EmbodimentSpec.to_json()`."""
    is_simulated: bool
    process: str = ""
    """Name of its actor process, which may have several robots."""
    config_hash: str = ""
    """The same for robots that are set the same."""
    camera_yaws_rad: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """By camera: `robots.robot.Oriented`; empty where the robot does not say."""
    is_tool_fixed: bool = False
    """Whether the tool never turns against the base."""
    lease_epoch: int = 0
    """Last epoch it obeyed, so that a gateway that restarts grants only newer ones."""

    def __post_init__(self) -> None:
        check_name(self.robot_id, "robot_id")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotHello:
    """First message of a robot process: which robots are on this socket."""

    TYPE: ClassVar[str] = "robot_hello"
    protocol: int = PROTOCOL_VERSION
    robots: tuple[RobotInfo, ...]

    def __post_init__(self) -> None:
        if not 0 < len({robot.robot_id for robot in self.robots}) == len(self.robots) <= MAX_ROBOTS:
            raise WireError(
                f"a robot process has 1 to {MAX_ROBOTS} robots of different names", num_robots=len(self.robots)
            )


MAX_OPTIONS = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Help:
    """A robot's open request for a person, whole."""

    request_id: str = ""
    """Empty when it needs nobody."""
    kind: HelpKind = HelpKind.TAKE_OVER
    trigger: str = ""
    """What noticed: no_progress, spread, watchdog, lost, stopped, ..."""
    severity: Severity = Severity.WARNING
    reason: str = ""
    """In words: "no progress for 2.0 s"."""
    question: str = ""
    """What the person is asked, in words."""
    options: tuple[str, ...] = ()
    """The answers to choose from, where the kind is `choose`."""
    deadline_s: float = 0.0
    """How long it waits for an answer; 0 for ever."""
    fallback: Fallback = Fallback.CONTINUE
    """What it does then."""

    def __post_init__(self) -> None:
        if len(self.options) > MAX_OPTIONS or not self.deadline_s >= 0:
            raise WireError(f"at most {MAX_OPTIONS} options, and a deadline of 0 or more", request_id=self.request_id)
        if self.kind is HelpKind.CHOOSE and not self.options:
            raise WireError("a request to choose needs options", request_id=self.request_id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotState:
    """A robot's report of itself: what it does, not what somebody wished it did."""

    robot_id: str
    mode: ControlMode
    episode_id: str = ""
    step_index: int = 0
    task_id: str = ""
    instruction: str = ""
    policy_version: str = ""
    state: tuple[float, ...] = ()
    """Proprioception, the spec's units; may be left empty."""
    privileged: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Simulation-only truth for the scripted operator; never recorded, empty on a real robot."""
    limit_hits: tuple[str, ...] = ()
    """Names of action channels that a limit cut in this tick."""
    help: Help = Help()
    """Its open request; `help.request_id` is empty when it needs nobody."""
    unlabelled_episode_id: str = ""
    """Its latest ended episode whose outcome only a person can tell; empty where there was none."""
    weights_refusal: str = ""
    """Weights that it should run and will not, and why, in words; empty where it runs what it should."""
    num_records_waiting: int = 0
    """Its records on disk that the broker does not have yet."""
    spool_bytes: int = 0
    """What waits on disk, of all robots of its process."""
    temperatures_c: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """By part; empty where the robot measures none."""
    lease_epoch: int = 0
    """Epoch that it obeys or last obeyed."""
    command_delay_ms: float = -1.0
    """Age of the human command applied in this tick; -1 where none was."""
    sent_ns: int = 0
    """The robot's monotonic clock when the report left; set by `RobotLink`."""

    def __post_init__(self) -> None:
        check_name(self.robot_id, "robot_id")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reports:
    """The newest states of several robots; passed on to operators as it came."""

    TYPE: ClassVar[str] = "reports"
    states: tuple[RobotState, ...]


# --- operator -> robot, through the gateway -----------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class HumanCommand:
    """What a person wants *now*; sent at 50 Hz, also when it is zero."""

    TYPE: ClassVar[str] = "command"
    robot_id: str
    lease_epoch: int
    seq: int
    """Grows by at least one per command of a lease."""
    sent_ns: int
    """When it was sent, on the robot's own clock: last report's `sent_ns` plus the time since."""
    action: tuple[float, ...]
    """float[A] in [-1, 1] per axis: a velocity, 0 is still."""
    is_deadman_held: bool

    def __post_init__(self) -> None:
        check_name(self.robot_id, "robot_id")
        if not 0 < len(self.action) <= MAX_ACTION:
            raise WireError("an action has 1 to 64 axes", robot_id=self.robot_id, num_axes=len(self.action))
        if any(not -1.0 <= value <= 1.0 for value in self.action):
            raise WireError("an action lies in [-1, 1] per axis", robot_id=self.robot_id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stop:
    """Hold now and stay so until cleared; from anyone signed in, no lease needed."""

    TYPE: ClassVar[str] = "stop"
    robot_id: str
    reason: str = ""
    author: str = ""
    """Filled in by the gateway."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClearStop:
    """Take the latch off. The second step of two: it must repeat the robot's name and say why."""

    TYPE: ClassVar[str] = "clear_stop"
    robot_id: str
    confirm: str
    """The robot's name once more."""
    reason: str
    author: str = ""

    def __post_init__(self) -> None:
        if self.confirm != self.robot_id or not self.reason.strip():
            raise WireError("clearing a stop needs the robot's name in `confirm` and a reason", robot_id=self.robot_id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instruct:
    """New words until the episode ends: from whoever holds the robot, or from anybody while nobody does."""

    TYPE: ClassVar[str] = "instruct"
    robot_id: str
    instruction: str
    author: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpAnswered:
    """How the gateway closed a request for help, so that the robot acts on it."""

    TYPE: ClassVar[str] = "help_answered"
    robot_id: str
    request_id: str
    episode_id: str
    """The answer is void once this episode is over."""
    trigger: str
    result: HelpResult
    """answered, or expired: then the robot does what `fallback` says."""
    answer: str = ""
    author: str = ""
    fallback: Fallback = Fallback.CONTINUE


# --- gateway -> both ----------------------------------------------------------------------------

HANDED_BACK = "handed_back"
"""The only end of a lease after which the policy goes on by itself."""
SILENT = "silent"
IDLE = "idle"
GATEWAY_RESTARTED = "gateway_restarted"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeaseState:
    """Who holds a robot; sent on every grant, renewal and end, and whenever a robot connects."""

    TYPE: ClassVar[str] = "lease"
    robot_id: str
    epoch: int
    """Grows with every grant; 0 if there never was one."""
    is_held: bool
    operator_id: str = ""
    end_reason: str = ""
    """How the last lease ended: handed_back, silent, idle, gateway_restarted."""
    is_yours: bool = False
    """Told to an operator: this very connection holds it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refused:
    """Why a request or a message was not accepted, in words."""

    TYPE: ClassVar[str] = "refused"
    request: str
    """Type of the message; empty if it had none."""
    reason: str
    robot_id: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WantFrames:
    """Whether anybody watches the robot's pictures."""

    TYPE: ClassVar[str] = "want_frames"
    robot_id: str
    rate_hz: float
    """0: nobody does."""


def table(*classes: type[Message]) -> Mapping[str, type[Message]]:
    """Message classes by their type, for `codec.decode`."""
    return types.MappingProxyType({cls.TYPE: cls for cls in classes})


FROM_ROBOT = table(RobotHello, Reports, Inspected)
TO_ROBOT = table(LeaseState, HumanCommand, Stop, ClearStop, Instruct, HelpAnswered, WantFrames, Inspect, Refused)
