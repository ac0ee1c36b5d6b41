"""What acts, and how that changes: the functions that the command line, pages and the judge all call.

    candidate --start_canary--> canary --promote--> champion --promote another--> retired
        `----------------------reject------------------------> rejected <--rollback--'

The aliases `champion`, `canary` and `previous` are the truth; each function moves them first and
then writes the ledger line, which is also the hint that makes robots look. Robots ask
`acting_version` and swap between episodes.
"""

import dataclasses
import json
import time
from collections.abc import Mapping

from infra.ledger import Ledger
from infra.registry import PolicyRegistry
from policy.errors import ConfigError
from policy.schema import Release

CHAMPION = "champion"
CANARY = "canary"
PREVIOUS = "previous"

STATUS_TAG = "status"
REASON_TAG = "role_reason"
BEFORE_TAG = "champion_before"
"""On a champion: the version that it replaced, so that a rollback knows where one more would go."""
FREEZE_TAG = "freeze"

Evidence = Mapping[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CanaryCohort:
    """Which robots try a canary; none where both `robots` and `num_robots` are empty."""

    robots: tuple[str, ...] = ()
    """By name."""
    num_robots: int = 1
    """By count, from the front of `fleet`; used where `robots` is empty."""
    fleet: tuple[str, ...] = ()
    """All robot names, in the order in which they become canaries; the supervisor fills it in."""

    def __contains__(self, robot_id: object) -> bool:
        return robot_id in (self.robots or self.fleet[: self.num_robots])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Acting:
    """What one robot is to run."""

    version: str
    role: str
    """"champion" or "canary"."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Freeze:
    """Promotions are stopped."""

    author: str
    reason: str
    since_ns: int
    expires_ns: int
    """0 for never."""


def acting_version(registry: PolicyRegistry, robot_id: str, cohort: CanaryCohort) -> Acting | None:
    """The released version that a robot may run; None where nothing was ever released."""
    aliases = registry.aliases()
    if CANARY in aliases and robot_id in cohort:
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
) -> Release:
    """Let the canary robots run a version from their next episode.

    Raises:
        ConfigError: frozen, or the version was rejected (and not `force`).
        WeightsRejected: no such version.
    """
    _refuse_unless_releasable(registry, version, force)
    before = registry.alias(CANARY) or ""
    registry.set_alias(CANARY, version)
    _set_status(registry, version, CANARY, reason)
    return ledger.write(
        CANARY, policy_version=version, previous_version=before, author=author, reason=reason, evidence=evidence
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
    registry.set_tag(version, BEFORE_TAG, before)
    if before:
        registry.set_alias(PREVIOUS, before)
    registry.set_alias(CHAMPION, version)
    if aliases.get(CANARY) == version:
        registry.delete_alias(CANARY)
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
    if aliases.get(CANARY) == version:
        registry.delete_alias(CANARY)
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
    bad, target = aliases.get(CHAMPION, ""), version or aliases.get(PREVIOUS)
    if not target or target == bad:
        raise ConfigError("there is no previous champion to go back to; name one with --version", champion=bad)
    before = registry.get(target).tags.get(BEFORE_TAG, "")
    registry.set_alias(CHAMPION, target)
    if before and before != bad:
        registry.set_alias(PREVIOUS, before)
    else:
        registry.delete_alias(PREVIOUS)
    if aliases.get(CANARY) in (bad, target):
        registry.delete_alias(CANARY)
    if bad:
        _set_status(registry, bad, "rejected", reason)
    _set_status(registry, target, CHAMPION, reason)
    return ledger.write(
        "rollback", policy_version=target, previous_version=bad, author=author, reason=reason, evidence=evidence
    )


def freeze(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str, expires_ns: int = 0) -> Release:
    """Stop promotions and new canaries until `expires_ns` (0 for never) or `thaw`."""
    state = Freeze(author=author, reason=reason, since_ns=time.time_ns(), expires_ns=expires_ns)
    registry.set_model_tag(FREEZE_TAG, json.dumps(dataclasses.asdict(state)))
    return _note(registry, ledger, "freeze", author, reason)


def thaw(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str) -> Release:
    """Allow promotions again."""
    registry.set_model_tag(FREEZE_TAG, "")
    return _note(registry, ledger, "thaw", author, reason)


def freeze_state(registry: PolicyRegistry, now_ns: int | None = None) -> Freeze | None:
    """The freeze that is in force."""
    text = registry.model_tags().get(FREEZE_TAG)
    if not text:
        return None
    state = Freeze(**json.loads(text))
    now_ns = time.time_ns() if now_ns is None else now_ns
    return None if 0 < state.expires_ns <= now_ns else state


def is_frozen(registry: PolicyRegistry, now_ns: int | None = None) -> bool:
    """Whether promotions are stopped."""
    return freeze_state(registry, now_ns) is not None


def _refuse_unless_releasable(registry: PolicyRegistry, version: str, force: bool) -> None:
    status = registry.get(version).tags.get(STATUS_TAG)
    if force:
        return
    if status == "rejected":
        raise ConfigError("the version was rejected; --force releases it all the same", version=version)
    if state := freeze_state(registry):
        raise ConfigError(
            "promotions are frozen; touchline thaw ends that, --force ignores it",
            author=state.author,
            reason=state.reason,
        )


def _set_status(registry: PolicyRegistry, version: str, status: str, reason: str) -> None:
    registry.set_tag(version, STATUS_TAG, status)
    registry.set_tag(version, REASON_TAG, reason)


def _note(registry: PolicyRegistry, ledger: Ledger, event: str, author: str, reason: str) -> Release:
    champion = registry.alias(CHAMPION) or ""
    return ledger.write(event, policy_version=champion, previous_version=champion, author=author, reason=reason)
