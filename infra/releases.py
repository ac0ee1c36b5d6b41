"""What acts, and how that changes: the functions that the command line, pages and the judge all call.

    candidate --start_canary--> canary --promote--> champion --promote another--> retired
        `----------------------reject------------------------> rejected <--rollback--'

The aliases `champion`, `canary` and `previous` are the truth; each function moves them first and
then writes the ledger line, which is also the hint that makes robots look. Robots ask
`acting_versions` and swap between episodes. `rollout.py` widens a canary stage by stage.
"""

import dataclasses
import time
from collections.abc import Iterable, Mapping

from infra import freeze, rollout_state, shadow, weight_signing
from infra.ledger import Ledger
from infra.registry import CANARY as CANARY
from infra.registry import CHAMPION as CHAMPION
from infra.registry import PREVIOUS as PREVIOUS
from infra.registry import PolicyRegistry
from infra.rollout_state import Rollout
from policy.errors import ConfigError
from policy.schema import Release

STATUS_TAG = "status"
REASON_TAG = "role_reason"
VERDICT_TAG = "verdict"
"""On a version that was on trial: what the judge makes of it, as JSON (`learner/verdict_record.py`)."""
BEFORE_TAG = "champion_before"
"""On a champion: the version that it replaced, so that a rollback knows where one more would go."""

