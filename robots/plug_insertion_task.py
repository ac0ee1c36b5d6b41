"""Plug insertion for the scripted people: who shows it, who helps, and what helping takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from policy.schema import Float32
from robots.demonstrate import Demonstrator
from robots.expert import Expert, ExpertConfig, needs_help, steadiness
from robots.plug_insertion import PlugInsertion, PlugInsertionConfig
from robots.robot import Robot
from robots.scene import STIFFNESS_N_PER_M
from robots.task import Habits, Privileged, Task

_STEP_M, _STEP_RAD = ExpertConfig().step_m, ExpertConfig().step_rad
_CONTACT_N = 0.5


class Hand:
    """The expert with a person's habits."""

    def __init__(self, habits: Habits) -> None:
        self._expert = Expert(ExpertConfig(delay_ticks=habits.delay_ticks, speed=habits.speed))
        self._aim_error_m = habits.aim_error_m

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[A] in [-1, 1]."""
        return self._expert.correct(privileged, self._aim_error_m)


def foresee(privileged: Privileged, actions: Sequence[Sequence[float]]) -> Privileged:
    """The plug moves with the command; one that is blocked presses harder instead."""
    later = dict(privileged)
    steps = [sum(axis) for axis in zip(*actions, strict=True)] or [0.0, 0.0, 0.0]
    moved = [step * _STEP_M for step in steps[:3]]
    if len(steps) > 3:
        later["yaw_rad"] += steps[3] * _STEP_RAD
    if later["force_z_n"] > _CONTACT_N:
        pressed_n = -moved[2] * STIFFNESS_N_PER_M[2]
        later["force_z_n"] += pressed_n
        later["force_n"] = max(0.0, later["force_n"] + pressed_n)
        moved[2] = 0.0
    for axis, by_m in zip("xyz", moved, strict=True):
        later[f"tip_{axis}_m"] += by_m
    return later


def _make_robot(options: Mapping[str, Any]) -> Robot:
    return PlugInsertion(PlugInsertionConfig(**options))


TASK = Task(
    name="plug_insertion",
    make_robot=_make_robot,
    demonstrator=Demonstrator,
    expert=Hand,
    needs_help=needs_help,
    foresee=foresee,
    steadiness=steadiness,
)
