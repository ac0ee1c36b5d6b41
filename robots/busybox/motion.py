"""How the scripted expert's hand moves: over things and not through them, gently where contact may come."""

import dataclasses
import math

import numpy as np

from policy.schema import Float32
from robots.busybox.model import STIFFNESS_N_PER_M, TWIST_N_M_PER_RAD
from robots.task import Habits, Privileged

OPEN, CLOSED = 1.0, -0.3
"""Commands of the gripper, as shares of its opening; below 0 it grips, or is shut tight."""

_AMONG_PARTS_M = 0.032
"""A tip lower than this is among the parts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionConfig:
    """How the expert moves."""

    step_m: float = 0.010
    """Motion of the command at action 1, as in the robot's configuration; so are the next two."""
    step_rad: float = 0.20
    step_opening: float = 0.25
    transit_m: float = 0.050
    """Height of the tip on the way: over everything that stands on the panel."""
    slow_m: float = 0.005
    """Slow down this far above the average cap: the highest is 4 mm up."""
    descend_step_m: float = 0.0018
    """Per tick, where contact may come at any moment."""
    press_step_m: float = 0.0010
    """Per tick in contact: 1.5 N more with each."""
    push_step_m: float = 0.0025
    """Per tick against a lever or a handle."""
    turn_step_rad: float = 0.10
    """Per tick, of a knob that is held."""
    back_off_n: float = 6.8
    """Above this it gives way, whatever the reason; parts break at 10 N."""
    back_off_n_m: float = 0.052
    """The same of the knob, which breaks at 0.06 N m."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Motion:
    """What one tick should bring: metres, radians, a share of the opening."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    twist: float = 0.0
    gripper: float = 0.0

    def action(self, config: MotionConfig) -> Float32:
        """As float32[5] in [-1, 1]."""
        steps = (config.step_m, config.step_m, config.step_m, config.step_rad, config.step_opening)
        return np.clip(np.array(dataclasses.astuple(self)) / steps, -1, 1).astype(np.float32)