Evidence = Mapping[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CanaryCohort:
    """Which robots try a canary; none where both `robots` and `num_robots` are empty."""

    robots: tuple[str, ...] = ()
    """By name; a staged rollout takes these first."""
    num_robots: int = 1
    """By count, from the front of `fleet`; used where `robots` is empty and no staged rollout gives a count."""
    fleet: tuple[str, ...] = ()
    """All robot names, in the order in which they become canaries; the supervisor adds those that it starts."""

    def __contains__(self, robot_id: object) -> bool:
        return robot_id in (self.robots or self.fleet[: self.num_robots])

    @property
    def order(self) -> tuple[str, ...]:
        """The fleet in the order in which a staged rollout takes it; empty where nobody tries a canary."""
        if not self.robots and not self.num_robots:
            return ()
        return (*self.robots, *(robot_id for robot_id in self.fleet if robot_id not in self.robots))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Acting:
    """What one robot is to run."""

    version: str
    role: str
    """"champion" or "canary"."""


def acting_versions(
    registry: PolicyRegistry, robot_ids: Iterable[str], cohort: CanaryCohort
) -> dict[str, Acting | None]:
    """The released version that each robot may run, from one look; None where nothing was ever released."""
    aliases = registry.aliases()
    rollout = rollout_state.read(registry, aliases.get(CANARY))
    return {robot_id: acting_of(aliases, rollout, robot_id, cohort) for robot_id in robot_ids}


def acting_of(
    aliases: Mapping[str, str], rollout: Rollout | None, robot_id: str, cohort: CanaryCohort
) -> Acting | None:
    """What one robot may run, from what a look at the registry gave: a staged rollout counts, else the cohort."""
    if CANARY in aliases and robot_id in (rollout.robots if rollout else cohort):
        return Acting(version=aliases[CANARY], role=CANARY)
    if CHAMPION in aliases:
        return Acting(version=aliases[CHAMPION], role=CHAMPION)
    return None


def announce(
    registry: PolicyRegistry,
    ledger: Ledger,
    version: str,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
) -> Release:
    """Enter a new version as a candidate."""
    _set_status(registry, version, "candidate", reason)
    return ledger.write(
        "candidate",
        policy_version=version,
        previous_version=registry.alias(CHAMPION) or "",
        author=author,
        reason=reason,
        evidence=evidence,
    )


def start_canary(
    registry: PolicyRegistry,
    ledger: Ledger,
    version: str,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
    force: bool = False,
    rollout: Rollout | None = None,
) -> Release:
    """Let the canary robots run a version from their next episode: the cohort, or the rollout's robots.

    Raises:
        ConfigError: frozen, or the version was rejected (and not `force`).
        WeightsRejected: no such version.
    """
    _refuse_unless_releasable(registry, version, force)
    before, decided_ns = registry.alias(CANARY) or "", time.time_ns()
    # The state first: it counts for nothing until the alias names its version.
    rollout_state.write(registry, rollout)
    _order(registry, ledger, version, CANARY)
    registry.set_alias(CANARY, version)
    _set_status(registry, version, CANARY, reason)
    return ledger.write(
        CANARY,
        policy_version=version,
        previous_version=before,
        author=author,
        reason=reason,
        evidence=evidence,
        decided_ns=decided_ns,
    )


def promote(
    registry: PolicyRegistry,
    ledger: Ledger,
    version: str,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
    force: bool = False,
) -> Release:
    """Make a version the champion; every robot runs it from its next episode.

    Raises:
        ConfigError: frozen, the version was rejected (and not `force`), or is the champion already.
        WeightsRejected: no such version.
    """
    _refuse_unless_releasable(registry, version, force)
    aliases = registry.aliases()
    before = aliases.get(CHAMPION, "")
    if before == version:
        raise ConfigError("the version is the champion already", version=version)
    decided_ns = time.time_ns()
    registry.set_tag(version, BEFORE_TAG, before)
    if before:
        registry.set_alias(PREVIOUS, before)
    _order(registry, ledger, version, CHAMPION)
    registry.set_alias(CHAMPION, version)
    shadow.end_if_acting(registry, aliases, version)
    _end_trial(registry, aliases, version)
    if before:
        _set_status(registry, before, "retired", f"replaced by {version}")
    _set_status(registry, version, CHAMPION, reason)
    return ledger.write(
        "promote",
        policy_version=version,
        previous_version=before,
        author=author,
        reason=reason,
        evidence=evidence,
        decided_ns=decided_ns,
    )


def reject(
    registry: PolicyRegistry,
    ledger: Ledger,
    version: str,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
) -> Release:
    """Close a candidate or a canary; the champion stays.

    Raises:
        ConfigError: the version is the champion: that takes a rollback.
        WeightsRejected: no such version.
    """
    aliases = registry.aliases()
    if aliases.get(CHAMPION) == version:
        raise ConfigError("the champion is not rejected but rolled back (touchline rollback)", version=version)
    _set_status(registry, version, "rejected", reason)
    _end_trial(registry, aliases, version)
    return ledger.write(
        "reject",
        policy_version=version,
        previous_version=aliases.get(CHAMPION, ""),
        author=author,
        reason=reason,
        evidence=evidence,
    )


def rollback(
    registry: PolicyRegistry,
    ledger: Ledger,
    *,
    author: str,
    reason: str,
    version: str | None = None,
    evidence: Evidence | None = None,
) -> Release:
    """Make the previous champion (or the named version) act again; the current one is rejected.

    Works while frozen, because it is how a person makes things safe again.

    Raises:
        ConfigError: there is nothing to go back to.
        WeightsRejected: no such version.
    """
    aliases = registry.aliases()
    bad, target = aliases.get(CHAMPION, ""), rollback_target(aliases, version)
    before, decided_ns = registry.get(target).tags.get(BEFORE_TAG, ""), time.time_ns()
    _order(registry, ledger, target, CHAMPION)
    registry.set_alias(CHAMPION, target)
    if before and before != bad:
        registry.set_alias(PREVIOUS, before)
    else:
        registry.delete_alias(PREVIOUS)
    shadow.end_if_acting(registry, aliases, target)
    _end_trial(registry, aliases, bad, target)
    if bad:
        _set_status(registry, bad, "rejected", reason)
    _set_status(registry, target, CHAMPION, reason)
    return ledger.write(
        "rollback",
        policy_version=target,
        previous_version=bad,
        author=author,
        reason=reason,
        evidence=evidence,
        decided_ns=decided_ns,
    )


def rollback_target(aliases: Mapping[str, str], version: str | None) -> str:
    """The version that a rollback makes champion.

    Raises:
        ConfigError: there is nothing to go back to.
    """
    bad, target = aliases.get(CHAMPION, ""), version or aliases.get(PREVIOUS)
    if not target or target == bad:
        raise ConfigError("there is no previous champion to go back to; name one with --version", champion=bad)
    return target


def _order(registry: PolicyRegistry, ledger: Ledger, version: str, role: str) -> None:
    """Sign that the version acts: a robot follows no alias that points elsewhere (`weight_signing.py`)."""
    if ledger.signatory is not None:
        weight_signing.give_order(registry, ledger.signatory, version, role)


def _refuse_unless_releasable(registry: PolicyRegistry, version: str, force: bool) -> None:
    status = registry.get(version).tags.get(STATUS_TAG)
    if force:
        return
    if status == "rejected":
        raise ConfigError("the version was rejected; --force releases it all the same", version=version)
    freeze.refuse_if_frozen(registry)


def _end_trial(registry: PolicyRegistry, aliases: Mapping[str, str], *versions: str) -> None:
    """Take back the canary alias and its rollout, if one of these versions has them."""
    if aliases.get(CANARY) in versions:
        registry.delete_alias(CANARY)
        rollout_state.write(registry, None)


def _set_status(registry: PolicyRegistry, version: str, status: str, reason: str) -> None:
    registry.set_tag(version, STATUS_TAG, status)
    registry.set_tag(version, REASON_TAG, reason)
