"""The scripted expert: sets any part from what only the simulator knows.

    button    over it, closed -> down -> press until the click -> up
    switch    behind it, closed -> down -> sweep the lever over -> back
    slider    behind it, closed -> down -> push to the position -> back
    knob      over it, open -> down -> close -> turn to the position -> open
    wire      over its plug, open -> down -> close -> lift -> over the socket -> press until the click -> open

Every phase is recognised from the current `privileged()` mapping alone, so the expert can take over at any
moment: at the wrong part, half way, pressing too hard, the wire dropped. Near contact it moves slowly and keeps
the force well below what breaks, so that a delay of a few ticks between seeing and acting does no harm. How high
a cap or a rim is and how deep a click, it finds out as a robot would: by going slowly and feeling.
"""

import dataclasses
import math

from policy.schema import Float32
from robots.busybox.layout import MODULES
from robots.busybox.model import GRASP_M
from robots.busybox.motion import CLOSED, Hand, Motion, MotionConfig, clip
from robots.busybox.scene import NOMINAL_CAP_M, NOMINAL_RIM_M
from robots.task import Habits, Privileged

_LEVER_TIP_M = 0.023
"""Heights of the fingers' tips: where they meet a lever, a slider's handle, and the knob."""
_SLIDER_TIP_M = 0.012
_KNOB_TIP_M = 0.010
_BEHIND_M = 0.015
"""Behind a handle, with a little room, stands a closed gripper whose middle is this far away."""
_HELD_N = 2.0
"""Fingers that press this hard turn the knob along."""
_MAX_TWIST_RAD = 2.25
"""The wrist turns this far to either side."""
_TOO_LOW_M = 0.005
"""Fingers that hold the plug this much too low let go of it."""
_OFF_AXIS_M = 0.0025
"""A plug that is no further from a socket's axis goes in."""


