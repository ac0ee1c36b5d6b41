"""The scripted expert: packs a tool from what only the simulator knows, right from any state.

    left    knob -> open wide -> [hold while the right hand is in the tray] -> close -> press -> let go
    right   tool -> lift -> [wait for the lid] -> over the slot -> down, press -> open -> out of the tray

Every phase is recognised from the current `privileged()` mapping alone. Forces that only touch can tell
are approached as by touch: slowly where contact may come, until the click, and no further.
"""

import math

from policy.schema import Float32
from robots.task import Habits, Privileged
from robots.toolbox.model import LID_M
from robots.toolbox.motion import AIMING, BACK_OFF_N, HELD_N, HandView, Pace, Vector, action_of, clip
from robots.toolbox.scene import NOMINAL_RIM_M
from robots.toolbox.truth import CLEAR_M, WIDE_RAD, in_tray, knob_m

_CARRY_M = 0.016
"""Height of a carried tool's lower side above the average rim; the highest rim is 3 mm up."""
_SLOW_M = 0.0045
"""Slow down this far above the average rim."""
_DESCEND_M = 0.0014
"""Per tick, where contact may come at any moment."""
_PRESS_M = 0.0010
"""Per tick in contact: 0.7 N more with each."""
_SEARCH_N = 1.6
"""Pressure on the rim while a tool slides towards its slot."""
_LATCHING_RAD = 0.03
"""Below this the lid meets its latch."""


