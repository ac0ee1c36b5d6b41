"""What the judge works with, and the few things that both gates do with it."""

import dataclasses
import enum
import logging
from collections.abc import Callable

from infra import releases
from infra.ledger import Ledger
from infra.metrics import Metrics
from infra.registry import PolicyRegistry, PolicyVersion
from policy.errors import ConfigError
from storage.episode_index import EpisodeIndex

_LOG = logging.getLogger(__name__)
AUTHOR = "judge"
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
    """Wall time, beyond the soak, after which a canary without a decision is rejected; anew in each stage."""
    poll_s: float = 1.0
    """Pause between looks."""
    tell_s: float = 10.0
    """Least time between two verdicts written to the registry while nothing is decided."""

    def __post_init__(self) -> None:
        if not (self.max_trial_s > 0 and self.poll_s > 0 and self.tell_s >= 0):
            raise ConfigError("max_trial_s and poll_s must be above 0, tell_s not below")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Registry, ledger, episodes, metrics and clock of one judge."""

    registry: PolicyRegistry
    ledger: Ledger
    index: EpisodeIndex
    metrics: Metrics
    now_ns: Callable[[], int]

    def champion(self) -> PolicyVersion | None:
        """The version to beat."""
        version = self.registry.alias(releases.CHAMPION)
        return self.registry.get(version) if version else None

    def trial_began_ns(self, version: PolicyVersion) -> int:
        """When this version came to its present gate; noted at the first look."""
        if _TRIAL_TAG not in version.tags:
            return self.begin_trial(version.version)
        return int(version.tags[_TRIAL_TAG])

    def begin_trial(self, version: str) -> int:
        """Note that a version comes to a gate now."""
        now_ns = self.now_ns()
        self.registry.set_tag(version, _TRIAL_TAG, str(now_ns))
        return now_ns

    def promote(self, version: str, reason: str, evidence: releases.Evidence | None = None) -> None:
        """Make it the champion."""
        releases.promote(self.registry, self.ledger, version, author=AUTHOR, reason=reason, evidence=evidence)
        self.note("promote", version, reason)

    def reject(self, version: str, reason: str, evidence: releases.Evidence | None = None) -> None:
        """Close it."""
        releases.reject(self.registry, self.ledger, version, author=AUTHOR, reason=reason, evidence=evidence)
        self.note("reject", version, reason)

    def note(self, event: str, version: str, reason: str) -> None:
        """Count and log a decision."""
        self.metrics.count("touchline_promotion_total", event=event)
        _LOG.info("%s %s: %s", event, version, reason)
