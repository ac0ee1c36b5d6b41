"""A fleet on a lock-step virtual clock: robots work and the learner trains side by side, round after round.

In every round all robots work for the same minutes of their time, while the learner does the updates that
the clock allows on everything from the rounds before; then they take its weights. So the learner's pace
per fleet-minute is fixed, however many robots there are, and weights are always a round late.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy import checkpoint
from policy.errors import ConfigError
from policy.flow import Guidance
from policy.policy import Policy
from study import episode
from study.cell import Finding
from study.learning import Learning, Trained, train
from study.person import PersonConfig
from study.world import World


@dataclasses.dataclass(frozen=True, kw_only=True)
class FleetConfig:
    """One fleet's history."""

    num_robots: int
    """Robots that work."""
    num_rounds: int
    """Times that the robots take new weights."""
    round_minutes: float
    """Of robot time, between two such times."""
    updates_per_minute: int
    """The learner's pace."""
    is_continual: bool = False
    """Whether the learner goes on from its last weights; else from the base, on all data."""
    algorithm: str = "recap"
    """By name."""
    changes: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Sections of settings that differ from the learner's defaults."""
    target: float = 0.9
    """Success whose time is asked for."""
    ends_at_target: bool = False
    """Whether the history ends when it has got there, with rounds to spare."""

    def __post_init__(self) -> None:
        for name in ("num_robots", "num_rounds", "round_minutes", "updates_per_minute"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0", value=getattr(self, name))


class Fleet:
    """One history of a fleet, from a base that was trained before."""

    def __init__(self, config: FleetConfig, world: World, person: PersonConfig, folder: Path, *, seed: int) -> None:
        """`folder` takes the episodes while it runs."""
        self._config, self._world, self._person = config, world, person
        self._folder, self._seed = folder, seed
        self._learning = Learning.of(config.algorithm, config.changes)

    def run(self, base: Path, demonstrations: Path, num_evaluations: int) -> Finding:
        """Success over fleet minutes, and when the target was reached.

        Args:
            base: checkpoint of the base.
            demonstrations: what it learned from.
            num_evaluations: held-out scenes after every round.
        """
        config, files, minutes = self._config, [demonstrations], 0.0
        policy, guidance = checkpoint.load(base), Guidance()
        curve: list[Finding] = []
        for round in range(1, config.num_rounds + 1):
            worked = self._work(policy, guidance, round)
            minutes += worked.pop("fleet_minutes")
            if round > 1:
                # What was learned while the robots worked: from the rounds before this one.
                trained = self._train(base, policy, files, round)
                policy, guidance = trained.policy, self._learning.algorithm.guidance(trained.labels)
                evaluated = self._world.evaluate(policy, guidance, num_evaluations)
                curve.append({"round": round, "fleet_minutes": minutes, **worked, **evaluated})
            files.append(self._episodes(round))
            if config.ends_at_target and minutes_to(curve, config.target) is not None:
                break
        for path in files[1:]:
            path.unlink()
        return {
            **curve[-1],
            "curve": curve,
            "minutes_to_target": minutes_to(curve, config.target),
            "target": config.target,
        }

    def _work(self, policy: Policy, guidance: Guidance, round: int) -> Finding:
        config = self._config
        episodes = list(
            self._world.work(
                policy,
                guidance,
                self._person,
                num_robots=config.num_robots,
                minutes=config.round_minutes,
                round=round,
            )
        )
        episode.save(self._episodes(round), episodes)
        num_steps = sum(one.num_steps for one in episodes)
        return {
            "fleet_minutes": num_steps / config.num_robots / self._world.spec.control_rate_hz / 60,
            "num_worked_episodes": len(episodes),
            "num_worked_successes": sum(one.is_success for one in episodes),
            "num_correction_steps": sum(sum(one.is_correction) for one in episodes),
        }

    def _train(self, base: Path, last: Policy, files: list[Path], round: int) -> Trained:
        config = self._config
        return train(
            last if config.is_continual else checkpoint.load(base),
            episode.load(files, self._world.spec),
            self._learning,
            num_updates=max(1, int(config.updates_per_minute * config.round_minutes)),
            seed=self._seed * 1000 + round,
            is_scheduled=not config.is_continual,
        )

    def _episodes(self, round: int) -> Path:
        return self._folder / f"round-{round}.npz"


def minutes_to(curve: list[Finding], target: float) -> float | None:
    """Fleet minutes after which success is at least `target` in two rounds running; None if never.

    Two, because one round of 200 scenes reaches by luck what it does not hold.
    """
    for one, after in itertools.pairwise(curve):
        if min(one["success_rate"], after["success_rate"]) >= target:
            minutes: float = one["fleet_minutes"]
            return minutes
    return None
