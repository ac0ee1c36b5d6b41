"""Noisy demonstrations: the expert with human faults, each drawn per episode.

Speed, wavering of the hand, a wrong first idea of where the hole is (found out on the rim, then
corrected): what a policy has to see to recover by itself.
"""

import dataclasses
import math

import numpy as np

from policy.schema import Float32
from robots.expert import Expert, ExpertConfig, steadiness
from robots.task import Privileged


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemonstratorConfig:
    """How far a demonstrator is from perfect; all zero gives the expert."""

    waver: float = 0.15
    """Standard deviation of slow noise on the action in free space; a fifth of it near contact."""
    aim_error_m: float = 0.0022
    """Standard deviation per axis of the first idea of where the hole is."""
    slowest: float = 0.65
    """Speeds are drawn between this factor and 1."""


class Demonstrator:
    """Drives one episode; make one per episode."""

    def __init__(self, seed: int, config: DemonstratorConfig | None = None) -> None:
        config = config or DemonstratorConfig()
        self._rng = np.random.default_rng((seed, 7))
        self._waver = config.waver * self._rng.uniform(0.3, 1.0)
        self._noise = np.zeros(1)
        x, y = self._rng.normal(0, config.aim_error_m, 2)
        self._aim_error_m = (float(x), float(y))
        self._patience = int(self._rng.integers(0, 3))
        self._expert = Expert(ExpertConfig(speed=float(self._rng.uniform(config.slowest, 1.0))))

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[A] in [-1, 1]."""
        above_m = privileged["tip_z_m"] - privileged["target_rim_m"]
        if privileged["force_z_n"] > 1 and abs(above_m) < 0.002:
            self._patience -= 1
        if self._patience <= 0 or above_m < -0.001:
            # The rim was felt: the search begins, and soon ends.
            self._aim_error_m = (0.7 * self._aim_error_m[0], 0.7 * self._aim_error_m[1])
        scale = self._waver * steadiness(privileged)
        action = self._expert.correct(privileged, self._aim_error_m)
        self._noise = 0.8 * self._noise + math.sqrt(1 - 0.8**2) * self._rng.normal(0, 1, len(action))
        return np.clip(action + scale * self._noise, -1, 1).astype(np.float32)
