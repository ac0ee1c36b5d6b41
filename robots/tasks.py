"""From a task's name to the task, and to a robot that does it.

make("plug_insertion")              one of ours
make("plug_insertion,shape=keyed")  the same with options, fields of its configuration: NAME,FIELD=VALUE,...
make("robots/pendulum.toml")        any Gymnasium environment, by its spec file
make("my_package.arm:MyArm")        a class of yours that is a `Robot`

Names only, imported when asked for: `touchline demo --help` lists them.
"""

import dataclasses
import difflib
import functools
import importlib
import json
import pathlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policy.errors import ConfigError

if TYPE_CHECKING:  # `--help` reads the names, and waits for nothing that it does not need
    from robots.robot import Robot
    from robots.task import Task


_OPTION = re.compile(r",(?=\w+=)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a base learns from until it succeeds sometimes: enough for people to have something to improve."""

    demonstrations: int = 120
    """Scripted demonstrations."""
    updates: int = 700
    """Of the policy."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One row of the table."""

    target: str
    """module:attribute, a `robots.task.Task`."""
    help: str
    lesson: Lesson = Lesson()
    """Of the task as it is without options."""


TASKS = {
    "plug_insertion": Entry("robots.plug_insertion_task:TASK", "insert a plug into the named socket, by touch"),
    "busybox": Entry("robots.busybox.task:TASK", "press, flip, slide, turn or plug what the instruction names"),
    "toolbox": Entry(
        "robots.toolbox.task:TASK",
        "pack a tool with two arms and close the lid, by touch",
        Lesson(demonstrations=400, updates=5000),
    ),
}


def check(name: str) -> None:
    """Refuse what is not one of our tasks.

    Raises:
        ConfigError: it is not.
    """
    if split(name)[0] not in TASKS:
        raise ConfigError(f"not one of our tasks, and scripted people know no other; {_hint(name, *TASKS)}", task=name)


def split(task: str) -> tuple[str, dict[str, Any]]:
    """A task's name, and the options that follow it; values are JSON, or text."""
    name, *options = _OPTION.split(task)
    return name, {field: _value(text) for field, _, text in (option.partition("=") for option in options)}


def lesson(task: str) -> Lesson:
    """What a base of one of our tasks learns from.

    Raises:
        ConfigError: there is no such task.
    """
    check(task)
    return TASKS[split(task)[0]].lesson


@functools.cache
def find(name: str) -> "Task":
    """One of our tasks, with the scripted people who know it; options make no difference to them.

    Raises:
        ConfigError: there is none of this name.
    """
    check(name)
    module, _, attribute = TASKS[split(name)[0]].target.partition(":")
    task: Task = getattr(importlib.import_module(module), attribute)
    return task


def make(task: str, options: Mapping[str, Any] | None = None) -> "Robot":
    """A robot with its task; `options` are its configuration's fields, and win over those that follow the name.

    Raises:
        ConfigError: there is no such task, or it does not take these options.
        SchemaError: a spec file does not fit its environment.
    """
    name, named = split(task)
    options = {**named, **(options or {})}
    try:
        if name in TASKS:
            return find(name).make_robot(options)
        if task.endswith(".toml"):
            from robots.gym_robot import GymRobot

            return GymRobot.from_file(pathlib.Path(task))
        if ":" in name:
            return _custom(name, options)
    except TypeError as error:
        raise ConfigError(f"the task does not take these options: {error}", task=task) from error
    raise ConfigError(f"unknown task; {_hint(task, *TASKS, 'FILE.toml', 'MODULE:CLASS')}", task=task)


def listing() -> str:
    """Our tasks in a sentence, for `--help`."""
    return "Tasks: " + "; ".join(f"{name} ({entry.help})" for name, entry in TASKS.items()) + "."


def _hint(name: str, *known: str) -> str:
    near = difflib.get_close_matches(name, TASKS, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _custom(task: str, options: Mapping[str, Any]) -> "Robot":
    module_name, _, class_name = task.partition(":")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot find the robot's class: {error}", task=task) from error
    robot: Robot = cls(**options)
    return robot
