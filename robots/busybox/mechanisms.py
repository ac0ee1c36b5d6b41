"""What happens inside a part, where no camera looks: clicks and detents, stepped with the physics.

A button, by how deep it is pressed:              A detent, by how far from its middle:

    force                                             force
      |         _.|  click_force_n                      |   .-.   strength
      |      _.-  |                                     | .'   `.
      |   _.-     |____________|  end stop            --+---------+-----  friction alone
      |  -        |            |                        |      width / 2
      +-----------+------------+--> depth
         click_depth_m     + overtravel
"""

import dataclasses
import math
from collections.abc import Sequence

from robots.busybox.layout import NOTCH_RAD, PARTS, SOCKETS, SOCKETS_M, SWING_RAD
from robots.busybox.scene import Scene
from robots.connector import ConnectorConfig, Latch

_PRELOAD = 0.2
"""Share of the click's force that it takes to move a button at all."""
_AFTER_CLICK = 0.4
"""Share of it that still pushes back after the click."""
_CLICKED_M = 0.0003
"""A button this far past its click has clicked."""
_WIDTHS = {"switches": 2 * SWING_RAD, "sliders": 0.008, "knob": NOTCH_RAD}
"""How far a detent reaches in all. A slider's is a notch: between its positions only friction holds it."""
_IN_HOLE_M = 0.0025
"""A plug within this of a socket's axis, and below its rim, is in the hole."""
_WIRE_SOCKET = ConnectorConfig(ramp_m=0.002, pull_in_n=1.0, retention_n=5.0)


@dataclasses.dataclass(kw_only=True)
class Click:
    """A button's spring; depths grow downwards."""

    depth_m: float
    """At which it clicks."""
    force_n: float
    """Which it takes."""
    has_clicked: bool = False

    def force(self, value: float) -> float:
        """Force along the joint, N, at a depth; may click."""
        if value < self.depth_m:
            return -self.force_n * (_PRELOAD + (1 - _PRELOAD) * max(0.0, value) / self.depth_m)
        self.has_clicked = self.has_clicked or value > self.depth_m + _CLICKED_M
        return -_AFTER_CLICK * self.force_n


class Detents:
    """A part that rests where its positions are: switch, slider, knob."""

    def __init__(self, positions: Sequence[float], width: float, strength: float) -> None:
        """`width` in the joint's unit is how far a detent reaches in all; `strength` is its largest force or torque."""
        self._low, self._spacing = min(positions), abs(positions[1] - positions[0])
        self._last = len(positions) - 1
        self._width, self._strength = width, strength

    def force(self, value: float) -> float:
        """Force or torque along the joint: towards the nearest position, where one reaches."""
        nearest = min(max(round((value - self._low) / self._spacing), 0), self._last)
        past = value - self._low - nearest * self._spacing
        if abs(past) > self._width / 2:
            return 0.0
        return -self._strength * math.sin(2 * math.pi * past / self._width)


def nearest_position(positions: Sequence[float], value: float) -> int:
    """Index of the position that a joint's value is at, or on its way to."""
    return min(range(len(positions)), key=lambda index: abs(positions[index] - value))


@dataclasses.dataclass(frozen=True, kw_only=True)
class WireSocket:
    """Where one of the wire's sockets is, and what latches in it."""

    x_m: float
    y_m: float
    rim_m: float
    latch_depth_m: float
    latch_force_n: float


class Box:
    """All mechanisms of one episode's box."""

    def __init__(self, scene: Scene) -> None:
        self.mechanisms: list[Click | Detents] = [_mechanism(scene, index) for index in range(len(PARTS))]
        """One per part, in the order of `PARTS`."""
        self.sockets = tuple(_socket(scene, index) for index in range(len(SOCKETS)))
        self.latches = tuple(Latch(_WIRE_SOCKET, socket) for socket in self.sockets)
        """One per socket of the wire."""

    def wire_force(self, plug_m: Sequence[float]) -> float:
        """Force of the sockets on the plug along +z, N, with its lowest point at float[3]; may latch."""
        x, y, z = plug_m
        for socket, latch in zip(self.sockets, self.latches, strict=True):
            if z < socket.rim_m and math.hypot(x - socket.x_m, y - socket.y_m) < _IN_HOLE_M:
                return latch.force(socket.rim_m - z)
        return 0.0


def _mechanism(scene: Scene, index: int) -> Click | Detents:
    part, feel = PARTS[index], scene.feel
    number = index - next(k for k, other in enumerate(PARTS) if other.module == part.module)
    if part.module == "buttons":
        return Click(depth_m=feel.click_depth_m[number], force_n=feel.click_force_n[number])
    strength = {"switches": feel.switch_n_m, "sliders": feel.slider_n, "knob": (feel.knob_n_m,)}[part.module][number]
    return Detents(part.positions, _WIDTHS[part.module], strength)


def _socket(scene: Scene, index: int) -> WireSocket:
    x, y = scene.places["wire"].point(SOCKETS_M[index])
    return WireSocket(
        x_m=x,
        y_m=y,
        rim_m=scene.feel.rim_m[index],
        latch_depth_m=scene.feel.latch_depth_m[index],
        latch_force_n=scene.feel.latch_force_n[index],
    )
