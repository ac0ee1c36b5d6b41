"""BusyBox for the scripted people: who shows it, who helps, and what helping takes."""

from collections.abc import Mapping
from typing import Any

from robots.busybox.demonstrate import Demonstrator
from robots.busybox.expert import Expert
from robots.busybox.help import foresee, needs_help, steadiness
from robots.busybox.robot import BusyBox, BusyBoxConfig
from robots.robot import Robot
from robots.task import Task


def _make_robot(options: Mapping[str, Any]) -> Robot:
    return BusyBox(BusyBoxConfig(**options))


TASK = Task(
    name="busybox",
    make_robot=_make_robot,
    demonstrator=Demonstrator,
    expert=Expert,
    needs_help=needs_help,
    foresee=foresee,
    steadiness=steadiness,
)
