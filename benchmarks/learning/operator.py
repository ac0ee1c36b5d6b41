"""A person at the touchline, as the bench models them: sees late, reacts late, moves with noise.

The live system's scripted operator goes through the gateway; this one is the same person without the
sockets: it takes over some ticks after `needs_help`, the robot holds meanwhile, it steers by an old view,
and it hands back when the robot is back on its way or the episode ends.
"""

import collections
import dataclasses
from collections.abc import Mapping

import numpy as np

from policy.schema import Float32
from robots.expert import Expert, ExpertConfig, needs_help


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """How good, and how available, the person is."""

    attention: float = 1.0
    """Share of episodes that are watched at all."""
    reaction_ticks: tuple[int, int] = (3, 8)
    """Ticks from a reason to help to the takeover, uniform; the policy goes on meanwhile."""
    num_hold_ticks: int = 2
    """Ticks the robot holds still between takeover and the first command."""
    delay_ticks: int = 2
    """Age of what the person sees when they steer."""
    noise: float = 0.1
    """Standard deviation of the slow noise on their command in free space; a fifth of it near contact."""
    speed: float = 0.8
    """Factor on the expert's speed in free space."""
    num_correction_ticks: tuple[int, int] = (30, 60)
    """Ticks after which they hand back unless help is still needed, uniform."""


class Operator:
    """Watches one episode."""

    def __init__(self, config: OperatorConfig, seed: int) -> None:
        self._config = config
        self._rng = np.random.default_rng((seed, 11))
        self._is_watching = self._rng.random() < config.attention
        self._seen: collections.deque[Mapping[str, float]] = collections.deque(maxlen=config.delay_ticks + 1)
        self._expert = Expert(ExpertConfig(delay_ticks=config.delay_ticks, speed=config.speed))
        self._wait: int | None = None
        self._num_ticks = 0
        self._noise = np.zeros(3)

    def command(self, privileged: Mapping[str, float]) -> tuple[Float32, bool] | None:
        """None while the policy drives; (action, whether the robot is only held) while they do."""
        self._seen.append(privileged)
        if not self._is_watching:
            return None
        if self._wait is None:
            if needs_help(list(self._seen)) is None:
                return None
            self._wait = int(self._rng.integers(*self._config.reaction_ticks, endpoint=True))
        if self._wait > 0:
            self._wait -= 1
            return None
        return self._drive()

    def _drive(self) -> tuple[Float32, bool] | None:
        config = self._config
        self._num_ticks += 1
        if self._num_ticks == 1:
            self._last = int(self._rng.integers(*config.num_correction_ticks, endpoint=True))
        if self._num_ticks > self._last and needs_help(list(self._seen)) is None:
            self._wait, self._num_ticks = None, 0
            return None
        if self._num_ticks <= config.num_hold_ticks:
            return np.zeros(3, np.float32), True
        self._noise = 0.8 * self._noise + 0.6 * self._rng.normal(0, config.noise, 3)
        seen = self._seen[0]
        above_m = seen["tip_z_m"] - seen["target_rim_m"]
        steadiness = float(np.clip((above_m - 0.003) / 0.01, 0.2, 1.0))
        steered = self._expert.correct(seen) + steadiness * self._noise
        return np.clip(steered, -1, 1).astype(np.float32), False
