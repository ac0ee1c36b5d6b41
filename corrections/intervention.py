"""Who moves the robot in a tick: a transition table and the pure functions around it.

The actor calls `advance` once a tick with what `RobotLink.people` knows; nothing here has a clock, a
thread or a socket, and the same rules hold for every human, scripted or not.

                 drive            wait            free              gone            stop
    AUTONOMOUS   CORRECTING       PAUSED          AUTONOMOUS        LOST            STOPPED
    PAUSED       CORRECTING       PAUSED          AUTONOMOUS        LOST            STOPPED
    CORRECTING   CORRECTING       PAUSED          AUTONOMOUS        LOST            STOPPED
    LOST         CORRECTING       PAUSED          AUTONOMOUS        LOST            STOPPED
    STOPPED      PAUSED           PAUSED          AUTONOMOUS        LOST            STOPPED

`free` means that nobody holds the robot *and* the last holder handed it back (or there never was
one); a lease that ended in any other way is `gone`, which only a new lease leaves. So the policy
never resumes by itself after a lost person, and a late hand-back of a lost lease does nothing.
After LOST or STOPPED the dead-man must be seen released once before it moves anything.

Numbers: console.md 5.2. Software is not a safety device: a hard-wired stop remains required.
"""

import dataclasses
import enum
import types

import numpy as np

from corrections.protocol import HANDED_BACK, HelpAnswered, HumanCommand, LeaseState, Stop
from policy.errors import ConfigError
from policy.schema import ControlMode, Float32
from policy.spec import EmbodimentSpec

_MS = 1_000_000
_CLOCK_TOLERANCE_NS = 5 * _MS
"""An honest echo is never ahead of the robot's clock; drift between two reports is far below this."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SafetyConfig:
    """Time limits of human control, held by the robot."""

    max_command_age_ms: float = 100.0
    """A command older than this on arrival is dropped."""
    hold_after_ms: float = 250.0
    """Without a new command for this long the robot holds still."""
    lost_after_ms: float = 3_000.0
    """Without any sign of the holder for this long the lease is over and the robot LOST."""
    takeover_ramp_ms: float = 200.0
    """A person's motion grows from zero to full over this time."""

    def __post_init__(self) -> None:
        if not 0 < self.max_command_age_ms <= self.hold_after_ms < self.lost_after_ms:
            raise ConfigError(
                "limits must satisfy 0 < max_command_age_ms <= hold_after_ms < lost_after_ms",
                **dataclasses.asdict(self),
            )
        if not self.takeover_ramp_ms >= 0:
            raise ConfigError("takeover_ramp_ms must be at least 0", takeover_ramp_ms=self.takeover_ramp_ms)


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    """What a robot knows of people at one instant; all times on its own monotonic clock."""

    is_link_up: bool = False
    lease: LeaseState | None = None
    """The newest lease; None if there never was one."""
    heard_ns: int = 0
    """When the holder was last heard of: a grant, a renewal or an accepted command."""
    command: HumanCommand | None = None
    """The newest accepted command of this lease."""
    command_received_ns: int = 0
    stop: Stop | None = None
    """The stop in force; None when clear."""
    instruction: str = ""
    """New words from the holder, or from a person while nobody holds it; empty if none."""
    num_instructions: int = 0
    """Grows with each."""
    is_watched: bool = False
    """Whether anybody wants the pictures."""
    answers: tuple[HelpAnswered, ...] = ()
    """The latest answers to its requests for help, newest last."""

    @property
    def is_held(self) -> bool:
        """Whether a person holds the lease: a simulated robot then runs in real time."""
        return self.lease is not None and self.lease.is_held

    @property
    def operator_id(self) -> str:
        """The holder; empty without one."""
        return self.lease.operator_id if self.lease is not None and self.lease.is_held else ""


NOBODY = People()


class Condition(enum.Enum):
    """What people want of the robot, boiled down to one word."""

    DRIVE = "drive"
    """The holder's fresh command, dead-man held."""
    WAIT = "wait"
    """Held, and nothing to execute."""
    FREE = "free"
    """Nobody holds it and the policy may act."""
    GONE = "gone"
    """The holder went without handing back."""
    STOP = "stop"


