"""A fixed list of scenes, each run once by whichever robot is free: evaluation and demonstrations."""

import collections
from collections.abc import Callable, Sequence

from actor.scene_ledger import SceneLedger
from actor.work import Assignment
from policy.schema import Episode, SceneSplit
from policy.statistics import wilson_interval
from robots.robot import Robot

Assign = Callable[[int, Robot], Assignment]
"""(scene seed, robot) -> the episode to run on it."""


class SceneList:
    """Hands out the scenes that the ledger does not know yet."""

    def __init__(self, series: str, scenes: Sequence[int], assign: Assign, ledger: SceneLedger) -> None:
        self._series, self._scenes, self._assign, self._ledger = series, scenes, assign, ledger
        done = ledger.results(series)
        self._remaining = collections.deque(scene for scene in scenes if scene not in done)

    @property
    def is_done(self) -> bool:
        """Whether every scene has a result."""
        return not self._remaining and self._ledger.results(self._series).keys() >= set(self._scenes)

    def next_episode(self, robot_id: str, robot: Robot) -> Assignment | None:
        """The next scene; None when all were handed out."""
        return self._assign(self._remaining.popleft(), robot) if self._remaining else None

    def refusal(self, robot_id: str) -> str:
        """Nothing is released here."""
        return ""

    def ended(self, episode: Episode) -> None:
        """Write the result down."""
        self._ledger.add(self._series, episode)

    def summary(self) -> str:
        """Successes with their interval, in words."""
        results = [result for scene, result in self._ledger.results(self._series).items() if scene in self._scenes]
        num_successes = sum(result.is_success for result in results)
        rate = wilson_interval(num_successes, len(results))
        steps = sorted(result.num_steps for result in results if result.is_success)
        median = f", median {steps[len(steps) // 2]} steps" if steps else ""
        return (
            f"{self._series}: {num_successes} of {len(results)} scenes succeeded, "
            f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}]{median}"
        )


def first_scenes(split: SceneSplit, num_scenes: int, skip: int = 0) -> range:
    """The first scenes of a split: the same for every version, so that comparisons are paired."""
    scenes: range = split.value
    return scenes[skip : skip + num_scenes]
