"""What a person at the touchline sees of toolbox packing: when to take over, and what comes next."""

import math
from collections.abc import Sequence

from robots.task import Privileged
from robots.toolbox.hands import AXES, HandConfig
from robots.toolbox.model import FINGER_STIFFNESS_N_PER_M, HANDS, LID_M, MAX_OPENING_M, MOVE_STIFFNESS_N_PER_M
from robots.toolbox.truth import CLEAR_M

_IDLE_TICKS = 36
_CONTACT_N = 0.6
_HAND = HandConfig()
_CONTROL_RATE_HZ = 20.0


def needs_help(history: Sequence[Privileged]) -> str | None:
    """Why a watching person would take over now, in words; the latest state is last."""
    p = history[-1]
    return _force(p) or _confusion(p) or _lid(p) or _stillness(p)


def _force(p: Privileged) -> str | None:
    in_slot = p["holds_tool"] and p["tool_z_m"] - p["tool_half_m"] < p["rim_m"] - 0.001
    # Clips ask for up to 6 N, the latch for up to 6.5 N less the lid's own weight.
    bearable_n = {"left": 7.5 if p["holds_knob"] else 4.5, "right": 7.4 if in_slot else 4.5}
    for hand in HANDS:
        if p[f"{hand}_force_n"] > bearable_n[hand]:
            return f"{hand} hand pressing with {p[f'{hand}_force_n']:.1f} N"
        if p[f"{hand}_grip_n"] > 6.0:
            return f"{hand} hand squeezing with {p[f'{hand}_grip_n']:.1f} N"
    return None


def _confusion(p: Privileged) -> str | None:
    if p["holds_other"]:
        return "holding the wrong tool"
    if p["holds_tool"]:
        low_m = p["tool_z_m"] - p["tool_half_m"]
        away_m = abs(p["tool_x_m"] - p["other_slot_x_m"]) + abs(p["tool_y_m"] - p["other_slot_y_m"])
        return "at the wrong slot" if away_m < 0.014 and low_m < p["rim_m"] + 0.008 else None
    is_lost = not p["is_seated"] and p["tool_z_m"] > p["tool_half_m"] + 0.006 and p["right_z_m"] > p["tool_z_m"] + 0.02
    return "dropped the tool" if is_lost else None


def _lid(p: Privileged) -> str | None:
    if p["is_latched"] and not p["is_seated"]:
        return "lid closed too soon"
    if not p["holds_knob"] and p["lid_rad"] > 0.25:
        return "nobody holds the lid"
    if p["holds_tool"] and not p["is_open"] and p["right_across_m"] < CLEAR_M - 0.02:
        return "lid in the way"
    return None


def _stillness(p: Privileged) -> str | None:
    return f"no progress for {_IDLE_TICKS / _CONTROL_RATE_HZ:g} s" if p["num_idle_ticks"] >= _IDLE_TICKS else None


def foresee(privileged: Privileged, actions: Sequence[Sequence[float]]) -> Privileged:
    """Hands move with their commands, and what they hold with them; one that is blocked presses harder."""
    later = dict(privileged)
    if not actions:
        return later
    moved = [sum(channel) for channel in zip(*actions, strict=True)]
    for index, hand in enumerate(HANDS):
        _advance(later, hand, moved[7 * index : 7 * index + 7])
    return later


def _advance(p: dict[str, float], hand: str, moved: Sequence[float]) -> None:
    shift = [steps * _HAND.step_m for steps in moved[:3]]
    if p[f"{hand}_force_z_n"] > _CONTACT_N and not (hand == "left" and p["lid_rad"] > 0.05):
        pressed_n = -shift[2] * MOVE_STIFFNESS_N_PER_M[2]
        p[f"{hand}_force_z_n"] += pressed_n
        p[f"{hand}_force_n"] = max(0.0, p[f"{hand}_force_n"] + pressed_n)
        shift[2] = 0.0
    for axis, by_m in zip(AXES[:3], shift, strict=True):
        p[f"{hand}_{axis}_m"] += by_m
        if hand == "right" and p["holds_tool"]:
            p[f"tool_{axis}_m"] += by_m
        if hand == "right" and p["holds_other"]:
            p[f"other_{axis}_m"] += by_m
    for axis, steps in zip(AXES[3:6], moved[3:6], strict=True):
        p[f"{hand}_{axis}_rad"] += steps * _HAND.step_rad
    if hand == "right" and p["holds_tool"]:
        p["tool_pitch_rad"] += moved[4] * _HAND.step_rad
        p["tool_yaw_rad"] += moved[5] * _HAND.step_rad
    if hand == "left" and p["holds_knob"]:
        p["lid_rad"] += _lid_turn_rad(p["lid_rad"], shift)
    closed_m = -moved[6] * _HAND.step_opening_m
    if p[f"{hand}_grip_n"] > _CONTACT_N:
        p[f"{hand}_grip_n"] = max(0.0, p[f"{hand}_grip_n"] + closed_m * FINGER_STIFFNESS_N_PER_M)
    else:
        p[f"{hand}_opening_m"] = min(MAX_OPENING_M, max(0.0, p[f"{hand}_opening_m"] - closed_m))


def _lid_turn_rad(lid_rad: float, shift: Sequence[float]) -> float:
    """How far the lid turns when its knob is moved: the part along its arc."""
    return (shift[1] * math.sin(lid_rad) + shift[2] * math.cos(lid_rad)) / LID_M


def steadiness(privileged: Privileged) -> float:
    """How freely both hands may waver here; as that of the one that has to be steadier."""
    return min(left_steadiness(privileged), right_steadiness(privileged))


def left_steadiness(p: Privileged) -> float:
    """Of the left hand: free above the knob, bound to it when it holds it."""
    if p["holds_knob"]:
        return 0.4 if p["lid_rad"] > 0.15 else 0.15
    return _freedom(p["left_z_m"] - p["rim_m"] - 0.04)


def right_steadiness(p: Privileged) -> float:
    """Of the right hand: free high above table and tray, not where tools meet either."""
    if p["holds_tool"] or p["holds_other"]:
        over_tray = p["right_across_m"] < CLEAR_M
        floor_m = p["rim_m"] if over_tray else 0.0
        return _freedom(p["tool_z_m"] - p["tool_half_m"] - floor_m - 0.002)
    return _freedom(p["right_z_m"] - p["tool_z_m"] - 0.008)


def _freedom(above_m: float) -> float:
    return max(0.15, min(1.0, above_m / 0.014))
