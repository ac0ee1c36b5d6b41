"""What only a simulator knows of the box, once a tick: read by the judge and by scripted people."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robots.busybox.layout import MODULES, PARTS
from robots.busybox.mechanisms import Box, Click, nearest_position
from robots.busybox.model import GRASP_M
from robots.busybox.scene import Scene

_REACHED = {"switches": 0.15, "sliders": 0.0025, "knob": 0.12}
"""How near a position a part is in it: radians, metres, radians."""
_LEVER_M = 0.024
"""From a switch's hinge to where its lever is seen."""
_HELD_N = 1.5
"""Fingers that press harder on both sides hold what is between them."""
_METRES_PER_UNIT = {"switches": 0.05, "sliders": 1.0, "knob": 0.02}
"""To add what a part still has to turn to what the gripper still has to travel."""

Array = NDArray[np.float64]


class Truth:
    """The latest state of one episode."""

    def __init__(self, scene: Scene, box: Box) -> None:
        self._scene, self._box, self._goal = scene, box, scene.goal
        self._least_to_go_m = math.inf
        self.num_idle = 0
        """Ticks since the gripper or the part last came nearer to the goal."""
        self.shown_position = scene.positions[-1]
        """Of the knob, on the display: it changes when the knob is let go."""

    def update(self, pose: Array, felt: Array, values: Sequence[float], plug_m: Array) -> None:
        """Take over float64[5] pose, float64[9] forces, the parts' joint values and the plug's place."""
        self.pose, self.values, self.plug_m = pose, values, plug_m.copy()
        cos, sin = math.cos(pose[3]), math.sin(pose[3])
        x, y, z = (felt[:3] + felt[3:6]).tolist()
        self.force_n = (cos * x - sin * y, sin * x + cos * y, z)
        """On the gripper, in the world's frame."""
        self.torque_n_m = float(felt[8])
        self.grip_n = max(0.0, min(-float(felt[0]), float(felt[3])))
        """On what is between the fingers."""
        if self.grip_n < _HELD_N:
            self.shown_position = nearest_position(PARTS[-1].positions, values[-1])
        self._track_progress()

    @property
    def pressed_n(self) -> float:
        """Size of the force on the gripper."""
        return math.hypot(*self.force_n)

    @property
    def is_reached(self) -> bool:
        """Whether the goal's part is, or was, where the instruction wants it."""
        goal = self._goal
        if goal.module == "wire":
            return self._box.latches[goal.part].is_latched
        mechanism = self._box.mechanisms[goal.part]
        if isinstance(mechanism, Click):
            return mechanism.has_clicked
        return abs(self._to_go()) < _REACHED[goal.module]

    @property
    def is_wire_held(self) -> bool:
        """Whether the plug is between the fingers."""
        x, y, z = (self.pose[:3] - self.plug_m).tolist()
        return self.grip_n > _HELD_N and math.hypot(x, y) < 0.010 and abs(z - GRASP_M) < 0.014

    def handle_m(self, index: int) -> tuple[float, float]:
        """Where the handle of a part is now."""
        part = PARTS[index]
        place = self._scene.places[part.module]
        value = self.values[index]
        along = _LEVER_M * math.sin(value) if part.module == "switches" else value
        x, y = part.place_m
        return place.point((x + along * part.direction[0], y + along * part.direction[1]))

    def privileged(self) -> dict[str, float]:
        """See `Robot.privileged`; metres, radians, newtons.

        `part_*` is what the gripper has to reach, `axis_*` the way its handle moves, `to_go` how far, in the
        joint's unit; `other_*` is the way to what the goal is not about.
        """
        goal = self._goal
        x, y, z, twist, opening = self.pose.tolist()
        is_wire = goal.module == "wire"
        part_x, part_y = self._goal_handle_m()
        axis = (0.0, 0.0) if is_wire else self._scene.places[goal.module].direction(PARTS[goal.part].direction)
        socket, other = self._box.sockets[:: -1 if is_wire and goal.part else 1]
        truth: dict[str, Any] = {
            "module": MODULES.index(goal.module),
            "tip_x_m": x,
            "tip_y_m": y,
            "tip_z_m": z,
            "twist_rad": twist,
            "opening": opening,
            "force_x_n": self.force_n[0],
            "force_y_n": self.force_n[1],
            "force_z_n": self.force_n[2],
            "force_n": self.pressed_n,
            "torque_n_m": self.torque_n_m,
            "grip_n": self.grip_n,
            "part_x_m": part_x,
            "part_y_m": part_y,
            "axis_x": axis[0],
            "axis_y": axis[1],
            "to_go": 0.0 if is_wire or goal.module == "buttons" else self._to_go(),
            "is_reached": self.is_reached,
            "wire_x_m": self.plug_m[0],
            "wire_y_m": self.plug_m[1],
            "wire_z_m": self.plug_m[2],
            "is_wire_held": self.is_wire_held,
            "socket_x_m": socket.x_m,
            "socket_y_m": socket.y_m,
            "socket_rim_m": socket.rim_m,
            "other_m": self._other_m(),
            "other_socket_m": math.hypot(self.plug_m[0] - other.x_m, self.plug_m[1] - other.y_m),
            "num_idle_ticks": self.num_idle,
        }
        return {name: float(value) for name, value in truth.items()}

    def _to_go(self) -> float:
        """What the goal's part still has to move, in its joint's unit."""
        return PARTS[self._goal.part].positions[self._goal.position] - self.values[self._goal.part]

    def _goal_handle_m(self) -> tuple[float, float]:
        if self._goal.module == "wire":
            return float(self.plug_m[0]), float(self.plug_m[1])
        return self.handle_m(self._goal.part)

    def _other_m(self) -> float:
        """From the gripper to the nearest handle that the goal is not about, seen from above."""
        x, y = self.pose[0], self.pose[1]
        is_wire = self._goal.module == "wire"
        others = [self.handle_m(index) for index in range(len(PARTS)) if is_wire or index != self._goal.part]
        if not is_wire:
            others.append((float(self.plug_m[0]), float(self.plug_m[1])))
        return min(math.hypot(x - other_x, y - other_y) for other_x, other_y in others)

    def _track_progress(self) -> None:
        x, y, z = self.pose[:3].tolist()
        part_x, part_y = self._goal_handle_m()
        to_go_m = math.hypot(x - part_x, y - part_y) + max(0.0, z - 0.005)
        if self._goal.module == "wire":
            socket = self._box.sockets[self._goal.part]
            to_go_m = math.hypot(x - part_x, y - part_y) if not self.is_wire_held else 0.0
            lifted_m = max(0.0, socket.rim_m + 0.004 - self.plug_m[2])
            away_m = math.hypot(part_x - socket.x_m, part_y - socket.y_m)
            to_go_m += away_m + (lifted_m if away_m > 0.003 else self.plug_m[2] - socket.rim_m)
        elif self._goal.module != "buttons":
            to_go_m += 3 * _METRES_PER_UNIT[self._goal.module] * abs(self._to_go())
        if to_go_m < self._least_to_go_m - 0.001:
            self._least_to_go_m, self.num_idle = to_go_m, 0
        else:
            self.num_idle += 1
