"""The judge: reads episodes, decides on candidates, moves aliases. It trains nothing and keeps nothing.

    candidate --fast gate--> canary --stages, sequential gate--> champion, or rejected; the champion stays

All state is in the registry and in the lake, so a judge that is killed goes on where it was. The first
version becomes champion after the fast gate, as there is nobody to compare with. One canary at a time;
the newest candidate goes first, older ones that wait are superseded.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from infra import freeze, releases, rollout
from infra.ledger import Ledger
from infra.metrics import Metrics
from infra.registry import PolicyRegistry, PolicyVersion
from infra.releases import CanaryCohort
from infra.rollout_state import RolloutConfig
from infra.weight_signing import Trust
from learner.fast_gate import FastGateConfig, flaw_of_episodes, flaw_of_error, flaw_of_weights
from learner.judge_bench import AUTHOR, Bench, JudgeConfig
from learner.judge_canary import CanaryTrial
from learner.trial import Attempt, Scene, gate_attempts
from learner.verdict import GateConfig
from policy.schema import Source
from storage.episode_index import EpisodeIndex

_LOG = logging.getLogger(__name__)
_NEVER_ACTED = (None, "candidate", "rejected")


class Judge:
    """One judge; `step` is one look."""

    def __init__(
        self,
        *,
        registry: PolicyRegistry,
        ledger: Ledger,
        index: EpisodeIndex,
        directory: Path,
        config: JudgeConfig,
        fast_gate: FastGateConfig,
        gate: GateConfig,
        cohort: CanaryCohort,
        stages: RolloutConfig,
        metrics: Metrics,
        now_ns: Callable[[], int] = time.time_ns,
        trust: Trust | None = None,
    ) -> None:
        """Collect the parts; candidates are fetched into `directory`, if `trust` knows who published them.

        Raises:
            ConfigError: the cohort names robots that the fleet does not have, so that no rollout could start.
        """
        rollout.refuse_missing(cohort)
        self._bench = Bench(registry=registry, ledger=ledger, index=index, metrics=metrics, now_ns=now_ns)
        self._registry, self._ledger, self._index = registry, ledger, index
        self._directory, self._metrics, self._fast_gate = directory, metrics, fast_gate
        self._cohort, self._stages, self._trust = cohort, stages, trust
        self._trial = CanaryTrial(self._bench, config, gate)

    def step(self) -> None:
        """Look at the registry and at new episodes, and decide what can be decided.

        Raises:
            RegistryUnavailable: try again later; nothing is half done that a next look does not finish.
            LakeError: the same.
            ConfigError: a person moved something at the same time; look again.
        """
        is_frozen = freeze.is_frozen(self._registry)
        self._metrics.set("touchline_promotion_frozen", float(is_frozen))
        self._ledger.flush()
        self._index.refresh()
        canary = self._registry.alias(releases.CANARY)
        if canary is not None:
            self._trial.step(self._registry.get(canary), is_frozen=is_frozen)
        elif not is_frozen:
            self._admit_newest()

    def _admit_newest(self) -> None:
        waiting = [v for v in self._registry.versions() if v.tags.get(releases.STATUS_TAG) == "candidate"]
        for older in waiting[:-1]:
            self._bench.reject(older.version, f"superseded by candidate {waiting[-1].version} before its turn")
        if waiting:
            self._admit(waiting[-1])

    def _admit(self, candidate: PolicyVersion) -> None:
        """The fast gate."""
        since_ns = self._bench.trial_began_ns(candidate)
        champion = self._bench.champion()
        ours = gate_attempts(self._index, candidate.version)
        theirs = gate_attempts(self._index, champion.version) if champion else {}
        has_tried = len(ours) >= self._fast_gate.num_episodes
        flaw = (
            self._flaw_of_weights(candidate, champion)
            or flaw_of_error(candidate, champion, self._base(), self._fast_gate)
            or (flaw_of_episodes(ours, theirs) if self._fast_gate.num_episodes and has_tried else "")
        )
        if flaw:
            self._bench.reject(candidate.version, f"fast gate: {flaw}")
            return
        if not has_tried:
            self._say_waiting(candidate, len(ours), (self._bench.now_ns() - since_ns) / 1e9)
            return
        reason = f"fast gate passed: weights whole and finite, held-out error in bounds, {_tried(ours)}"
        if champion is None:
            self._bench.promote(candidate.version, f"{reason}; the first version")
        else:
            self._start(candidate.version, reason)

    def _flaw_of_weights(self, candidate: PolicyVersion, champion: PolicyVersion | None) -> str:
        spec_id = self._fleet_spec_id(champion)
        return flaw_of_weights(self._registry, candidate, self._directory, spec_id=spec_id, trust=self._trust)

    def _start(self, version: str, reason: str) -> None:
        rollout.start(
            self._registry,
            self._ledger,
            version,
            cohort=self._cohort,
            config=self._stages,
            author=AUTHOR,
            reason=reason,
            now_ns=self._bench.now_ns(),
        )
        self._bench.begin_trial(version)
        self._bench.note("canary", version, reason)

    def _say_waiting(self, candidate: PolicyVersion, num_tried: int, waited_s: float) -> None:
        """A candidate that nobody tries must not pass unseen; say once in words what is missing."""
        reason = (
            f"waits for simulated episodes: {num_tried} of {self._fast_gate.num_episodes}; does an evaluator run "
            "(touchline evaluate candidates)? Where there is none, set fast_gate.num_episodes = 0"
        )
        if waited_s >= self._fast_gate.wait_s and candidate.tags.get(releases.REASON_TAG) != reason:
            self._registry.set_tag(candidate.version, releases.REASON_TAG, reason)
            _LOG.warning("candidate %s %s", candidate.version, reason)

    def _base(self) -> PolicyVersion | None:
        """The first version that passed: what all rounds began with."""
        passed = (v for v in self._registry.versions() if v.tags.get(releases.STATUS_TAG) not in _NEVER_ACTED)
        return next(passed, None)

    def _fleet_spec_id(self, champion: PolicyVersion | None) -> str:
        """The body that weights must be for: the champion's, else that of the demonstrations."""
        if champion:
            return champion.spec_id
        demonstrated = (e.spec_id for e in self._index.episodes.values() if e.source == Source.DEMONSTRATION)
        return next(demonstrated, "")


def _tried(attempts: dict[Scene, Attempt]) -> str:
    if not attempts:
        return "no simulated episodes asked for"
    successes = sum(attempt.is_success for attempt in attempts.values())
    return f"{successes} of {len(attempts)} simulated episodes succeeded"
