"""Toolbox packing for the scripted people: who shows it, who helps, and what helping takes."""

from collections.abc import Mapping
from typing import Any

from robots.robot import Robot
from robots.task import Task
from robots.toolbox.demonstrate import Demonstrator
from robots.toolbox.expert import Expert
from robots.toolbox.help import foresee, needs_help, steadiness
from robots.toolbox.robot import Toolbox, ToolboxConfig


def _make_robot(options: Mapping[str, Any]) -> Robot:
    return Toolbox(ToolboxConfig(**options))


TASK = Task(
    name="toolbox",
    make_robot=_make_robot,
    demonstrator=Demonstrator,
    expert=Expert,
    needs_help=needs_help,
    foresee=foresee,
    steadiness=steadiness,
)
