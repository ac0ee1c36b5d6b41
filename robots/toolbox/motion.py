"""How a scripted hand moves: the elements of which both hands' plans are made.

A move is float[7] in metres and radians: position, turns, opening. Everything is computed from the present
alone, with gains that fall with the delay between seeing and acting.
"""

import dataclasses
import math

import numpy as np

from policy.schema import Float32
from robots.task import Privileged
from robots.toolbox.hands import HandConfig
from robots.toolbox.model import FINGER_STIFFNESS_N_PER_M, MOVE_STIFFNESS_N_PER_M

OPEN_M = 0.0115
"""Each finger, before a handle is between them."""
GRIP_N = 4.0
"""Of each finger; 1.2 N hold, 8 N crush."""
BACK_OFF_N = 8.5
"""Above this a hand gives way, whatever the reason."""
HELD_N = 2.2
"""Below this a grip is made firm before anything is moved."""
_FIRM_N = (0.6, 3.5)
"""Between these the fingers have met a handle and are about to hold it; above, it is not one."""
_TOUCH_N = 0.3
_HOVER_M = 0.028
"""Above a handle, to get ready for it."""
AIMING = 0.4
"""Of the speed in free space, on the way to a handle and over the tray: time to look again."""
_HAND = HandConfig()
_STEPS = np.array([_HAND.step_m] * 3 + [_HAND.step_rad] * 3 + [_HAND.step_opening_m])

Vector = tuple[float, float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a person's hands are."""

    gain: float
    """Share of an error that is corrected in one tick."""
    reach_m: float
    """Longest way in free space per tick."""

    @classmethod
    def of(cls, delay_ticks: int, speed: float) -> "Pace":
        """The longer the delay the gentler, or it would oscillate."""
        return cls(gain=0.6 / (1 + 0.8 * delay_ticks), reach_m=_HAND.step_m * speed)


class HandView:
    """One hand as the privileged state has it."""

    def __init__(self, p: Privileged, name: str, pace: Pace) -> None:
        self.p, self.name, self.pace = p, name, pace
        self.position: Vector = (p[f"{name}_x_m"], p[f"{name}_y_m"], p[f"{name}_z_m"])
        self.force: Vector = (p[f"{name}_force_x_n"], p[f"{name}_force_y_n"], p[f"{name}_force_z_n"])
        self.opening_m = p[f"{name}_opening_m"]
        self.grip_n = p[f"{name}_grip_n"]
        self.force_n = p[f"{name}_force_n"]
        self.tilt_rad = math.hypot(p[f"{name}_roll_rad"], p[f"{name}_pitch_rad"])

    def towards(self, place: Vector, *, reach_m: float | None = None) -> Vector:
        """Straight to a place, slowing down as it comes near."""
        reach = self.pace.reach_m if reach_m is None else reach_m
        away = [there - here for there, here in zip(place, self.position, strict=True)]
        longest = max(map(abs, away))
        scale = min(self.pace.gain, reach / longest) if longest > 0 else 0.0
        x, y, z = (scale * axis for axis in away)
        return x, y, z

    def giving_way(self, share: float = 1.0) -> Vector:
        """The move that takes the force away."""
        x, y, z = (
            clip(share * self.pace.gain * force / stiffness, 0.003)
            for force, stiffness in zip(self.force, MOVE_STIFFNESS_N_PER_M, strict=True)
        )
        return x, y, z

    def level(self, yaw_rad: float) -> Vector:
        """Turn upright, and about the vertical by what is missing."""
        return (
            -self.pace.gain * self.p[f"{self.name}_roll_rad"],
            -self.pace.gain * self.p[f"{self.name}_pitch_rad"],
            self.pace.gain * (yaw_rad - self.p[f"{self.name}_yaw_rad"]),
        )

    def opening(self) -> float:
        """Open the fingers wide."""
        return _HAND.step_opening_m if self.opening_m < 0.0145 else 0.0005

    def squeezing(self) -> float:
        """Close the fingers until the grip is right."""
        if self.grip_n < _TOUCH_N:
            return -_HAND.step_opening_m
        return clip(self.pace.gain * (self.grip_n - GRIP_N) / FINGER_STIFFNESS_N_PER_M, _HAND.step_opening_m)

    def reaching(self, handle: Vector, yaw_rad: float) -> tuple[float, ...]:
        """Over a handle with open fingers, down, and close: the whole move."""
        above_m = self.position[2] - handle[2]
        aside_m = math.hypot(handle[0] - self.position[0], handle[1] - self.position[1])
        turn = self.level(yaw_rad)
        is_turned = abs(yaw_rad - self.p[f"{self.name}_yaw_rad"]) < 0.10 and self.tilt_rad < 0.08
        if _FIRM_N[0] < self.grip_n < _FIRM_N[1] and self.opening_m > 0.004:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, self.squeezing()
        if abs(above_m) < 0.005 and aside_m < 0.005:
            return (*self.towards(handle, reach_m=0.002), *turn, self.squeezing())
        is_ready = is_turned and self.opening_m > OPEN_M
        if above_m < 0.5 * _HOVER_M and not (is_ready and aside_m < 0.006):
            return 0.0, 0.0, 0.6 * self.pace.reach_m, *turn, self.opening()
        is_over = is_ready and aside_m < 0.004 + 0.15 * max(0.0, above_m)
        goal = handle if is_over else (handle[0], handle[1], handle[2] + _HOVER_M)
        return (*self.towards(goal, reach_m=AIMING * self.pace.reach_m), *turn, self.opening())


def clip(value: float, bound: float) -> float:
    """Within plus and minus a bound."""
    return max(-bound, min(bound, value))


def action_of(left: tuple[float, ...], right: tuple[float, ...]) -> Float32:
    """Two moves as one action, float32[14]; a move that is too long keeps its direction."""
    parts = []
    for move in (left, right):
        part = np.array(move) / _STEPS
        part[:3] /= max(1.0, float(np.abs(part[:3]).max()))
        parts.append(np.clip(part, -1, 1))
    return np.concatenate(parts).astype(np.float32)
