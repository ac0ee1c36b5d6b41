"""How the scripted person drives: the task's expert, seeing late, aiming badly and with a shaking hand.

Pure: reports in, actions out. `scripted_operator.py` brings both to the gateway.
"""

import dataclasses
import math
import random
from collections import deque

from corrections.protocol import RobotState
from policy.errors import ConfigError
from robots.task import Habits, Privileged
from robots.tasks import TASKS, find

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
    """Whether somebody knows this robot's task by heart, and sees its truth."""
    return state.task_id in TASKS and bool(state.privileged)


def needs_help(state: RobotState) -> str | None:
    """Why a watching person would take over now, in words; of a robot that `can_correct`."""
    return find(state.task_id).needs_help([state.privileged])


class Corrector:
    """One takeover."""

    def __init__(
        self,
        task_id: str,
        config: QualityConfig,
        rng: random.Random,
        control_rate_hz: float,
        *,
        num_takeovers: int = 1,
    ) -> None:
        """`num_takeovers` counts those of this episode, this one included."""
        self._task = find(task_id)
        self._config = config
        self._rng = rng
        aim_error_m = (rng.gauss(0, config.aim_error_m), rng.gauss(0, config.aim_error_m))
        self._expert = self._task.expert(Habits(delay_ticks=_UNSURE_TICKS, aim_error_m=aim_error_m))
        num_late = round(config.delay_s * control_rate_hz)
        self._seen: deque[RobotState] = deque(maxlen=1 + num_late)
        self._unseen: deque[tuple[float, ...]] = deque(maxlen=_LINK_REPORTS + num_late)
        self._shake: list[float] = []
        self._num_free = 0
        self._num_to_be_free = (
            math.inf if num_takeovers >= config.finish_after else max(1.0, config.free_after_s * control_rate_hz)
        )

    @property
    def is_done(self) -> bool:
        """Whether the robot can go on by itself."""
        return self._num_free >= self._num_to_be_free

    def act(self, state: RobotState) -> tuple[float, ...]:
        """The action for a new report, float[A] in [-1, 1]."""
        self._seen.append(state)
        self._num_free = 0 if needs_help(state) else self._num_free + 1
        wanted = self._expert.act(self._expected())
        fresh = self._config.shake * math.sqrt(1 - _SHAKE_MEMORY**2)
        self._shake = [
            _SHAKE_MEMORY * error + self._rng.gauss(0, fresh) for error in self._shake or [0.0] * len(wanted)
        ]
        # A hand shakes in proportion to how far it moves, and hardly when it creeps.
        size = max(0.1, float(max(abs(wanted))))
        action = tuple(
            max(-1.0, min(1.0, float(axis) + size * error)) for axis, error in zip(wanted, self._shake, strict=True)
        )
        self._unseen.append(action)
        return action

    def _expected(self) -> Privileged:
        """What the person believes is true now: what they saw, plus what their hand has done since.

        People who act late do not act on the past; without this forward model a delay of three ticks
        swings the pressure on what is touched until it breaks.
        """
        return self._task.foresee(self._seen[0].privileged, tuple(self._unseen))