class Hand:
    """The motions that all of the expert's skills share."""

    def __init__(self, habits: Habits, config: MotionConfig) -> None:
        self._habits, self._config = habits, config
        self.gain = 0.6 / (1 + 0.8 * habits.delay_ticks)
        """Share of what is missing that one tick makes up for."""
        self.calm = 1 / (1 + 0.3 * habits.delay_ticks)
        """Factor on all speeds in contact."""
        self.reach_m = config.step_m * habits.speed

    def aim(self, x: float, y: float) -> tuple[float, float]:
        """Where this person believes something to be."""
        return x + self._habits.aim_error_m[0], y + self._habits.aim_error_m[1]

    def approach(self, p: Privileged, x: float, y: float, near_m: float, opening: float) -> Motion | None:
        """Up where something may be in the way, then across; None once above `x`, `y`, within a funnel."""
        away_m = math.hypot(x - p["tip_x_m"], y - p["tip_y_m"])
        if away_m < near_m + 0.5 * max(0.0, p["tip_z_m"] - 0.030):
            if opening > 0 or p["opening"] < 0.2 or p["tip_z_m"] < _AMONG_PARTS_M:
                return None
            return dataclasses.replace(self.toward(p, x, y, 0.004), gripper=-0.5)
        lift = self.lift(self._config.transit_m - p["tip_z_m"])
        if p["tip_z_m"] < self._config.transit_m - 0.012:
            return Motion(z=lift, gripper=0.5 if p["grip_n"] > 1 else 0.0)
        # The gripper changes where nothing is between its fingers, unless that is to be dropped.
        holds_wire = p["is_wire_held"] > 0 and opening < 0
        gripper = 0.5 if holds_wire else 0.0
        if not holds_wire and (opening > 0 or away_m < 0.05):
            gripper = clip(opening - p["opening"], 0.5)
        move_x, move_y = self.limited(x - p["tip_x_m"], y - p["tip_y_m"], self.reach_m)
        return Motion(x=move_x, y=move_y, z=lift, twist=self.untwist(p), gripper=gripper)

    def descend(self, p: Privileged, x: float, y: float, nominal_m: float) -> Motion:
        """Down to something whose height is not known, and press until it clicks."""
        if p["force_z_n"] > 0.5:
            return Motion(z=-self._config.press_step_m * self.calm)
        to_slow_m = p["tip_z_m"] - (nominal_m + self._config.slow_m)
        down = max(self._config.descend_step_m * self.calm, 0.7 * self.gain * to_slow_m)
        return dataclasses.replace(self.toward(p, x, y, 0.003), z=-min(down, self.reach_m))

    def over_grasp(self, p: Privileged, x: float, y: float, grasp_m: float) -> Motion:
        """Above something to grasp, open, and down around it."""
        motion = self.approach(p, x, y, 0.004, OPEN)
        if motion is not None:
            return motion
        toward = self.toward(p, x, y, 0.004)
        if p["opening"] < 0.85:
            up = self.lift(max(0.0, grasp_m + 0.026 - p["tip_z_m"]))
            return dataclasses.replace(toward, z=up, gripper=0.5)
        return dataclasses.replace(toward, z=self.down_to(p, grasp_m), gripper=0.1)

    def rise(self) -> Motion:
        """Let go of what was pressed."""
        return Motion(z=0.0035)

    def back_off(self, p: Privileged) -> Motion:
        """Away from a handle that is where it should be: with the force, and up."""
        x, y = self.yield_sideways(p)
        return Motion(x=2 * x, y=2 * y, z=0.004 if p["force_n"] < 0.6 else 0.001)

    def give_way(self, p: Privileged) -> Motion:
        """Take the force away at once."""
        motion = self.follow(p, twist=self.relax_twist(p))
        return dataclasses.replace(motion, x=2 * motion.x, y=2 * motion.y)

    def follow(self, p: Privileged, twist: float = 0.0, gripper: float = 0.0) -> Motion:
        """Give way to what is held or leaned on, while it is turned or gripped."""
        x, y = self.yield_sideways(p)
        z = clip(self.gain * p["force_z_n"] / STIFFNESS_N_PER_M[2], 0.003)
        return Motion(x=x, y=y, z=z, twist=twist, gripper=gripper)

    def yield_sideways(self, p: Privileged) -> tuple[float, float]:
        """The move along x and y that takes the forces away."""
        x, y, _ = STIFFNESS_N_PER_M
        return clip(self.gain * p["force_x_n"] / x, 0.002), clip(self.gain * p["force_y_n"] / y, 0.002)

    def relax_twist(self, p: Privileged) -> float:
        """The twist that takes the torque away."""
        return clip(self.gain * p["torque_n_m"] / TWIST_N_M_PER_RAD, 0.1)

    def untwist(self, p: Privileged) -> float:
        """Back to the middle of the wrist's range."""
        return clip(-0.5 * p["twist_rad"], self._config.step_rad)

    def lift(self, lift_m: float) -> float:
        """Up or down in free space."""
        return clip(0.9 * self.gain * lift_m, self.reach_m)

    def down_to(self, p: Privileged, height_m: float) -> float:
        """Down to a height at which there is room."""
        return clip(self.gain * (height_m - p["tip_z_m"]), 0.7 * self.reach_m)

    def toward(self, p: Privileged, x: float, y: float, reach_m: float) -> Motion:
        """Across to a point, at most `reach_m`."""
        move_x, move_y = self.limited(x - p["tip_x_m"], y - p["tip_y_m"], reach_m)
        return Motion(x=move_x, y=move_y)

    def limited(self, dx: float, dy: float, reach_m: float) -> tuple[float, float]:
        """The vector, at most `reach_m` long, slowing down as it comes near."""
        length = math.hypot(dx, dy)
        scale = min(self.gain, reach_m / length) if length > 0 else 0.0
        return dx * scale, dy * scale


def clip(value: float, bound: float) -> float:
    """Within `bound` of zero."""
    return max(-bound, min(bound, value))
