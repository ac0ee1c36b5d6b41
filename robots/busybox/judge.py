"""When an episode of BusyBox is over: done and let go, broken, or the wrong part moved."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policy.schema import Outcome
from robots.busybox.layout import PARTS, SOCKETS
from robots.busybox.mechanisms import Box, Click, nearest_position
from robots.busybox.scene import Scene
from robots.busybox.truth import Truth
from robots.robot import TaskStatus

_SINGULAR = {"buttons": "button", "switches": "switch", "sliders": "slider", "knob": "knob"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """What the box bears, and what counts as let go."""

    break_n: float = 10.0
    """A larger force on the gripper, in any direction, breaks what it works at."""
    break_n_m: float = 0.06
    """A larger torque breaks the knob."""
    near_m: float = 0.030
    """A part within this of the gripper is what broke; else it was the panel."""
    relaxed_n: float = 1.0
    """With less force on the gripper, and between its fingers, the part counts as let go."""
    relaxed_ticks: int = 3
    """Control ticks for which it has to be let go."""
    released_m: float = 0.001
    """A button that is pressed less than this has come back."""


class Judge:
    """Judges one episode."""

    def __init__(self, config: JudgeConfig, scene: Scene, box: Box) -> None:
        self._config, self._scene, self._box = config, scene, box
        self._num_relaxed = 0
        self._is_broken = self._is_overturned = False

    def feel(self, felt: NDArray[np.float64]) -> None:
        """Look at the forces, float64[9], within a tick."""
        left_x, left_y, left_z, right_x, right_y, right_z, _, _, torque = felt.tolist()
        x, y, z = left_x + right_x, left_y + right_y, left_z + right_z
        self._is_broken = self._is_broken or x * x + y * y + z * z > self._config.break_n**2
        self._is_overturned = self._is_overturned or abs(torque) > self._config.break_n_m

    def judge(self, truth: Truth, num_steps: int, max_steps: int) -> TaskStatus:
        """What is known after a tick."""
        reason = self._broken(truth) or self._wrong(truth)
        if reason:
            return TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason=reason)
        self._num_relaxed = self._num_relaxed + 1 if truth.is_reached and self._is_let_go(truth) else 0
        if self._num_relaxed >= self._config.relaxed_ticks:
            return TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)
        if num_steps >= max_steps:
            return TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time")
        return TaskStatus()

    def _is_let_go(self, truth: Truth) -> bool:
        goal, config = self._scene.goal, self._config
        if goal.module == "buttons" and truth.values[goal.part] > config.released_m:
            return False
        return truth.pressed_n < config.relaxed_n and truth.grip_n < config.relaxed_n

    def _broken(self, truth: Truth) -> str:
        """What broke, in words; empty if nothing did."""
        name, away_m = self._nearest(truth)
        overturned = self._is_overturned and name == "knob"
        self._is_overturned = False
        if not (self._is_broken or overturned):
            return ""
        return f"broken {name if away_m < self._config.near_m else 'panel'}"

    def _nearest(self, truth: Truth) -> tuple[str, float]:
        """The kind of part that is nearest to the gripper, and how far away it is."""
        places = [(_SINGULAR[part.module], *truth.handle_m(index)) for index, part in enumerate(PARTS)]
        places += [("socket", socket.x_m, socket.y_m) for socket in self._box.sockets]
        places.append(("wire", float(truth.plug_m[0]), float(truth.plug_m[1])))
        if truth.is_wire_held:
            places = [place for place in places if place[0] == "socket"]
        x, y = truth.pose[0], truth.pose[1]
        return min(((name, math.hypot(x - px, y - py)) for name, px, py in places), key=lambda near: near[1])

    def _wrong(self, truth: Truth) -> str:
        """Which part was moved that should not have been, in words; empty if none was."""
        goal = self._scene.goal
        is_wire = goal.module == "wire"
        moved = [
            part.name
            for index, part in enumerate(PARTS)
            if (is_wire or index != goal.part) and self._has_moved(index, truth.values)
        ]
        moved += [
            f"{colour} socket"
            for index, (colour, latch) in enumerate(zip(SOCKETS, self._box.latches, strict=True))
            if latch.is_latched and not (is_wire and index == goal.part)
        ]
        return f"wrong part: {moved[0]}" if moved else ""

    def _has_moved(self, index: int, values: Sequence[float]) -> bool:
        mechanism = self._box.mechanisms[index]
        if isinstance(mechanism, Click):
            return mechanism.has_clicked
        return nearest_position(PARTS[index].positions, values[index]) != self._scene.positions[index]
