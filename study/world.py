"""Robots, scenes and people of one cell."""

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import SceneSplit
from policy.spec import EmbodimentSpec
from policy.statistics import wilson_interval
from robots import tasks
from robots.robot import Robot
from study.cell import Finding
from study.episode import Episode
from study.person import Person, PersonConfig
from study.rollout import RolloutConfig, demonstrate, roll_out
from study.touch import Touch, TouchedRobot

_NUM_ROBOTS = 32
"""In lock-step: they share every look of the policy."""
_SCENES_PER_SEED = 100_000
"""No two seeds share a scene."""
_SCENES_PER_ROUND = 10_000
"""Nor two rounds of collection."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """Which task, as which body, and where its scenes begin."""

    task: str
    seed: int
    """Of scenes, training and people."""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of the task's configuration that differ from its defaults."""
    touch: Touch = Touch.ON
    delay_ticks: int = 0
    """Age of an observation when its chunk takes over."""


class World:
    """Where a cell's episodes happen."""

    def __init__(self, config: WorldConfig) -> None:
        self._config = config
        self._task = tasks.find(config.task)
        self._robots = [self._robot() for _ in range(_NUM_ROBOTS)]
        self._rollout = RolloutConfig(delay_ticks=config.delay_ticks)

    def _robot(self) -> Robot:
        robot = tasks.make(self._config.task, self._config.options)
        return robot if self._config.touch is Touch.ON else TouchedRobot(robot, self._config.touch)

    @property
    def spec(self) -> EmbodimentSpec:
        """The robots' body."""
        return self._robots[0].spec

    def demonstrations(self, num_episodes: int) -> Iterator[Episode]:
        """One scene each."""
        return demonstrate(self._task, self._robots[0], self.scenes(SceneSplit.DEMONSTRATE, num_episodes))

    def collect(
        self, policy: Policy, guidance: Guidance, person: PersonConfig, num_episodes: int, *, round: int
    ) -> Iterator[Episode]:
        """Watched rollouts; the same scenes and people for every policy of a seed and round."""
        return self._watched(policy, guidance, person, num_episodes, round, self._robots, None)

    def work(
        self, policy: Policy, guidance: Guidance, person: PersonConfig, *, num_robots: int, minutes: float, round: int
    ) -> Iterator[Episode]:
        """What so many robots do in some minutes of their time, episodes that have begun by then included."""
        num_ticks = int(minutes * 60 * self.spec.control_rate_hz)
        robots = self._robots[:num_robots]
        return self._watched(policy, guidance, person, _SCENES_PER_ROUND, round, robots, num_ticks)

    def _watched(
        self,
        policy: Policy,
        guidance: Guidance,
        person: PersonConfig,
        num_episodes: int,
        round: int,
        robots: Sequence[Robot],
        num_ticks: int | None,
    ) -> Iterator[Episode]:
        return roll_out(
            policy,
            robots,
            self.scenes(SceneSplit.COLLECT, num_episodes, round * _SCENES_PER_ROUND),
            guidance=guidance,
            config=self._rollout,
            seed=self._config.seed + round,
            person=lambda scene_seed: Person(person, self._task, self.spec, scene_seed),
            num_ticks=num_ticks,
        )

    def evaluate(self, policy: Policy, guidance: Guidance, num_episodes: int) -> Finding:
        """Held-out scenes without help; the same for every policy of a seed."""
        return self.summary(self.unaided(policy, guidance, self.scenes(SceneSplit.REPORT, num_episodes)))

    def unaided(self, policy: Policy, guidance: Guidance, scene_seeds: Sequence[int]) -> list[Episode]:
        """Episodes without help in the order in which they ended, without what was seen in them."""
        return list(
            roll_out(
                policy,
                self._robots,
                scene_seeds,
                guidance=guidance,
                config=self._rollout,
                seed=self._config.seed,
                keeps_observations=False,
            )
        )

    def summary(self, episodes: list[Episode]) -> Finding:
        """Success with its Wilson interval, throughput, lengths and reasons of failure."""
        won = [episode for episode in episodes if episode.is_success]
        rate = wilson_interval(len(won), len(episodes))
        hours = sum(episode.num_steps for episode in episodes) / self.spec.control_rate_hz / 3600
        return {
            "num_episodes": len(episodes),
            "num_successes": len(won),
            "success_rate": rate.estimate,
            "success_low": rate.low,
            "success_high": rate.high,
            "throughput_per_robot_hour": len(won) / hours,
            "robot_hours": hours,
            "steps_of_successes": sum(episode.num_steps for episode in won) / len(won) if won else None,
            "failures": dict(collections.Counter(e.reason for e in episodes if not e.is_success)),
            "failed_scenes": sorted(episode.scene_seed for episode in episodes if not episode.is_success),
        }

    def scenes(self, split: SceneSplit, num_episodes: int, first: int = 0) -> range:
        """Some scenes of this seed; `first` counts from its own first one."""
        start = split.value.start + self._config.seed * _SCENES_PER_SEED + first
        return range(start, start + num_episodes)
