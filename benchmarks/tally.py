"""Scripted people on held-out scenes, without pictures: how their episodes ended."""

import collections
import dataclasses
import statistics
from collections.abc import Callable
from typing import Protocol

from policy.schema import Float32, SceneSplit
from policy.statistics import wilson_interval
from robots.robot import TaskStatus
from robots.task import Driver, Privileged


class Simulated(Protocol):
    """What an episode without pictures needs of a robot."""

    def restart(self, scene_seed: int) -> None:
        """Start an episode; nobody looks."""

    def apply(self, action: Float32) -> TaskStatus:
        """As `Robot.apply`."""

    def privileged(self) -> Privileged:
        """As `Robot.privileged`."""


@dataclasses.dataclass(kw_only=True)
class Tally:
    """How episodes ended."""

    lengths: list[int] = dataclasses.field(default_factory=list)
    """Ticks of the successful ones."""
    failures: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """By reason."""

    def __str__(self) -> str:
        num_episodes = len(self.lengths) + self.failures.total()
        interval = wilson_interval(len(self.lengths), num_episodes)
        steps = ""
        if len(self.lengths) > 1:
            cuts = statistics.quantiles(self.lengths, n=20)
            steps = f"   steps {cuts[0]:.0f}, {cuts[9]:.0f}, {cuts[18]:.0f}"
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.failures.most_common())
        return f"{len(self.lengths)} of {num_episodes} [{interval.low:.3f}, {interval.high:.3f}]{steps}   {reasons}"


def run(robot: Simulated, person: Driver, scene_seed: int) -> tuple[TaskStatus, int]:
    """One episode: how it ended, and after how many ticks."""
    robot.restart(scene_seed)
    num_steps = 0
    while True:
        status = robot.apply(person.act(robot.privileged()))
        num_steps += 1
        if status.is_terminal or status.is_truncated:
            return status, num_steps


def measure(robot: Simulated, driver: Callable[[int], Driver], num_scenes: int) -> Tally:
    """One episode in each of the first scenes of the report split."""
    tally = Tally()
    for scene_seed in SceneSplit.REPORT.value[:num_scenes]:
        status, num_steps = run(robot, driver(scene_seed), scene_seed)
        if status.reason:
            tally.failures[status.reason] += 1
        else:
            tally.lengths.append(num_steps)
    return tally
