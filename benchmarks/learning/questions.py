"""What the bench can be asked; each answer is a stream of findings, plain dictionaries."""

import collections
import dataclasses
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.learning.operator import OperatorConfig
from benchmarks.learning.rollout import Episode, RolloutConfig, demonstrate, roll_out
from benchmarks.learning.training import new_policy, to_data, train
from learner.advantage import AdvantageConfig
from learner.algorithms import create
from learner.algorithms.recap import ConditionConfig
from learner.critic import CriticConfig
from learner.labels import Algorithm
from learner.mix import MixConfig
from learner.update import UpdateConfig
from learner.value import ValueConfig
from policy import checkpoint
from policy.flow import Guidance
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import SceneSplit
from policy.statistics import wilson_interval
from robots.plug_insertion import PlugInsertion

Finding = dict[str, object]
_NUM_ROBOTS = 32
_SCENES_PER_SEED = 100_000
"""No two seeds share a scene."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """As on the command line."""

    algorithm: str
    demonstrations: int
    base_updates: int
    rounds: int
    episodes: int
    round_updates: int
    attention: float
    delay_ticks: int
    evaluations: int
    save: Path | None


class _Bench:
    """Robots, scenes and clock of one seed."""

    def __init__(self, settings: Settings, seed: int, *, feels: bool = True) -> None:
        self.settings, self.seed = settings, seed
        self.robots = [PlugInsertion() for _ in range(_NUM_ROBOTS)]
        self.spec = self.robots[0].spec
        self.rollout = RolloutConfig(delay_ticks=settings.delay_ticks, feels=feels)
        self._collect = itertools.count(SceneSplit.COLLECT.value.start + seed * _SCENES_PER_SEED)
        self._start_s = time.monotonic()

    def demonstrations(self) -> list[Episode]:
        first = SceneSplit.DEMONSTRATE.value.start + self.seed * _SCENES_PER_SEED
        return demonstrate(range(first, first + self.settings.demonstrations), self.robots[0])

    def collect(self, policy: Policy, guidance: Guidance) -> list[Episode]:
        scenes = list(itertools.islice(self._collect, self.settings.episodes))
        operator = OperatorConfig(attention=self.settings.attention)
        return list(self._roll(policy, scenes, guidance, operator))

    def evaluate(self, policy: Policy, guidance: Guidance, version: str) -> Finding:
        """Held-out scenes without help; the same for every version of a seed."""
        if self.settings.save:
            checkpoint.save(self.settings.save / f"{self.settings.algorithm}-{self.seed}-{version}", policy)
        first = SceneSplit.REPORT.value.start + self.seed * _SCENES_PER_SEED
        scenes = range(first, first + self.settings.evaluations)
        episodes = list(self._roll(policy, scenes, guidance, None))
        rate = wilson_interval(sum(e.is_success for e in episodes), len(episodes))
        hours = sum(e.num_steps for e in episodes) / self.spec.control_rate_hz / 3600
        return {
            "version": version,
            "success": rate.estimate,
            "success_low": round(rate.low, 3),
            "success_high": round(rate.high, 3),
            "throughput_per_robot_hour": round(sum(e.is_success for e in episodes) / hours),
            "failures": dict(collections.Counter(e.reason for e in episodes if not e.is_success)),
            "wall_s": round(time.monotonic() - self._start_s),
        }

    def _roll(
        self, policy: Policy, scenes: Sequence[int], guidance: Guidance, operator: OperatorConfig | None
    ) -> Iterator[Episode]:
        return roll_out(
            policy,
            self.robots,
            scenes,
            guidance=guidance,
            config=self.rollout,
            seed=self.seed,
            operator=operator,
            keeps_observations=operator is not None,
        )


def touch(settings: Settings, seed: int) -> Iterator[Finding]:
    """The base with touch, and with touch zeroed in training and acting."""
    for feels in (True, False):
        bench = _Bench(settings, seed, feels=feels)
        data = to_data(bench.demonstrations(), bench.spec, feels=feels)
        trained = train(
            new_policy(data, PolicyConfig(), seed),
            data,
            _algorithm("hg_dagger"),
            num_updates=settings.base_updates,
            update=UpdateConfig(),
            mix=MixConfig(),
            seed=seed,
        )
        finding = bench.evaluate(trained.policy, Guidance(), "touch" if feels else "no-touch")
        yield {**finding, "loss": round(trained.loss, 4)}


def rounds(settings: Settings, seed: int) -> Iterator[Finding]:
    """The base, then every round's candidate; each restarts from the base on all data so far."""
    bench = _Bench(settings, seed)
    episodes = bench.demonstrations()
    data = to_data(episodes, bench.spec)
    start, algorithm, guidance = new_policy(data, PolicyConfig(), seed), _algorithm("hg_dagger"), Guidance()
    num_updates, policy = settings.base_updates, start
    for index in range(settings.rounds + 1):
        collected: list[Episode] = []
        if index:
            collected = bench.collect(policy, guidance)
            episodes += collected
            data, algorithm = to_data(episodes, bench.spec), _algorithm(settings.algorithm)
            num_updates = settings.round_updates
        trained = train(
            start,
            data,
            algorithm,
            num_updates=num_updates,
            update=UpdateConfig(),
            mix=MixConfig(),
            seed=seed * 10 + index,
        )
        policy, guidance = trained.policy, algorithm.guidance(trained.labels)
        start = start if index else policy
        report = trained.labels.report
        yield {
            **bench.evaluate(policy, guidance, f"round-{index}" if index else "base"),
            "steps": sum(e.num_steps for e in collected),
            "correction_steps": int(sum(np.sum(e.is_correction) for e in collected)),
            "loss": round(trained.loss, 4),
            "mix": trained.mix,
            "guidance": f"{guidance.reference} {guidance.scale}",
            "critic": report.reason if report else "",
        }


def _algorithm(name: str) -> Algorithm:
    return create(
        name,
        advantage=AdvantageConfig(),
        critic=CriticConfig(),
        value=ValueConfig(),
        mixing=MixConfig(),
        condition=ConditionConfig(),
    )
