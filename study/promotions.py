"""Promotions in a row while the world changes under the fleet: collect, learn, ask the gate, release or refuse.

A round is a fleet's in lock-step: the champion works under the world of now, the learner makes a candidate
from the base and the newest rounds, and the judge's own rules decide: its bounds on the held-out error of
demonstrations, then `verdict.judge_pairs` on paired gate scenes of that world. After it the champion and the
start, a base that never learns, are measured on the same held-out scenes.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learner.fast_gate import FastGateConfig, flaw_of_losses
from learner.losses import held_out_loss
from learner.trial import Attempt, Pair
from learner.verdict import Choice, GateConfig, Verdict, judge_pairs
from policy import checkpoint
from policy.errors import ConfigError
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import SceneSplit
from study import episode
from study.cell import Finding
from study.episode import Episode
from study.history import compared, recovery, summary
from study.learning import Learning, train
from study.person import PersonConfig
from study.world import World, WorldConfig

_GATE_SCENES_PER_ROUND = 1_000
_PAIRS_PER_LOOK = 16
"""Scenes between two looks at the evidence: half of the robots in lock-step."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromotionConfig:
    """How a round goes."""

    num_episodes: int
    """Watched rollouts of the champion."""
    num_updates: int
    """Of the candidate, from the base."""
    num_scenes: int
    """Gate scenes at most, and held-out scenes after the round."""
    num_rounds_kept: int = 5
    """Rounds whose episodes are learned from: what is older was another world."""
    jumps: tuple[int, ...] = ()
    """Rounds in which the world changes at once, counted from 1: how long until the champion is back?"""
    is_gated: bool = True
    """Whether the judge decides; else every candidate is promoted."""
    algorithm: str = "recap"
    """By name."""
    changes: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Sections of settings that differ from the learner's defaults."""

    def __post_init__(self) -> None:
        for name in ("num_episodes", "num_updates", "num_scenes", "num_rounds_kept"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1", value=getattr(self, name))
        if any(jump < 2 for jump in self.jumps):
            raise ConfigError("a jump needs a round before it", jumps=self.jumps)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Acting:
    """Weights that act, with how they do."""

    round: int
    """That made them; 0 is the start."""
    policy: Policy
    guidance: Guidance
    held_out_loss: float


class Promotions:
    """One history, from a base that was trained before the world changed."""

    def __init__(self, config: PromotionConfig, world: WorldConfig, person: PersonConfig, folder: Path) -> None:
        """`folder` takes the episodes while it runs."""
        self._config, self._world, self._person, self._folder = config, world, person, folder
        self._learning = Learning.of(config.algorithm, config.changes)
        self._gate = GateConfig(
            min_pairs=min(_PAIRS_PER_LOOK, config.num_scenes), max_pairs=min(GateConfig().max_pairs, config.num_scenes)
        )
        self._measured: dict[tuple[int, str], Finding] = {}

    def run(self, base: Path, demonstrations: Path, conditions: Sequence[Mapping[str, Any]]) -> Finding:
        """The history, one entry a round.

        Args:
            base: checkpoint of the base, which is also the start.
            demonstrations: what it learned from.
            conditions: the task's options in every round.
        """
        spec = World(self._world).spec
        start_policy = checkpoint.load(base)
        shown = held_out_loss(start_policy, episode.load([demonstrations], spec))
        start = champion = Acting(round=0, policy=start_policy, guidance=Guidance(), held_out_loss=shown)
        files: list[Path] = []
        curve: list[Finding] = []
        for round, options in enumerate(conditions, start=1):
            world = World(dataclasses.replace(self._world, options={**self._world.options, **options}))
            worked = self._work(world, champion, round)
            files = [*files, self._episodes(round)]
            candidate = self._candidate(world, base, [demonstrations, *files[-self._config.num_rounds_kept :]], round)
            decided, reason = self._decide(world, candidate, champion, start, round)
            if decided:
                champion = candidate
            after = self._measure(world, champion, options)
            before = self._measure(world, start, options)
            judged = {"is_promoted": decided, "reason": reason, "held_out_loss": candidate.held_out_loss}
            curve.append({"round": round, "options": dict(options), **worked, **judged, **compared(after, before)})
        for path in files:
            path.unlink()
        return {
            **summary(curve),
            "held_out_loss_of_start": start.held_out_loss,
            "recoveries": [recovery(curve, jump) for jump in self._config.jumps],
        }

    def _work(self, world: World, champion: Acting, round: int) -> Finding:
        episodes = list(
            world.collect(champion.policy, champion.guidance, self._person, self._config.num_episodes, round=round)
        )
        episode.save(self._episodes(round), episodes)
        num_steps = sum(one.num_steps for one in episodes)
        return {
            "robot_minutes": num_steps / world.spec.control_rate_hz / 60,
            "num_correction_steps": sum(sum(one.is_correction) for one in episodes),
        }

    def _candidate(self, world: World, base: Path, files: list[Path], round: int) -> Acting:
        data = episode.load(files, world.spec)
        seed = self._world.seed * 1000 + round
        trained = train(checkpoint.load(base), data, self._learning, num_updates=self._config.num_updates, seed=seed)
        return Acting(
            round=round,
            policy=trained.policy,
            guidance=self._learning.algorithm.guidance(trained.labels),
            held_out_loss=held_out_loss(trained.policy, data),
        )

    def _decide(self, world: World, candidate: Acting, champion: Acting, start: Acting, round: int) -> tuple[bool, str]:
        """(whether it is promoted, why)."""
        if not self._config.is_gated:
            return True, "every candidate is promoted"
        flaw = flaw_of_losses(
            candidate.held_out_loss,
            champion=champion.held_out_loss,
            base=start.held_out_loss,
            config=FastGateConfig(),
        )
        if flaw:
            return False, f"fast gate: {flaw}"
        verdict = self._judge(world, candidate, champion, round)
        return verdict.choice is Choice.PROMOTE, verdict.reason

    def _judge(self, world: World, candidate: Acting, champion: Acting, round: int) -> Verdict:
        """Both run gate scenes, some at a time, until the judge has seen enough."""
        scenes = world.scenes(SceneSplit.GATE, self._config.num_scenes, round * _GATE_SCENES_PER_ROUND)
        pairs: list[Pair] = []
        for first in range(0, len(scenes), _PAIRS_PER_LOOK):
            some = scenes[first : first + _PAIRS_PER_LOOK]
            ours, theirs = (_attempts(world.unaided(one.policy, one.guidance, some)) for one in (candidate, champion))
            pairs += [Pair(task=self._world.task, ours=ours[scene], theirs=theirs[scene]) for scene in some]
            verdict = judge_pairs(pairs, self._gate)
            if verdict.choice is not Choice.WAIT:
                break
        return verdict

    def _measure(self, world: World, acting: Acting, options: Mapping[str, Any]) -> Finding:
        """Held-out success under the world of now; nothing is measured twice."""
        key = (acting.round, json.dumps(options, sort_keys=True))
        if key not in self._measured:
            self._measured[key] = world.evaluate(acting.policy, acting.guidance, self._config.num_scenes)
        return self._measured[key]

    def _episodes(self, round: int) -> Path:
        return self._folder / f"round-{round}.npz"


def _attempts(episodes: Sequence[Episode]) -> dict[int, Attempt]:
    return {one.scene_seed: Attempt(is_success=one.is_success, num_steps=one.num_steps) for one in episodes}
