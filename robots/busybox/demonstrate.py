"""Noisy demonstrations: the expert with human faults, each drawn per episode.

Speed, a wavering hand, and a wrong first idea of where the part is, found out near it: what a policy has to
see to recover by itself.
"""

import dataclasses
import math

import numpy as np

from policy.schema import Float32
from robots.busybox.expert import Expert
from robots.busybox.help import steadiness
from robots.task import Habits, Privileged

_KEPT = 0.8
"""Share of the waver that carries over to the next tick: people drift, they do not flicker."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemonstratorConfig:
    """How far a demonstrator is from perfect; all zero gives the expert."""

    waver: float = 0.15
    """Standard deviation of slow noise on the motion in free space; a fifth of it near contact."""
    aim_error_m: float = 0.002
    """Standard deviation per axis of the first idea of where the part is."""
    slowest: float = 0.7
    """Speeds are drawn between this factor and 1."""
    near_m: float = 0.035
    """From this height of the tip on they see where the part really is."""


class Demonstrator:
    """Drives one episode; make one per episode."""

    def __init__(self, seed: int, config: DemonstratorConfig | None = None) -> None:
        self._config = config = config or DemonstratorConfig()
        self._rng = np.random.default_rng((seed, 7))
        self._scale = config.waver * self._rng.uniform(0.3, 1.0) * np.array([1.0, 1.0, 1.0, 0.5, 0.0])
        self._waver = np.zeros(5)
        x, y = self._rng.normal(0, config.aim_error_m, 2)
        self._aim_error_m = (float(x), float(y))
        self._speed = float(self._rng.uniform(min(config.slowest, 1.0), 1.0))

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[5] in [-1, 1]."""
        if privileged["tip_z_m"] < self._config.near_m:
            self._aim_error_m = (0.7 * self._aim_error_m[0], 0.7 * self._aim_error_m[1])
        expert = Expert(Habits(speed=self._speed, aim_error_m=self._aim_error_m))
        self._waver = _KEPT * self._waver + math.sqrt(1 - _KEPT**2) * self._rng.normal(0, 1, 5)
        action = expert.act(privileged) + steadiness(privileged) * self._scale * self._waver
        return np.clip(action, -1, 1).astype(np.float32)
