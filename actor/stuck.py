"""Is the robot getting anywhere? A pure judgement on its own senses, in robot time.

A robot that moves no bounded state channel by more than a small share of its range for a while is
stuck, whatever its task; what it means to do *well* is for people, critics and the task to say.
"""

import collections
import dataclasses

import numpy as np

from policy.errors import ConfigError
from policy.schema import Float32
from policy.spec import EmbodimentSpec


@dataclasses.dataclass(frozen=True, kw_only=True)
class StuckConfig:
    """When a robot asks for help."""

    after_s: float = 2.0
    """Robot time without progress; 0 never asks."""
    min_motion: float = 0.01
    """Share of a state channel's range that counts as progress."""

    def __post_init__(self) -> None:
        if not (self.after_s >= 0 and self.min_motion > 0):
            raise ConfigError("stuck.after_s must be at least 0, stuck.min_motion above 0", after_s=self.after_s)


class StuckDetector:
    """The recent states of one episode."""

    def __init__(self, spec: EmbodimentSpec, config: StuckConfig) -> None:
        low, high = (np.array([getattr(c, bound) for c in spec.state]) for bound in ("low", "high"))
        self._is_bounded = np.isfinite(high - low)
        self._motion = config.min_motion * (high - low)[self._is_bounded]
        self._after_s = config.after_s
        num_ticks = round(config.after_s * spec.control_rate_hz) if self._is_bounded.any() else 0
        self._states: collections.deque[Float32] = collections.deque(maxlen=num_ticks)

    def reset(self) -> None:
        """A new episode began, or a person moved the robot."""
        self._states.clear()

    def update(self, state: Float32) -> str:
        """Why the robot needs help after this tick, in words; empty if it does not."""
        self._states.append(state[self._is_bounded])
        if not self._states.maxlen or len(self._states) < self._states.maxlen:
            return ""
        is_moving = (np.ptp(np.stack(self._states), axis=0) > self._motion).any()
        return "" if is_moving else f"no progress for {self._after_s:.1f} s"
