"""What a person who watches the box understands: when help is needed, what comes next, where to be careful."""

from collections.abc import Sequence

from robots.busybox.layout import MODULES
from robots.busybox.model import STIFFNESS_N_PER_M, TWIST_N_M_PER_RAD
from robots.busybox.motion import MotionConfig
from robots.task import Privileged

_BEARABLE_N = 6.0
"""The stiffest click asks for 5 N; parts break at 10 N."""
_BEARABLE_N_M = 0.052
_LOW_M = 0.030
"""A tip lower than this is among the parts."""
_PATIENCE_TICKS = 36
_CONTACT_N = 0.5
_WIRE = MODULES.index("wire")


def needs_help(history: Sequence[Privileged]) -> str | None:
    """Why a watching person would take over now, in words; `history` has the latest state last."""
    now = history[-1]
    if now["force_n"] > _BEARABLE_N:
        return f"pressing with {now['force_n']:.1f} N"
    if abs(now["torque_n_m"]) > _BEARABLE_N_M:
        return f"turning with {abs(now['torque_n_m']):.2f} N m"
    if now["is_wire_held"] and now["module"] != _WIRE:
        return "holding the wire"
    if now["other_m"] < 0.010 and now["tip_z_m"] < _LOW_M and not now["is_reached"]:
        return "at the wrong part"
    if now["is_wire_held"] and now["other_socket_m"] < 0.008 and now["wire_z_m"] < now["socket_rim_m"] + 0.006:
        return "at the wrong socket"
    if now["num_idle_ticks"] >= _PATIENCE_TICKS:
        return f"no progress for {_PATIENCE_TICKS / 20:.1f} s"
    return None


def foresee(seen: Privileged, actions: Sequence[Sequence[float]]) -> Privileged:
    """What will be true once these actions have been executed: contact presses harder, free space is crossed."""
    steps = MotionConfig()
    x, y, z, twist, gripper = (sum(axis) for axis in zip(*actions, strict=True)) if actions else (0.0,) * 5
    coming = dict(seen)
    moved = {"x": x * steps.step_m, "y": y * steps.step_m, "z": z * steps.step_m}
    for axis, stiffness in zip("xyz", STIFFNESS_N_PER_M, strict=True):
        force_n = seen[f"force_{axis}_n"]
        if abs(force_n) > _CONTACT_N:
            coming[f"force_{axis}_n"] = force_n - moved[axis] * stiffness
            moved[axis] = 0.0
        coming[f"tip_{axis}_m"] += moved[axis]
        if seen["is_wire_held"]:
            coming[f"wire_{axis}_m"] += moved[axis]
    coming["force_n"] = sum(coming[f"force_{axis}_n"] ** 2 for axis in "xyz") ** 0.5
    if abs(seen["torque_n_m"]) > _CONTACT_N * 0.01:
        coming["torque_n_m"] -= twist * steps.step_rad * TWIST_N_M_PER_RAD
    else:
        coming["twist_rad"] += twist * steps.step_rad
    coming["opening"] = min(1.0, max(0.0, seen["opening"] + gripper * steps.step_opening))
    return coming


def steadiness(privileged: Privileged) -> float:
    """How freely a hand may waver: 1 in free space, less among the parts and with the plug at a socket."""
    clear_m = privileged["wire_z_m"] - 0.022 if privileged["is_wire_held"] else privileged["tip_z_m"] - _LOW_M
    return min(1.0, max(0.2, clear_m / 0.010))
