"""How the scripted person drives: the simulator's expert, seen late, aimed badly and with a shaking hand.

Pure: reports in, actions out. `scripted_operator.py` brings both to the gateway.
"""

import dataclasses
import math
import random
from collections import deque
from collections.abc import Mapping

from corrections.protocol import RobotState
from policy.errors import ConfigError
from robots.expert import Expert, ExpertConfig, needs_help
from robots.scene import STIFFNESS_N_PER_M

EXPERT_TASK = "plug_insertion"
"""The task whose privileged state the expert reads."""
_STEP_M = ExpertConfig().step_m
_CONTACT_N = 0.5
_LINK_REPORTS = 1
"""Commands under way that no report shows yet, on a link of one machine."""
_UNSURE_TICKS = 1
"""How far that number may be off: the expert moves gently enough to bear it."""
_SHAKE_MEMORY = 0.7
"""Share of the hand's error that carries over to the next report: people drift, they do not flicker."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """How good the scripted person is; worse on every count is more like a tired one."""

    reaction_min_s: float = 0.3
    """Shortest time from seeing that help is needed to reaching for the robot."""
    reaction_max_s: float = 0.6
    """Longest such time."""
    delay_s: float = 0.1
    """From seeing to moving, while driving."""
    shake: float = 0.08
    """Standard deviation of the hand's error, as a share of full motion."""
    aim_error_m: float = 0.0003
    """Standard deviation of where it believes the target is; constant over one takeover."""
    free_after_s: float = 1.0
    """Hands back when no help was needed for this long."""
    finish_after: int = 2
    """From this takeover in one episode on, it drives to the end."""

    def __post_init__(self) -> None:
        if not 0 <= self.reaction_min_s <= self.reaction_max_s:
            raise ConfigError(
                "reactions must satisfy 0 <= reaction_min_s <= reaction_max_s",
                reaction_min_s=self.reaction_min_s,
                reaction_max_s=self.reaction_max_s,
            )
        if min(self.delay_s, self.shake, self.aim_error_m, self.free_after_s) < 0 or self.finish_after < 1:
            raise ConfigError("an operator's quality cannot be negative", **dataclasses.asdict(self))


def can_correct(state: RobotState) -> bool:
    """Whether the expert knows this robot's task and sees its truth."""
    return state.task_id == EXPERT_TASK and bool(state.privileged)


class Corrector:
    """One takeover."""

    def __init__(
        self, config: QualityConfig, rng: random.Random, control_rate_hz: float, *, num_takeovers: int = 1
    ) -> None:
        """`num_takeovers` counts those of this episode, this one included."""
        self._config = config
        self._rng = rng
        self._expert = Expert(ExpertConfig(delay_ticks=_UNSURE_TICKS))
        self._aim_error_m = (rng.gauss(0, config.aim_error_m), rng.gauss(0, config.aim_error_m))
        num_late = round(config.delay_s * control_rate_hz)
        self._seen: deque[RobotState] = deque(maxlen=1 + num_late)
        self._unseen: deque[tuple[float, ...]] = deque(maxlen=_LINK_REPORTS + num_late)
        self._shake = [0.0, 0.0, 0.0]
        self._num_free = 0
        self._num_to_be_free = (
            math.inf if num_takeovers >= config.finish_after else max(1.0, config.free_after_s * control_rate_hz)
        )

    @property
    def is_done(self) -> bool:
        """Whether the robot can go on by itself."""
        return self._num_free >= self._num_to_be_free

    def act(self, state: RobotState) -> tuple[float, ...]:
        """The action for a new report, float[3] in [-1, 1]."""
        self._seen.append(state)
        self._num_free = 0 if needs_help([state.privileged]) else self._num_free + 1
        wanted = self._expert.correct(self._expected(), self._aim_error_m)
        fresh = self._config.shake * math.sqrt(1 - _SHAKE_MEMORY**2)
        self._shake = [_SHAKE_MEMORY * error + self._rng.gauss(0, fresh) for error in self._shake]
        # A hand shakes in proportion to how far it moves, and hardly when it creeps.
        size = max(0.1, float(max(abs(wanted))))
        action = tuple(
            max(-1.0, min(1.0, float(axis) + size * error)) for axis, error in zip(wanted, self._shake, strict=True)
        )
        self._unseen.append(action)
        return action

    def _expected(self) -> Mapping[str, float]:
        """What the person believes is true now: what they saw, plus what their hand has done since.

        People who act late do not act on the past; without this forward model a delay of three ticks
        swings the pressure on the connector until it breaks.
        """
        seen = dict(self._seen[0].privileged)
        moved = [sum(axis) * _STEP_M for axis in zip(*self._unseen, strict=True)] or [0.0, 0.0, 0.0]
        if seen["force_z_n"] > _CONTACT_N:
            pressed_n = -moved[2] * STIFFNESS_N_PER_M[2]
            seen["force_z_n"] += pressed_n
            seen["force_n"] = max(0.0, seen["force_n"] + pressed_n)
            moved[2] = 0.0
        for axis, by_m in zip("xyz", moved, strict=True):
            seen[f"tip_{axis}_m"] += by_m
        return seen
