"""The judge: reads episodes, decides on candidates, moves aliases. It trains nothing and keeps nothing.

    candidate --fast gate--> canary --sequential gate--> champion, or rejected; the champion stays

All state is in the registry and in the lake, so a judge that is killed goes on where it was. The first
version becomes champion after the fast gate, as there is nobody to compare with. One canary at a time;
the newest candidate goes first, older ones that wait are superseded.
"""

import dataclasses
import enum
import logging
import time
from collections.abc import Callable
from pathlib import Path

from infra import releases
from infra.ledger import Ledger
from infra.metrics import Metrics
from infra.registry import PolicyRegistry, PolicyVersion
from learner.fast_gate import FastGateConfig, flaw_of_episodes, flaw_of_error, flaw_of_weights
from learner.trial import Attempt, Scene, gate_attempts, paired, work_attempts
from learner.verdict import Choice, GateConfig, judge_pairs
from policy.errors import ConfigError
from policy.schema import Source
from storage.episode_index import EpisodeIndex

_LOG = logging.getLogger(__name__)
_AUTHOR = "judge"
_TRIAL_TAG = "trial_since_ns"


class EvidenceSource(enum.StrEnum):
    """Which episodes decide."""

    EVALUATION = "evaluation"
    """Held-out scenes in simulation, without help, the same for both."""
    WORK = "work"
    """The canary's own episodes against the champion's in the same hours: for robots without a simulator.
    Only fair where canary robots get as much help as others."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """How the judge works."""

    evidence: EvidenceSource = EvidenceSource.EVALUATION
    """evaluation or work."""
    max_trial_s: float = 3_600.0
    """Wall time after which a canary without a decision is rejected."""
    poll_s: float = 1.0
    """Pause between looks."""

    def __post_init__(self) -> None:
        if not self.max_trial_s > 0 or not self.poll_s > 0:
            raise ConfigError("max_trial_s and poll_s must be above 0")


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
        metrics: Metrics,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Collect the parts; candidates are fetched into `directory`."""
        self._registry, self._ledger, self._index = registry, ledger, index
        self._directory, self._metrics, self._now_ns = directory, metrics, now_ns
        self._config, self._fast_gate, self._gate = config, fast_gate, gate

    def step(self) -> None:
        """Look at the registry and at new episodes, and decide what can be decided.

        Raises:
            RegistryUnavailable: try again later; nothing is half done that a next look does not finish.
            LakeError: the same.
        """
        is_frozen = releases.is_frozen(self._registry)
        self._metrics.set("touchline_promotion_frozen", float(is_frozen))
        self._ledger.flush()
        if is_frozen:
            return
        self._index.refresh()
        canary = self._registry.alias(releases.CANARY)
        if canary is not None:
            self._try_canary(self._registry.get(canary))
            return
        waiting = [v for v in self._registry.versions() if v.tags.get(releases.STATUS_TAG) == "candidate"]
        for older in waiting[:-1]:
            self._reject(older.version, f"superseded by candidate {waiting[-1].version} before its turn")
        if waiting:
            self._admit(waiting[-1])

    def _admit(self, candidate: PolicyVersion) -> None:
        """The fast gate."""
        since_ns = self._trial_began_ns(candidate)
        champion = self._champion()
        ours = gate_attempts(self._index, candidate.version)
        theirs = gate_attempts(self._index, champion.version) if champion else {}
        flaw = (
            flaw_of_weights(self._registry, candidate, self._directory, spec_id=self._fleet_spec_id(champion))
            or flaw_of_error(candidate, champion, self._fast_gate)
            or (flaw_of_episodes(ours, theirs) if 0 < self._fast_gate.num_episodes <= len(ours) else "")
        )
        if flaw:
            self._reject(candidate.version, f"fast gate: {flaw}")
            return
        waited_s = (self._now_ns() - since_ns) / 1e9
        if len(ours) < self._fast_gate.num_episodes and waited_s < self._fast_gate.wait_s:
            return
        reason = f"fast gate passed: weights whole and finite, held-out error in bounds, {_tried(ours)}"
        if champion is None:
            self._release(releases.promote, candidate.version, f"{reason}; the first version")
        else:
            self._release(releases.start_canary, candidate.version, reason)
            self._registry.set_tag(candidate.version, _TRIAL_TAG, str(self._now_ns()))

    def _try_canary(self, canary: PolicyVersion) -> None:
        """The sequential gate."""
        champion = self._champion()
        since_ns = self._trial_began_ns(canary)
        if champion is None:
            self._release(releases.promote, canary.version, "the first version")
            return
        if self._config.evidence is EvidenceSource.WORK:
            ours, theirs = (work_attempts(self._index, v.version, since_ns) for v in (canary, champion))
        else:
            ours, theirs = (gate_attempts(self._index, v.version) for v in (canary, champion))
        verdict = judge_pairs(paired(ours, theirs), self._gate)
        if verdict.choice is Choice.PROMOTE:
            self._release(releases.promote, canary.version, verdict.reason, verdict.evidence)
        elif verdict.choice is Choice.REJECT:
            self._reject(canary.version, verdict.reason, verdict.evidence)
        elif (self._now_ns() - since_ns) / 1e9 > self._config.max_trial_s:
            self._reject(canary.version, f"undecided in time: {verdict.reason}", verdict.evidence)

    def _trial_began_ns(self, version: PolicyVersion) -> int:
        """When this version came to its present gate; noted at the first look."""
        if _TRIAL_TAG not in version.tags:
            self._registry.set_tag(version.version, _TRIAL_TAG, str(self._now_ns()))
            return self._now_ns()
        return int(version.tags[_TRIAL_TAG])

    def _champion(self) -> PolicyVersion | None:
        version = self._registry.alias(releases.CHAMPION)
        return self._registry.get(version) if version else None

    def _fleet_spec_id(self, champion: PolicyVersion | None) -> str:
        """The body that weights must be for: the champion's, else that of the demonstrations."""
        if champion:
            return champion.spec_id
        demonstrated = (e.spec_id for e in self._index.episodes.values() if e.source == Source.DEMONSTRATION)
        return next(demonstrated, "")

    def _release(
        self,
        move: Callable[..., object],
        version: str,
        reason: str,
        evidence: releases.Evidence | None = None,
    ) -> None:
        move(self._registry, self._ledger, version, author=_AUTHOR, reason=reason, evidence=evidence)
        self._note("promote" if move is releases.promote else "canary", version, reason)

    def _reject(self, version: str, reason: str, evidence: releases.Evidence | None = None) -> None:
        releases.reject(self._registry, self._ledger, version, author=_AUTHOR, reason=reason, evidence=evidence)
        self._note("reject", version, reason)

    def _note(self, event: str, version: str, reason: str) -> None:
        self._metrics.count("touchline_promotion_total", event=event)
        _LOG.info("%s %s: %s", event, version, reason)


def _tried(attempts: dict[Scene, Attempt]) -> str:
    if not attempts:
        return "no simulated episodes came in time"
    successes = sum(attempt.is_success for attempt in attempts.values())
    return f"{successes} of {len(attempts)} simulated episodes succeeded"
