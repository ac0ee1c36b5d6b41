"""What a lost or a stopped robot waits for, where it has no words for it itself."""

from corrections import answers
from corrections.protocol import Help
from policy.schema import ControlMode, HelpKind, Severity

_MODES = {
    ControlMode.LOST: (HelpKind.TAKE_OVER, answers.LOST, "its operator went away; it holds still"),
    ControlMode.STOPPED: (HelpKind.RESET_SCENE, answers.STOPPED, "stopped; somebody must clear it"),
}
RISKY = frozenset(_MODES)
"""Modes in which a robot waits for a person, whatever it says."""


def request_of_mode(robot_id: str, mode: ControlMode, present: Help | None, wall_ns: int) -> Help | None:
    """The request that a mode makes; None for the others.

    Args:
        robot_id: whose.
        mode: its own report's.
        present: what stands for it already: it goes on between episodes, where the robot has no words.
        wall_ns: names a new one.
    """
    if mode not in _MODES:
        return None
    kind, trigger, reason = _MODES[mode]
    if present is not None and present.trigger == trigger:
        return present
    request_id = f"{robot_id}-{trigger}-{wall_ns}"
    return Help(request_id=request_id, kind=kind, trigger=trigger, severity=Severity.ERROR, reason=reason)