_TO_CORRECTING = types.MappingProxyType(
    {
        Condition.DRIVE: ControlMode.CORRECTING,
        Condition.WAIT: ControlMode.PAUSED,
        Condition.FREE: ControlMode.AUTONOMOUS,
        Condition.GONE: ControlMode.LOST,
        Condition.STOP: ControlMode.STOPPED,
    }
)
TABLE = types.MappingProxyType(
    {mode: _TO_CORRECTING for mode in ControlMode if mode is not ControlMode.STOPPED}
    | {ControlMode.STOPPED: types.MappingProxyType(_TO_CORRECTING | {Condition.DRIVE: ControlMode.PAUSED})}
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class InterventionState:
    """What the robot remembers from tick to tick."""

    mode: ControlMode = ControlMode.AUTONOMOUS
    correcting_since_ns: int = 0
    """When the present run of corrections began."""
    lost_epoch: int = 0
    """The lease that was lost; nothing of it, or older, counts any more."""
    must_release_deadman: bool = False
    """After LOST or STOPPED, until the dead-man was seen released."""


def command_refusal(command: HumanCommand, people: People, now_ns: int, config: SafetyConfig) -> str:
    """Why the robot must drop a command that just arrived; empty if it must not.

    Args:
        command: as received.
        people: what is known so far; `people.command` holds the last accepted sequence number.
        now_ns: the robot's monotonic clock.
        config: the limits.

    Returns:
        "no_lease", "epoch", "seq", "stale", "future", or "".
    """
    if not people.is_held or people.lease is None:
        return "no_lease"
    if command.lease_epoch != people.lease.epoch:
        return "epoch"
    if people.command is not None and command.seq <= people.command.seq:
        return "seq"
    if now_ns - command.sent_ns > config.max_command_age_ms * _MS:
        return "stale"
    if command.sent_ns > now_ns + _CLOCK_TOLERANCE_NS:
        return "future"
    return ""


def condition(state: InterventionState, people: People, now_ns: int, config: SafetyConfig) -> Condition:
    """What people want now, given what the robot remembers."""
    if people.stop is not None:
        return Condition.STOP
    lease = people.lease
    if lease is None:
        return Condition.GONE if state.lost_epoch else Condition.FREE
    if lease.epoch <= state.lost_epoch:
        return Condition.GONE
    if not lease.is_held:
        return Condition.FREE if lease.end_reason == HANDED_BACK else Condition.GONE
    if now_ns - people.heard_ns > config.lost_after_ms * _MS:
        return Condition.GONE
    is_driving = _is_fresh(people, now_ns, config) and not state.must_release_deadman
    return Condition.DRIVE if is_driving and _is_deadman_held(people) else Condition.WAIT


def advance(state: InterventionState, people: People, now_ns: int, config: SafetyConfig) -> InterventionState:
    """The state for this tick; `mode` is what the robot must do and record.

    Pure: the same arguments give the same state, and a human action may be executed only in a
    tick whose state says CORRECTING.
    """
    wanted = condition(state, people, now_ns, config)
    mode = TABLE[state.mode][wanted]
    starts = mode is ControlMode.CORRECTING and state.mode is not ControlMode.CORRECTING
    is_released = _is_fresh(people, now_ns, config) and not _is_deadman_held(people)
    lost_epoch = state.lost_epoch
    if wanted is Condition.GONE and people.lease is not None:
        lost_epoch = max(lost_epoch, people.lease.epoch)
    return InterventionState(
        mode=mode,
        correcting_since_ns=now_ns if starts else state.correcting_since_ns,
        lost_epoch=lost_epoch,
        must_release_deadman=mode in (ControlMode.LOST, ControlMode.STOPPED)
        or (state.must_release_deadman and not is_released),
    )


def ramp(state: InterventionState, now_ns: int, config: SafetyConfig) -> float:
    """Share of the person's motion to execute, from 0 at the takeover to 1 after the ramp."""
    if state.mode is not ControlMode.CORRECTING:
        return 0.0
    if config.takeover_ramp_ms == 0:
        return 1.0
    return min(1.0, (now_ns - state.correcting_since_ns) / (config.takeover_ramp_ms * _MS))


def human_action(command: HumanCommand, spec: EmbodimentSpec, gain: float) -> Float32:
    """The command in the robot's own units, float32[A].

    +1 is the channel's highest value, -1 its lowest, 0 is zero and so stands still; missing axes
    are zero and axes beyond the body's are ignored.

    Args:
        command: axes in [-1, 1].
        spec: the body.
        gain: from `ramp`.
    """
    axes = np.zeros(len(spec.action), np.float32)
    given = command.action[: len(axes)]
    axes[: len(given)] = given
    axes *= np.float32(gain)
    return np.where(axes >= 0, axes * spec.action_high, -axes * spec.action_low).astype(np.float32)


def command_delay_ms(people: People, now_ns: int) -> float:
    """Age of the command in force, at most the round trip; NaN without one."""
    return float("nan") if people.command is None else (now_ns - people.command.sent_ns) / _MS


def _is_fresh(people: People, now_ns: int, config: SafetyConfig) -> bool:
    return (
        people.is_link_up
        and people.command is not None
        and now_ns - people.command_received_ns <= config.hold_after_ms * _MS
    )


def _is_deadman_held(people: People) -> bool:
    return people.command is not None and people.command.is_deadman_held