class Expert:
    """Computes the next action from the privileged state; holds no state of its own."""

    def __init__(self, habits: Habits | None = None) -> None:
        habits = habits or Habits()
        self._pace = Pace.of(habits.delay_ticks, habits.speed)
        self._aim_error_m = habits.aim_error_m

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[14] in [-1, 1]."""
        return self.correct(privileged, self._aim_error_m)

    def correct(self, privileged: Privileged, aim_error_m: tuple[float, float]) -> Float32:
        """The same for a belief of one's own about where the slot is."""
        left = self._mind_lid(privileged, HandView(privileged, "left", self._pace))
        right = self._pack(privileged, HandView(privileged, "right", self._pace), aim_error_m)
        return action_of(left, right)

    def _mind_lid(self, p: Privileged, hand: HandView) -> tuple[float, ...]:
        turn = hand.level(p["tray_yaw_rad"])
        may_close = p["closes"] and p["is_seated"] and p["right_across_m"] > CLEAR_M
        if hand.force_n > BACK_OFF_N:
            return (*hand.giving_way(), *turn, 0.0)
        if may_close and p["is_latched"]:
            return (*hand.giving_way(), *turn, hand.opening() if hand.force_n < 1.0 else 0.0)
        if p["holds_knob"] and hand.grip_n < HELD_N:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, hand.squeezing()
        if not p["holds_knob"]:
            return hand.reaching(knob_m(p, p["lid_rad"]), p["tray_yaw_rad"])
        if not may_close:
            return (*self._swing(p, hand, WIDE_RAD - p["lid_rad"]), *turn, hand.squeezing())
        if p["lid_rad"] > _LATCHING_RAD:
            return (*self._swing(p, hand, -p["lid_rad"]), *turn, hand.squeezing())
        step_m = _PRESS_M if hand.force[2] > 0.6 else _DESCEND_M
        aside = hand.giving_way(0.5)
        return aside[0], aside[1], -step_m, *turn, hand.squeezing()

    def _swing(self, p: Privileged, hand: HandView, by_rad: float) -> Vector:
        """Along the knob's arc; gives way to what pulls off it."""
        turn_rad = clip(hand.pace.gain * by_rad, hand.pace.reach_m / LID_M)
        here, there = knob_m(p, p["lid_rad"]), knob_m(p, p["lid_rad"] + turn_rad)
        spoke = (0.0, -math.cos(p["lid_rad"]), math.sin(p["lid_rad"]))
        pull_n = sum(force * axis for force, axis in zip(hand.force, spoke, strict=True))
        yielding_m = clip(hand.pace.gain * pull_n / 600.0, 0.003)
        x, y, z = (b - a + yielding_m * axis for a, b, axis in zip(here, there, spoke, strict=True))
        return x + hand.giving_way()[0], y, z

    def _pack(self, p: Privileged, hand: HandView, aim_error_m: tuple[float, float]) -> tuple[float, ...]:
        level = hand.level(p["right_yaw_rad"])
        if hand.force_n > BACK_OFF_N:
            return (*hand.giving_way(), 0.0, 0.0, 0.0, 0.0)
        if p["is_seated"]:
            if p["holds_tool"]:
                return (*hand.giving_way(), 0.0, 0.0, 0.0, hand.opening())
            return (*self._leave(p, hand), *level, hand.opening())
        if (p["holds_tool"] or p["holds_other"]) and hand.grip_n < HELD_N:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, hand.squeezing()
        if p["holds_other"]:
            return self._put_down(p, hand)
        if p["holds_tool"]:
            return self._carry(p, hand, aim_error_m)
        if not p["is_open"] and self._is_above_tray(p, p["tool_x_m"], p["tool_y_m"]):
            return (*self._leave(p, hand), *level, hand.opening())
        yaw_rad = math.remainder(p["tool_yaw_rad"], math.pi)
        return hand.reaching((p["tool_x_m"], p["tool_y_m"], p["tool_z_m"]), yaw_rad)

    def _leave(self, p: Privileged, hand: HandView) -> Vector:
        """Up, then out of the tray to the right."""
        height_m = NOMINAL_RIM_M + 0.040
        if p["right_across_m"] < CLEAR_M and hand.position[2] < p["rim_m"] + 0.018:
            return 0.0, 0.0, hand.pace.reach_m
        beside = in_tray(p["tray_x_m"], p["tray_y_m"], p["tray_yaw_rad"], 0.115, 0.0)
        return hand.towards((*beside, height_m))

    def _put_down(self, p: Privileged, hand: HandView) -> tuple[float, ...]:
        """The wrong tool: beside the right one, on the table, and let go."""
        x_m = 0.155 if p["tool_x_m"] < 0.10 else 0.065
        level = hand.level(-p["other_yaw_rad"] + p["right_yaw_rad"])
        low_m = p["other_z_m"] - p["other_half_m"]
        away_m = math.hypot(p["other_x_m"] - x_m, p["other_y_m"])
        if away_m > 0.006:
            is_low = low_m < NOMINAL_RIM_M + 0.006
            across = (0.0, 0.0) if is_low else (x_m - p["other_x_m"], -p["other_y_m"])
            up = NOMINAL_RIM_M + _CARRY_M - low_m
            x, y, z = hand.position
            return (*hand.towards((x + across[0], y + across[1], z + up)), *level, hand.squeezing())
        if low_m > 0.0015:
            return 0.0, 0.0, -clip(max(0.001, 0.5 * low_m), hand.pace.reach_m), *level, hand.squeezing()
        return (*hand.giving_way(), *level, hand.opening())

    def _carry(self, p: Privileged, hand: HandView, aim_error_m: tuple[float, float]) -> tuple[float, ...]:
        """Over the slot and in; the tool is steered, not the hand."""
        x, y, z = hand.position
        must_wait = not p["is_open"] and p["right_across_m"] > CLEAR_M
        dx, dy = 0.0, 0.0
        if not must_wait:
            dx = p["slot_x_m"] + aim_error_m[0] - p["tool_x_m"]
            dy = p["slot_y_m"] + aim_error_m[1] - p["tool_y_m"]
        off_rad = math.remainder(p["tray_yaw_rad"] - p["tool_yaw_rad"], math.pi)
        turn = (hand.level(0.0)[0], -hand.pace.gain * p["tool_pitch_rad"], hand.pace.gain * off_rad)
        low_m = p["tool_z_m"] - p["tool_half_m"]
        above_m = low_m - p["rim_m"]
        away_m = math.hypot(dx, dy)
        if above_m < -0.001 and away_m < 0.006 and not must_wait:
            aside = hand.giving_way(0.6)
            step_m = _PRESS_M if hand.force[2] > 0.6 else _DESCEND_M
            return aside[0], aside[1], -step_m, 0.0, 0.0, 0.5 * turn[2], hand.squeezing()
        is_aligned = abs(off_rad) < 0.06 and abs(p["tool_pitch_rad"]) < 0.06
        if not must_wait and is_aligned and away_m < 0.003 + 0.5 * max(0.0, above_m - _SLOW_M):
            across = hand.towards((x + dx, y + dy, z), reach_m=0.0035)
            return across[0], across[1], self._descend(hand, low_m, above_m), *turn, hand.squeezing()
        up = NOMINAL_RIM_M + _CARRY_M - low_m
        if low_m < NOMINAL_RIM_M + 0.006:
            return 0.0, 0.0, clip(max(0.5 * up, 0.004), hand.pace.reach_m), *turn, hand.squeezing()
        reach_m = (AIMING if p["right_across_m"] < CLEAR_M else 1.0) * hand.pace.reach_m
        return (*hand.towards((x + dx, y + dy, z + up), reach_m=reach_m), *turn, hand.squeezing())

    def _descend(self, hand: HandView, low_m: float, above_m: float) -> float:
        if hand.force[2] > 0.6 and above_m < _SLOW_M:
            return clip(1.5 * hand.pace.gain * (hand.force[2] - _SEARCH_N) / 700.0, _PRESS_M)
        to_slow_m = low_m - (NOMINAL_RIM_M + _SLOW_M)
        return -clip(max(_DESCEND_M, 0.7 * hand.pace.gain * to_slow_m), hand.pace.reach_m)

    def _is_above_tray(self, p: Privileged, x_m: float, y_m: float) -> bool:
        return math.hypot(x_m - p["tray_x_m"], y_m - p["tray_y_m"]) < CLEAR_M
