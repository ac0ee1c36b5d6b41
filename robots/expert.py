"""The scripted expert: inserts a plug from what only the simulator knows.

    transit -> descend -> [search on the rim] -> press until the click -> let go

Every phase is recognised from the current `privileged()` mapping alone, so the expert can take over
at any moment - stuck, over the wrong socket, pressing too hard - and a delay of a few ticks between
seeing and acting does no harm: near contact it moves slowly and keeps the force well below what
breaks. It uses the rim's true height only where a robot could feel or see it too: it slows down
where the rim *could* be, and presses until the click comes, however deep that is.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from policy.schema import Float32
from robots.scene import NOMINAL_RIM_M, STIFFNESS_N_PER_M
from robots.task import Privileged


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExpertConfig:
    """How the expert moves."""

    step_m: float = 0.008
    """Motion of the command at action 1; as in the robot's configuration."""
    step_rad: float = 0.1
    """The same of its turn."""
    aligned_rad: float = 0.03
    """A plug that is turned this well goes down."""
    speed: float = 1.0
    """Factor on the speed in free space."""
    delay_ticks: int = 0
    """Ticks between seeing and acting; the longer, the gentler, or it would oscillate."""
    transit_m: float = 0.038
    """Height of the tip above the table on the way to a socket."""
    slow_m: float = 0.0055
    """Slow down this far above the average rim: the highest rim is 4 mm up."""
    descend_step_m: float = 0.0012
    """Per tick, where contact may come at any moment."""
    press_step_m: float = 0.0010
    """Per tick in contact: 0.7 N more with each."""
    search_force_n: float = 1.6
    """Pressure on the rim while sliding towards the hole."""
    back_off_n: float = 8.5
    """Above this it gives way, whatever the reason; connectors break at 11 N."""


class Expert:
    """Computes the next action from the privileged state; holds no state of its own."""

    def __init__(self, config: ExpertConfig | None = None) -> None:
        self._config = config or ExpertConfig()
        self._gain = 0.6 / (1 + 0.8 * self._config.delay_ticks)

    def correct(self, privileged: Privileged, aim_error_m: tuple[float, float] = (0.0, 0.0)) -> Float32:
        """The next action, float32[A] in [-1, 1]; `aim_error_m` shifts where it believes the hole is."""
        p, config = privileged, self._config
        dx = p["target_x_m"] + aim_error_m[0] - p["tip_x_m"]
        dy = p["target_y_m"] + aim_error_m[1] - p["tip_y_m"]
        away_m = math.hypot(dx, dy)
        above_m = p["tip_z_m"] - p["target_rim_m"]
        in_hole = above_m < -0.0005 and _offset(p) < 0.0015
        if p["is_latched"]:
            move = (*self._yield_to(p), self._relax(p))
        elif p["force_n"] > config.back_off_n:
            move = (*self._yield_to(p), 0.002)
        elif in_hole:
            move = (*self._yield_to(p), self._press(p))
        elif away_m > self._funnel(above_m) or abs(_to_turn(p)) > self._misfit(above_m):
            move = self._transit(p, dx, dy)
        else:
            move = (*self._limited(dx, dy, 0.0035), self._descend(p, above_m))
        turn = [self._gain * _to_turn(p) / config.step_rad] if "yaw_rad" in p else []
        return np.clip([*(axis / config.step_m for axis in move), *turn], -1, 1).astype(np.float32)

    def _funnel(self, above_m: float) -> float:
        """How far off the axis the tip may be to go down: wide high up, narrow at the rim."""
        return 0.003 + 0.6 * max(0.0, above_m - self._config.slow_m)

    def _misfit(self, above_m: float) -> float:
        """How much the plug may be turned off to go down: anyhow high up, hardly at the rim."""
        return self._config.aligned_rad + 20 * max(0.0, above_m - self._config.slow_m)

    def _transit(self, p: Privileged, dx: float, dy: float) -> tuple[float, float, float]:
        """Up first where something may be in the way, then across."""
        config = self._config
        lift = config.transit_m - p["tip_z_m"]
        reach = config.step_m * config.speed
        low = p["tip_z_m"] < NOMINAL_RIM_M + config.slow_m + 0.001
        if low:
            return 0.0, 0.0, 0.5 * reach
        return (*self._limited(dx, dy, reach), _clip(0.9 * self._gain * lift, reach))

    def _descend(self, p: Privileged, above_m: float) -> float:
        config = self._config
        to_slow_m = p["tip_z_m"] - (NOMINAL_RIM_M + config.slow_m)
        if p["force_z_n"] > 0.5 or abs(above_m) < 0.0005:
            # On the rim: hold the pressure that lets the tip slide in.
            excess_m = (p["force_z_n"] - config.search_force_n) / STIFFNESS_N_PER_M[2]
            return _clip(1.5 * self._gain * excess_m, config.press_step_m)
        if to_slow_m > 0:
            return -_clip(max(config.descend_step_m, 0.7 * self._gain * to_slow_m), config.step_m * config.speed)
        return -config.descend_step_m

    def _press(self, p: Privileged) -> float:
        config = self._config
        return -(config.press_step_m if p["force_z_n"] > 0.6 else config.descend_step_m)

    def _relax(self, p: Privileged) -> float:
        return _clip(self._gain * (p["force_z_n"] - 0.5) / STIFFNESS_N_PER_M[2], 0.002)

    def _yield_to(self, p: Privileged) -> tuple[float, float]:
        """Follow the walls: the move that takes the side forces away."""
        x, y, _ = STIFFNESS_N_PER_M
        return (
            _clip(self._gain * p["force_x_n"] / x, 0.001),
            _clip(self._gain * p["force_y_n"] / y, 0.001),
        )

    def _limited(self, dx: float, dy: float, reach_m: float) -> tuple[float, float]:
        """The vector, at most `reach_m` long, slowing down as it comes near."""
        length = math.hypot(dx, dy)
        scale = min(self._gain, reach_m / length) if length > 0 else 0.0
        return dx * scale, dy * scale


def _offset(p: Privileged) -> float:
    return math.hypot(p["target_x_m"] - p["tip_x_m"], p["target_y_m"] - p["tip_y_m"])


def _to_turn(p: Privileged) -> float:
    """What is missing to how the socket stands, rad; 0 for a plug that does not turn."""
    return p.get("target_yaw_rad", 0.0) - p.get("yaw_rad", 0.0)


def _clip(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))


def steadiness(privileged: Privileged) -> float:
    """How freely a hand may waver, in (0, 1]: fully from 13 mm above the rim on, a fifth near contact."""
    above_m = privileged["tip_z_m"] - privileged["target_rim_m"]
    return float(np.clip((above_m - 0.003) / 0.01, 0.2, 1.0))


def needs_help(history: Sequence[Privileged]) -> str | None:
    """Why a watching person would take over now, in words; `history` has the latest state last."""
    now = history[-1]
    in_hole = now["tip_z_m"] < now["target_rim_m"] - 0.002 and _offset(now) < 0.0015
    # The latch asks for up to 7 N; a rim, and a plug that has clicked, for much less.
    bearable_n = 5.5 if now["is_latched"] else 7.4 if in_hole else 4.5
    if now["force_n"] > bearable_n:
        return f"pressing with {now['force_n']:.1f} N"
    other_m = math.hypot(now["other_x_m"] - now["tip_x_m"], now["other_y_m"] - now["tip_y_m"])
    if other_m < 0.012 and now["tip_z_m"] < now["other_rim_m"] + 0.008:
        return "at the wrong socket"
    if now["num_idle_ticks"] >= 36:
        return "no progress for 1.8 s"
    return None
