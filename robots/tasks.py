"""From a task's name to a robot.

make("plug_insertion")              one of ours
make("robots/pendulum.toml")        any Gymnasium environment, by its spec file
make("my_package.arm:MyArm")        a class of yours that is a `Robot`
"""

import difflib
import importlib
import pathlib
from collections.abc import Mapping
from typing import Any

from policy.errors import ConfigError
from robots.robot import Robot


def _plug_insertion(options: Mapping[str, Any]) -> Robot:
    from robots.plug_insertion import PlugInsertion, PlugInsertionConfig

    return PlugInsertion(PlugInsertionConfig(**options))


TASKS = {"plug_insertion": _plug_insertion}


def make(task: str, options: Mapping[str, Any] | None = None) -> Robot:
    """A robot with its task; `options` are its configuration's fields.

    Raises:
        ConfigError: there is no such task, or it does not take these options.
        SchemaError: a spec file does not fit its environment.
    """
    options = options or {}
    try:
        if task in TASKS:
            return TASKS[task](options)
        if task.endswith(".toml"):
            from robots.gym_robot import GymRobot

            return GymRobot.from_file(pathlib.Path(task))
        if ":" in task:
            return _custom(task, options)
    except TypeError as error:
        raise ConfigError(f"the task does not take these options: {error}", task=task) from error
    near = difflib.get_close_matches(task, TASKS, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(TASKS)}, FILE.toml, MODULE:CLASS"
    raise ConfigError(f"unknown task; {hint}", task=task)


def _custom(task: str, options: Mapping[str, Any]) -> Robot:
    module_name, _, class_name = task.partition(":")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot find the robot's class: {error}", task=task) from error
    robot: Robot = cls(**options)
    return robot
