"""A simulated task and the scripted people who know it.

`Task` is what the fleet's scripted demonstrators and operators need beyond the `Robot` protocol; a real
robot has none. Everything here works on `Robot.privileged()`: numbers that only a simulator knows.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from policy.schema import Float32
from robots.robot import Robot

Privileged = Mapping[str, float]


class Driver(Protocol):
    """Somebody who drives one robot, through an episode or a part of it."""

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[A] within the spec's limits."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Habits:
    """How a scripted person's hand moves."""

    delay_ticks: int = 0
    """Ticks between seeing and acting; the longer, the gentler the hand, or it would oscillate."""
    speed: float = 1.0
    """Factor on the speed in free space."""
    aim_error_m: tuple[float, float] = (0.0, 0.0)
    """Where this person believes the target to be, off its true place in x and y."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One task by name."""

    name: str
    """As in `make(name)`, `touchline demo --task` and `Robot.task_id`."""
    make_robot: Callable[[Mapping[str, Any]], Robot]
    """From the fields of its configuration to a robot."""
    demonstrator: Callable[[int], Driver]
    """From a seed to a demonstrator with human faults; one per episode."""
    expert: Callable[[Habits], Driver]
    """The hand of a scripted operator: right from any state, and with no memory of its own."""
    needs_help: Callable[[Sequence[Privileged]], str | None]
    """Why a watching person would take over now, in words; the latest state is last."""
    foresee: Callable[[Privileged, Sequence[Sequence[float]]], Privileged]
    """What will be true once these actions, still under way, have been executed: a person's forward model."""
    steadiness: Callable[[Privileged], float]
    """How freely a hand may waver here: 1 in free space, less near contact; in (0, 1]."""