class Expert:
    """Computes the next action from the privileged state; holds no state of its own."""

    def __init__(self, habits: Habits | None = None, config: MotionConfig | None = None) -> None:
        self._config = config or MotionConfig()
        self._hand = Hand(habits or Habits(), self._config)
        self._skills = (self._press_button, self._flip_switch, self._push_slider, self._turn_knob, self._plug_wire)

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[5] in [-1, 1]."""
        p, config = privileged, self._config
        if p["force_n"] > config.back_off_n or abs(p["torque_n_m"]) > config.back_off_n_m:
            return self._hand.give_way(p).action(config)
        skill = self._skills[min(max(round(p["module"]), 0), len(MODULES) - 1)]
        return skill(p).action(config)

    def _press_button(self, p: Privileged) -> Motion:
        if p["is_reached"]:
            return self._hand.rise()
        x, y = self._hand.aim(p["part_x_m"], p["part_y_m"])
        return self._hand.approach(p, x, y, 0.004, CLOSED) or self._hand.descend(p, x, y, NOMINAL_CAP_M)

    def _flip_switch(self, p: Privileged) -> Motion:
        return self._push(p, _LEVER_TIP_M)

    def _push_slider(self, p: Privileged) -> Motion:
        return self._push(p, _SLIDER_TIP_M)

    def _push(self, p: Privileged, height_m: float) -> Motion:
        """Get behind a handle and push it along its axis."""
        hand = self._hand
        if p["is_reached"]:
            return hand.back_off(p)
        side = math.copysign(1.0, p["to_go"])
        ux, uy = side * p["axis_x"], side * p["axis_y"]
        part_x, part_y = hand.aim(p["part_x_m"], p["part_y_m"])
        dx, dy = part_x - p["tip_x_m"], part_y - p["tip_y_m"]
        ahead_m, beside_m = dx * ux + dy * uy, dx * -uy + dy * ux
        if p["tip_z_m"] < height_m + 0.006 and ahead_m > 0.004 and abs(beside_m) < 0.006:
            reach = self._config.push_step_m * hand.calm if ahead_m < _BEHIND_M else 0.006
            across = clip(hand.gain * beside_m, 0.002)
            down = clip(hand.gain * (height_m - p["tip_z_m"]), 0.004)
            return Motion(x=reach * ux - across * uy, y=reach * uy + across * ux, z=down)
        x, y = part_x - (_BEHIND_M + 0.004) * ux, part_y - (_BEHIND_M + 0.004) * uy
        down = hand.down_to(p, height_m)
        return hand.approach(p, x, y, 0.005, CLOSED) or dataclasses.replace(hand.toward(p, x, y, 0.004), z=down)

    def _turn_knob(self, p: Privileged) -> Motion:
        hand = self._hand
        x, y = hand.aim(p["part_x_m"], p["part_y_m"])
        at_knob = math.hypot(x - p["tip_x_m"], y - p["tip_y_m"]) < 0.008 and p["tip_z_m"] < _KNOB_TIP_M + 0.008
        if p["is_reached"]:
            return hand.follow(p, twist=hand.relax_twist(p), gripper=0.5) if at_knob else hand.rise()
        if abs(p["twist_rad"] + p["to_go"]) > _MAX_TWIST_RAD:
            return self._unwind(p)
        if at_knob and p["grip_n"] > _HELD_N:
            turn = min(hand.gain * abs(p["to_go"]), self._config.turn_step_rad * hand.calm)
            return hand.follow(p, twist=math.copysign(max(turn, 0.04), p["to_go"]))
        if at_knob:
            return hand.follow(p, gripper=-0.25)
        return hand.over_grasp(p, x, y, _KNOB_TIP_M)

    def _unwind(self, p: Privileged) -> Motion:
        """Let go, up, and turn back: the wrist cannot turn as far as the knob still has to."""
        if p["grip_n"] > 1 or (p["opening"] < 0.85 and p["tip_z_m"] < 0.030):
            return Motion(gripper=0.5)
        return Motion(z=self._hand.lift(0.045 - p["tip_z_m"]), twist=self._hand.untwist(p), gripper=0.5)

    def _plug_wire(self, p: Privileged) -> Motion:
        if p["is_reached"]:
            return Motion(gripper=0.25) if p["opening"] < 0.9 else self._hand.rise()
        if p["is_wire_held"] and p["tip_z_m"] - p["wire_z_m"] < GRASP_M - _TOO_LOW_M:
            return Motion(gripper=0.5)  # the fingers would reach the socket's rim before the plug its click
        if p["is_wire_held"]:
            return self._carry(p)
        x, y = self._hand.aim(p["wire_x_m"], p["wire_y_m"])
        grasp_m = p["wire_z_m"] + GRASP_M
        if math.hypot(x - p["tip_x_m"], y - p["tip_y_m"]) < 0.006 and abs(p["tip_z_m"] - grasp_m) < 0.005:
            return self._hand.follow(p, gripper=-0.25)
        return self._hand.over_grasp(p, x, y, grasp_m)

    def _carry(self, p: Privileged) -> Motion:
        """Bring the held plug to its socket and press it in."""
        hand = self._hand
        off_axis_m = math.hypot(p["socket_x_m"] - p["wire_x_m"], p["socket_y_m"] - p["wire_y_m"])
        if p["wire_z_m"] < p["socket_rim_m"] - 0.001 and off_axis_m < _OFF_AXIS_M:
            return self._press_in(p, 0.0, 0.0)
        x, y = hand.aim(p["socket_x_m"], p["socket_y_m"])
        dx, dy = x - p["wire_x_m"], y - p["wire_y_m"]
        above_m = p["wire_z_m"] - NOMINAL_RIM_M
        if math.hypot(dx, dy) < _OFF_AXIS_M + 0.5 * max(0.0, above_m - 0.003):
            return self._press_in(p, dx, dy)
        move_x, move_y = hand.limited(dx, dy, hand.reach_m) if above_m > 0.003 else (0.0, 0.0)
        return Motion(x=move_x, y=move_y, z=hand.lift(0.008 - above_m), gripper=-0.1)

    def _press_in(self, p: Privileged, dx: float, dy: float) -> Motion:
        """Down, slowly, giving way to the socket's walls."""
        x, y = self._hand.limited(dx, dy, 0.002)
        side_x, side_y = self._hand.yield_sideways(p)
        step = self._config.press_step_m if p["force_z_n"] > 0.8 else self._config.descend_step_m
        return Motion(x=x + side_x, y=y + side_y, z=-step * self._hand.calm, gripper=-0.1)
