"""What only the simulator knows, for scripted people: one flat mapping of numbers."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from robots.task import Privileged
from robots.toolbox.box import Box
from robots.toolbox.goals import Stage
from robots.toolbox.hands import AXES, Hand
from robots.toolbox.model import HANDS, HINGE_M, KNOB_M, LID_M, SLOT_X_M
from robots.toolbox.scene import KINDS, Scene

WIDE_RAD = 1.40
"""How far a person opens the lid."""
CLEAR_M = 0.080
"""This far to the right in the tray's frame a hand is out of the lid's way."""
_FORCES = ("force_x_n", "force_y_n", "force_z_n")
_TOOL_JOINTS = 6
_FIRST_TOOL_JOINT = 1


def privileged(
    scene: Scene,
    box: Box,
    hands: Sequence[Hand],
    qpos: NDArray[np.float64],
    *,
    stage: Stage,
    num_idle_ticks: int,
    num_steps: int,
) -> Mapping[str, float]:
    """Metres, radians, newtons, ticks, and flags as 0 or 1."""
    tray, target = scene.tray, scene.target_tool
    slots = [in_tray(tray.x_m, tray.y_m, tray.yaw_rad, x_m, 0.0) for x_m in SLOT_X_M]
    (slot_x, slot_y), (other_x, other_y) = slots[scene.target_slot], slots[1 - scene.target_slot]
    truth = {
        "tray_x_m": tray.x_m,
        "tray_y_m": tray.y_m,
        "tray_yaw_rad": tray.yaw_rad,
        "rim_m": tray.rim_m,
        "slot_x_m": slot_x,
        "slot_y_m": slot_y,
        "other_slot_x_m": other_x,
        "other_slot_y_m": other_y,
        "lid_rad": box.lid_rad,
        "is_open": float(box.is_open),
        "is_latched": float(box.is_latched),
        "closes": float(scene.closes),
        "right_across_m": box.to_tray(*hands[1].pose[:2].tolist())[0],
        "is_seated": float(box.is_seated(target, scene.target_slot)),
        "stage": float(stage),
        "num_stages": float(Stage.DONE),
        "num_idle_ticks": float(num_idle_ticks),
        "num_steps": float(num_steps),
    }
    for name, index in (("tool", target), ("other", 1 - target)):
        start = _FIRST_TOOL_JOINT + _TOOL_JOINTS * index
        x, y, z, yaw, pitch, _ = qpos[start : start + _TOOL_JOINTS].tolist()
        truth |= {f"{name}_x_m": x, f"{name}_y_m": y, f"{name}_z_m": z, f"{name}_yaw_rad": yaw}
        truth |= {f"{name}_pitch_rad": pitch, f"{name}_half_m": scene.tools[index].half_thickness_m}
    for name, hand in zip(HANDS, hands, strict=True):
        pose = hand.pose.tolist()
        truth |= {f"{name}_{axis}_m": value for axis, value in zip(AXES[:3], pose[:3], strict=True)}
        truth |= {f"{name}_{axis}_rad": value for axis, value in zip(AXES[3:6], pose[3:6], strict=True)}
        truth |= {f"{name}_{force}": float(value) for force, value in zip(_FORCES, hand.wrench[:3], strict=True)}
        truth[f"{name}_opening_m"] = pose[6]
        truth[f"{name}_force_n"] = hand.force_n
        truth[f"{name}_grip_n"] = float(hand.grips_n.mean())
    held = hands[1].held
    truth["holds_knob"] = float(hands[0].held is not None)
    truth["holds_tool"] = float(held == KINDS[target])
    truth["holds_other"] = float(held == KINDS[1 - target])
    return truth


def in_tray(x_m: float, y_m: float, yaw_rad: float, across_m: float, along_m: float) -> tuple[float, float]:
    """From the tray's frame to the table's."""
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    return x_m + cos * across_m - sin * along_m, y_m + sin * across_m + cos * along_m


def knob_m(p: Privileged, lid_rad: float) -> tuple[float, float, float]:
    """Where the knob's centre is when the lid stands at an angle."""
    cos, sin = math.cos(lid_rad), math.sin(lid_rad)
    along = HINGE_M[0] - LID_M * cos + KNOB_M[1] * sin
    x, y = in_tray(p["tray_x_m"], p["tray_y_m"], p["tray_yaw_rad"], KNOB_M[0], along)
    return x, y, p["rim_m"] + HINGE_M[1] + LID_M * sin + KNOB_M[1] * cos


def to_go(p: Privileged) -> float:
    """What is left of the stage under way, about in metres; less is nearer."""
    stage = Stage(int(p["stage"]))
    tool = (p["tool_x_m"], p["tool_y_m"], p["tool_z_m"])
    right = (p["right_x_m"], p["right_y_m"], p["right_z_m"])
    left = (p["left_x_m"], p["left_y_m"], p["left_z_m"])
    lid_m = LID_M * abs(WIDE_RAD - p["lid_rad"])
    if not p["holds_knob"]:
        lid_m += math.dist(left, knob_m(p, p["lid_rad"]))
    if stage is Stage.GRASP:
        return math.dist(right, tool) + abs(p["right_opening_m"] - p["tool_half_m"])
    if stage is Stage.OPEN:
        return lid_m
    if stage is Stage.PACK:
        return math.dist(tool, (p["slot_x_m"], p["slot_y_m"], p["rim_m"] - p["tool_half_m"]))
    if stage is Stage.CLEAR:
        return math.dist(right, (*in_tray(p["tray_x_m"], p["tray_y_m"], p["tray_yaw_rad"], 0.11, 0.0), 0.06))
    if stage is Stage.CLOSE:
        return LID_M * p["lid_rad"] + (0.0 if p["holds_knob"] else math.dist(left, knob_m(p, p["lid_rad"])))
    return 0.01 * abs(p["left_force_z_n"])
