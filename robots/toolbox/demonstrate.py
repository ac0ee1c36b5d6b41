"""Noisy demonstrations of toolbox packing: the expert with human faults, each drawn per episode.

Speed, wavering hands, a wrong first idea of where knob and tool are (seen when near), and of where the
slot is (found out on the rim, then corrected): what a policy has to see to recover by itself.
"""

import dataclasses
import math

import numpy as np

from policy.schema import Float32
from robots.task import Habits, Privileged
from robots.toolbox.expert import Expert
from robots.toolbox.help import left_steadiness, right_steadiness

_NEAR_KNOB_M = 0.066
"""Height above the rim at which a hand sees where the knob is; some 30 mm above it."""
_NEAR_TOOL_M = 0.045
"""Height above the table at which a hand sees where a tool is; above where it gets ready for it."""
_STEADY = [3, 4, 5, 6, 10, 11, 12, 13]
"""Turns and fingers waver less."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemonstratorConfig:
    """How far a demonstrator is from perfect; all zero gives the expert."""

    waver: float = 0.15
    """Standard deviation of slow noise on the action in free space; a seventh of it near contact."""
    aim_error_m: float = 0.0022
    """Standard deviation per axis of the first idea of where the slot is."""
    first_look_m: float = 0.010
    """Likewise of where knob and tool are, until a hand is near."""
    slowest: float = 0.75
    """Speeds are drawn between this factor and 1."""


class Demonstrator:
    """Drives one episode; make one per episode."""

    def __init__(self, seed: int, config: DemonstratorConfig | None = None) -> None:
        config = config or DemonstratorConfig()
        self._rng = np.random.default_rng((seed, 7))
        self._waver = config.waver * self._rng.uniform(0.3, 1.0)
        self._noise = np.zeros(14)
        x, y = self._rng.normal(0, config.aim_error_m, 2)
        self._aim_error_m = (float(x), float(y))
        self._first_look_m = self._rng.normal(0, config.first_look_m, (2, 2))
        self._patience = int(self._rng.integers(0, 3))
        self._expert = Expert(Habits(speed=float(self._rng.uniform(config.slowest, 1.0))))

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[14] in [-1, 1]."""
        p = privileged
        above_m = p["tool_z_m"] - p["tool_half_m"] - p["rim_m"]
        if p["holds_tool"] and p["right_force_z_n"] > 1 and abs(above_m) < 0.003:
            self._patience -= 1
        if self._patience <= 0 or above_m < -0.001:
            # The rim was felt: the search begins, and soon ends.
            self._aim_error_m = (0.7 * self._aim_error_m[0], 0.7 * self._aim_error_m[1])
        scale = self._waver * np.repeat([left_steadiness(p), right_steadiness(p)], 7)
        scale[_STEADY] *= 0.3
        self._noise = 0.8 * self._noise + math.sqrt(1 - 0.8**2) * self._rng.normal(0, 1, 14)
        action = self._expert.correct(self._look(p), self._aim_error_m) + scale * self._noise
        return np.clip(action, -1, 1).astype(np.float32)

    def _look(self, p: Privileged) -> Privileged:
        """What is believed of where knob and tool are: the first idea, until a hand is near."""
        if p["left_z_m"] < p["rim_m"] + _NEAR_KNOB_M or p["holds_knob"]:
            self._first_look_m[0] = 0
        if p["right_z_m"] < _NEAR_TOOL_M or p["holds_tool"]:
            self._first_look_m[1] = 0
        (left_x, left_y), (tool_x, tool_y) = self._first_look_m.tolist()
        return {
            **p,
            "left_x_m": p["left_x_m"] - left_x,
            "left_y_m": p["left_y_m"] - left_y,
            "tool_x_m": p["tool_x_m"] + tool_x,
            "tool_y_m": p["tool_y_m"] + tool_y,
        }
