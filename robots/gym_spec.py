"""The spec file: how any Gymnasium environment with a Box action becomes a robot.

    [environment]
    id = "Pendulum-v1"                   # as in gymnasium.make
    module = ""                          # imported first, if it registers the environment
    kwargs = { g = 9.81 }

    [robot]
    name = "pendulum"
    task_id = "swing_up"
    instruction = "swing the pendulum up"
    control_rate_hz = 20.0
    state = ["observation[0:2]"]         # where the numbers are: a key, a.dotted.key, a [from:to] part;
    touch = ["observation[2:3]"]         # "observation" is the whole of a Box observation
    success = "is_success"               # a key of info, or "terminated"
    hold = [0.0]                         # the action that stands still, normalised
    [[robot.cameras]]
    name = "scene"
    source = "render"                    # or where the picture is in the observation
    height = 64
    width = 64

Actions are normalised: -1 and 1 of the robot are the Box's low and high.
"""

import dataclasses
import difflib
import pathlib
import tomllib
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from policy.errors import ConfigError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GymCamera:
    """One `[[robot.cameras]]`."""

    name: str
    source: str = "render"
    """"render", or where the picture is in the observation."""
    height: int = 64
    """Pixels; pictures of another size are scaled."""
    width: int = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class GymEnvironment:
    """`[environment]`."""

    id: str
    module: str = ""
    """Imported first, for environments that are registered by an import."""
    kwargs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """For `gymnasium.make`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GymSpec:
    """`[robot]`, with its cameras and the environment."""

    environment: GymEnvironment
    name: str
    task_id: str
    instruction: str
    control_rate_hz: float
    success: str
    """Key of `info` that holds the judgement, or "terminated"."""
    state: tuple[str, ...] = ()
    """Where proprioception is in the observation."""
    touch: tuple[str, ...] = ()
    """Where touch is in the observation; may be empty."""
    hold: tuple[float, ...] = ()
    """Normalised action that stands still; empty for all zeros."""
    cameras: tuple[GymCamera, ...] = ()

    @classmethod
    def load(cls, path: pathlib.Path) -> "GymSpec":
        """Read a spec file.

        Raises:
            ConfigError: the file cannot be read, misses a value, or holds one that is not known.
        """
        try:
            tables = tomllib.loads(path.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"cannot read the spec file: {error}", file=str(path)) from error
        for name in tables.keys() - {"environment", "robot"}:
            raise ConfigError(f"unknown table [{name}]; known: environment, robot", file=str(path))
        if not isinstance(tables.get("robot"), dict):
            raise ConfigError("the spec file needs a table [robot]", file=str(path))
        robot: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in tables["robot"].items()
        }
        cameras = robot.pop("cameras", ())
        if not isinstance(cameras, tuple):
            raise ConfigError("write each camera as a table [[robot.cameras]]", file=str(path))
        robot["cameras"] = tuple(_build(GymCamera, camera, "robot.cameras", path) for camera in cameras)
        robot["environment"] = _build(GymEnvironment, tables.get("environment", {}), "environment", path)
        return _build(cls, robot, "robot", path)


def _build(cls: type[T], values: Mapping[str, Any], section: str, path: pathlib.Path) -> T:
    """A dataclass from a table, with names and kinds of values checked."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"[{section}] must be a table", file=str(path))
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in values.keys() - fields.keys():
        near = difflib.get_close_matches(name, fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(fields)}"
        raise ConfigError(f"unknown value {name} in [{section}]; {hint}", file=str(path))
    for name, field in fields.items():
        no_default = (field.default, field.default_factory) == (dataclasses.MISSING, dataclasses.MISSING)
        if no_default and name not in values:
            raise ConfigError(f"[{section}] needs a value for {name}", file=str(path))
    hints = typing.get_type_hints(cls)
    for name, value in values.items():
        if not _fits(hints[name], value):
            raise ConfigError(f"{name} in [{section}] is of another kind", got=str(value)[:100], file=str(path))
    return cls(**values)


def _fits(hint: Any, value: object) -> bool:
    if hint in (str, int, float):
        return isinstance(value, (int, float) if hint is float else hint) and not isinstance(value, bool)
    if typing.get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(typing.get_args(hint)[0], item) for item in value)
    return isinstance(value, typing.get_origin(hint) or hint)
