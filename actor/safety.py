"""The last code before the motors: limits on every action, whoever wanted it.

    finite -> box -> change per tick -> workspace

Pure: no clock, no thread, no I/O. The control loop calls `guard` after everything else has had its
say, and nothing touches the action afterwards. Software is not a safety device: a hard-wired stop
remains required.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from policy.errors import ConfigError
from policy.schema import Float32
from policy.spec import EmbodimentSpec

NOT_FINITE = "not finite"
STALE = "stale observation"
BOX = "box"
CHANGE = "change"
WORKSPACE = "workspace"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LimitsConfig:
    """What the robot refuses to do."""

    max_change: float = 0.5
    """Largest change of an action between two ticks, as a share of its channel's range; 1: no limit."""
    max_observation_age_s: float = 0.5
    """Watchdog: with older senses a robot in real time holds still."""
    workspace: tuple[str, ...] = ()
    """Fences "action:state:low:high": once that state is outside, the action may only lead back in."""

    def __post_init__(self) -> None:
        if not 0 < self.max_change <= 1:
            raise ConfigError("limits.max_change must lie in (0, 1]", max_change=self.max_change)
        if not self.max_observation_age_s > 0:
            raise ConfigError("limits.max_observation_age_s must be above 0", got=self.max_observation_age_s)
        for text in self.workspace:
            _parts(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fence:
    """One side-pair of the workspace: indices of the channels, and the bounds of the state."""

    action: int
    state: int
    low: float
    high: float


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """The limits of one body, ready to apply."""

    names: tuple[str, ...]
    low: Float32
    high: Float32
    max_change: Float32
    """float32[A], the action's units per tick."""
    fences: tuple[Fence, ...]
    max_observation_age_s: float

    @classmethod
    def of(cls, spec: EmbodimentSpec, config: LimitsConfig) -> "Limits":
        """The limits that a configuration sets for a body.

        Raises:
            ConfigError: a fence names a channel that the body does not have.
        """
        low, high = spec.action_low, spec.action_high
        return cls(
            names=tuple(channel.name for channel in spec.action),
            low=low,
            high=high,
            max_change=np.float32(config.max_change) * (high - low),
            fences=tuple(_fence(text, spec) for text in config.workspace),
            max_observation_age_s=config.max_observation_age_s,
        )

    @property
    def still(self) -> Float32:
        """The action that stands for holding still: zero, or the nearest to it, float32[A]."""
        return np.clip(np.zeros_like(self.low), self.low, self.high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hit:
    """A limit that bit."""

    channel: str
    """Name of the action channel; empty where the whole action was refused."""
    limit: str
    """NOT_FINITE, STALE, BOX, CHANGE or WORKSPACE."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Guarded:
    """What may reach the motors."""

    action: Float32
    """float32[A], within every limit."""
    is_hold: bool
    """The action was refused as a whole; the robot must hold still."""
    hits: tuple[Hit, ...] = ()


def guard(action: Float32, *, previous: Float32, state: Float32, observation_age_s: float, limits: Limits) -> Guarded:
    """Apply the limits.

    Args:
        action: float32[A] that somebody wants, the spec's units.
        previous: float32[A] that was executed in the tick before; `limits.still` at the start.
        state: float32[S] as sensed.
        observation_age_s: how long ago the senses were read; 0 for a robot on its own clock.
        limits: of this body.
    """
    if observation_age_s > limits.max_observation_age_s:
        return _refuse(STALE, limits)
    if not np.isfinite(action).all():
        return _refuse(NOT_FINITE, limits)
    hits: list[Hit] = []
    boxed = np.clip(action, limits.low, limits.high)
    hits += _hits(BOX, boxed != action, limits)
    eased = np.clip(boxed, previous - limits.max_change, previous + limits.max_change)
    hits += _hits(CHANGE, eased != boxed, limits)
    fenced = eased.copy()
    for fence in limits.fences:
        fenced[fence.action] = _within(fence, fenced[fence.action], state[fence.state])
    hits += _hits(WORKSPACE, fenced != eased, limits)
    return Guarded(action=fenced.astype(np.float32), is_hold=False, hits=tuple(hits))


def _within(fence: Fence, action: np.float32, state: np.float32) -> np.float32:
    if state <= fence.low:
        return max(action, np.float32(0))
    if state >= fence.high:
        return min(action, np.float32(0))
    return action


def _refuse(limit: str, limits: Limits) -> Guarded:
    return Guarded(action=limits.still, is_hold=True, hits=(Hit(channel="", limit=limit),))


def _hits(limit: str, mask: NDArray[np.bool_], limits: Limits) -> list[Hit]:
    return [Hit(channel=limits.names[index], limit=limit) for index in np.flatnonzero(mask)]


def _parts(text: str) -> tuple[str, str, float, float]:
    try:
        action, state, low, high = text.split(":")
        bounds = float(low), float(high)
    except ValueError as error:
        raise ConfigError('a fence reads "action:state:low:high"', got=text) from error
    if not (math.isfinite(bounds[0]) and math.isfinite(bounds[1]) and bounds[0] < bounds[1]):
        raise ConfigError("a fence needs finite bounds, low < high", got=text)
    return action, state, *bounds


def _fence(text: str, spec: EmbodimentSpec) -> Fence:
    action, state, low, high = _parts(text)
    actions = [channel.name for channel in spec.action]
    states = [channel.name for channel in spec.state]
    for name, known in ((action, actions), (state, states)):
        if name not in known:
            raise ConfigError("limits.workspace names an unknown channel", channel=name, known=known)
    return Fence(action=actions.index(action), state=states.index(state), low=low, high=high)
