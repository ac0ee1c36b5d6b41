"""A person at the touchline, as a study models them: sees late, reacts late, moves with noise, errs.

The live system's scripted operator goes through the gateway; this is the same person without the sockets.
They take over some ticks after the task's `needs_help`, the robot holds meanwhile, they steer by an old
view, and they hand back when the robot is back on its way or the episode ends.
"""

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from policy.schema import Float32
from policy.spec import EmbodimentSpec
from robots.task import Habits, Privileged, Task

_NOISE_MEMORY = 0.8
"""Share of the hand's error that carries over to the next tick."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PersonConfig:
    """How good, and how available, the person is; the defaults are a fast expert."""

    attention: float = 1.0
    """Share of episodes that are watched at all."""
    reaction_ticks: tuple[int, int] = (3, 8)
    """Ticks from a reason to help to the takeover, uniform; the policy goes on meanwhile."""
    num_hold_ticks: int = 2
    """Ticks the robot holds still between takeover and the first command."""
    delay_ticks: int = 2
    """Age of what the person sees when they steer."""
    noise: float = 0.1
    """Standard deviation of the slow noise on their command in free space; less near contact."""
    speed: float = 0.8
    """Factor on the expert's speed in free space."""
    num_correction_ticks: tuple[int, int] = (30, 60)
    """Ticks after which they hand back unless help is still needed, uniform."""
    mistaken_share: float = 0.0
    """Share of takeovers in which they aim beside the target all the time."""
    mistake_m: float = 0.010
    """How far beside it, in a direction drawn for the takeover."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From JSON, where a range is a list.

        Raises:
            TypeError: no such field.
        """
        known: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in fields.items()}
        return cls(**known)


class Person:
    """Watches one episode."""

    def __init__(self, config: PersonConfig, task: Task, spec: EmbodimentSpec, seed: int) -> None:
        self._config, self._task, self._spec = config, task, spec
        self._rng = np.random.default_rng((seed, 11))
        self._is_watching = self._rng.random() < config.attention
        self._seen: collections.deque[Privileged] = collections.deque(maxlen=config.delay_ticks + 1)
        self._wait: int | None = None
        self._num_ticks = 0
        self._noise = np.zeros(len(spec.action))

    def command(self, privileged: Privileged) -> tuple[Float32, bool] | None:
        """None while the policy drives; (action, whether the robot is only held) while they do."""
        self._seen.append(privileged)
        if not self._is_watching:
            return None
        if self._wait is None:
            if self._task.needs_help(list(self._seen)) is None:
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
            self._take_over()
        if self._num_ticks > self._last and self._task.needs_help(list(self._seen)) is None:
            self._wait, self._num_ticks = None, 0
            return None
        if self._num_ticks <= config.num_hold_ticks:
            return np.zeros(len(self._spec.action), np.float32), True
        fresh = self._rng.normal(0, config.noise, len(self._noise))
        self._noise = _NOISE_MEMORY * self._noise + np.sqrt(1 - _NOISE_MEMORY**2) * fresh
        seen = self._seen[0]
        steered = self._expert.act(seen) + self._task.steadiness(seen) * self._noise
        return np.clip(steered, self._spec.action_low, self._spec.action_high).astype(np.float32), False

    def _take_over(self) -> None:
        config = self._config
        self._last = int(self._rng.integers(*config.num_correction_ticks, endpoint=True))
        aim_error_m = (0.0, 0.0)
        if self._rng.random() < config.mistaken_share:
            angle = self._rng.uniform(0, 2 * np.pi)
            aim_error_m = (config.mistake_m * float(np.cos(angle)), config.mistake_m * float(np.sin(angle)))
        habits = Habits(delay_ticks=config.delay_ticks, speed=config.speed, aim_error_m=aim_error_m)
        self._expert = self._task.expert(habits)
