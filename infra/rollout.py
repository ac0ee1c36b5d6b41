"""A version reaches the fleet by robot count, and anybody may hold it: what judge, pages and commands call.

    start -> stage 0 --next--> stage 1 --next--> ... --next--> promotion
               |  ^
          pause|  |resume           abort, from any stage: the robots go back, the version is rejected

The judge calls `next_stage` when a stage has its evidence and its soak, and `abort` on a regression. People
may call both at any time. A pause stops only the way forward: a regression still aborts.
"""

import dataclasses
import time

from infra import freeze, releases, rollout_state
from infra.ledger import Ledger
from infra.registry import PolicyRegistry
from infra.releases import CANARY, CHAMPION, CanaryCohort, Evidence
from infra.rollout_state import Rollout, RolloutConfig
from policy.errors import ConfigError
from policy.schema import Release


def under_way(registry: PolicyRegistry) -> Rollout | None:
    """The rollout of the version on trial, if there is one."""
    return rollout_state.read(registry, registry.alias(CANARY))


def refuse_missing(cohort: CanaryCohort) -> None:
    """Refuse a cohort by name that the fleet does not have: a rollout would wait for nobody, or pass untried.

    Raises:
        ConfigError: names who is missing, and what to mend.
    """
    missing = tuple(robot_id for robot_id in cohort.robots if robot_id not in cohort.fleet)
    if missing:
        raise ConfigError(
            "canary.robots names robots that are not in canary.fleet, so nobody would try the canary: add them "
            "to canary.fleet where they work on other machines, else take them out of canary.robots",
            missing=missing,
            fleet=cohort.fleet,
        )


def start(
    registry: PolicyRegistry,
    ledger: Ledger,
    version: str,
    *,
    cohort: CanaryCohort,
    config: RolloutConfig,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
    force: bool = False,
    now_ns: int | None = None,
) -> Release:
    """Let the first stage's robots run a version from their next episode.

    Raises:
        ConfigError: frozen, rejected (and not `force`), champion already, another version is on trial, there is no
            champion to compare with, or the cohort names robots that the fleet does not have.
        WeightsRejected: no such version.
    """
    refuse_missing(cohort)
    aliases = registry.aliases()
    champion, canary = aliases.get(CHAMPION), aliases.get(CANARY)
    if champion is None:
        raise ConfigError("there is no champion to compare with: promote the first version", version=version)
    if champion == version:
        raise ConfigError("the version is the champion already", version=version)
    if canary not in (None, version):
        raise ConfigError(f"version {canary} is on trial; abort that first (touchline rollout abort)", version=version)
    if rollout_state.read(registry, canary):
        raise ConfigError("its rollout is under way already", version=version)
    state = rollout_state.begin(
        version, champion, cohort.order, config, author=author, reason=reason, now_ns=_now(now_ns)
    )
    return releases.start_canary(
        registry,
        ledger,
        version,
        author=author,
        reason=reason,
        evidence={**(evidence or {}), **_facts(state)},
        force=force,
        rollout=state,
    )


def next_stage(
    registry: PolicyRegistry,
    ledger: Ledger,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
    from_stage: int | None = None,
    now_ns: int | None = None,
) -> Release:
    """Add the next stage's robots; after the last count, promote. A paused rollout stays paused.

    Args:
        registry: where the state is.
        ledger: takes the line.
        author: who decides.
        reason: why, in words.
        evidence: the numbers behind it.
        from_stage: the stage that the decision is about; None for whichever it is now.
        now_ns: None for the clock's.

    Raises:
        ConfigError: frozen, no rollout, or it has left `from_stage` meanwhile.
    """
    state = _state(registry)
    if from_stage not in (None, state.stage):
        raise ConfigError(f"the rollout has moved on to stage {state.stage + 1}; look again", version=state.version)
    freeze.refuse_if_frozen(registry)
    now_ns = _now(now_ns)
    if state.leads_to_all:
        facts = {"stage": len(state.stages) - 1, "stages": state.stages, "robots": state.fleet}
        return releases.promote(
            registry, ledger, state.version, author=author, reason=reason, evidence={**(evidence or {}), **facts}
        )
    return _move(
        registry,
        ledger,
        dataclasses.replace(
            state, stage=state.stage + 1, stage_since_ns=now_ns, idle_ns=0, paused_ns=now_ns if state.is_paused else 0
        ),
        "rollout_stage",
        author=author,
        reason=reason,
        evidence=evidence,
    )


def pause(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str, now_ns: int | None = None) -> Release:
    """Stay at this stage; its robots go on with the version, and a regression still aborts.

    Raises:
        ConfigError: no rollout, or paused already.
    """
    state = _state(registry)
    if state.is_paused:
        raise ConfigError("the rollout is paused already", version=state.version, author=state.author)
    state = dataclasses.replace(state, paused_ns=_now(now_ns))
    return _move(registry, ledger, state, "rollout_pause", author=author, reason=reason)


def resume(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str, now_ns: int | None = None) -> Release:
    """Go on from the same stage; the pause does not count as soak.

    Raises:
        ConfigError: no rollout, or it is not paused.
    """
    state = _state(registry)
    if not state.is_paused:
        raise ConfigError("the rollout is not paused", version=state.version)
    idle_ns = state.idle_ns + _now(now_ns) - state.paused_ns
    state = dataclasses.replace(state, paused_ns=0, idle_ns=idle_ns)
    return _move(registry, ledger, state, "rollout_resume", author=author, reason=reason)


def abort(
    registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str, evidence: Evidence | None = None
) -> Release:
    """Take the version back from all robots and reject it; works while frozen.

    Raises:
        ConfigError: no rollout.
    """
    state = _state(registry)
    releases.reject(registry, ledger, state.version, author=author, reason=reason, evidence=evidence)
    return _write(ledger, state, "rollout_abort", author=author, reason=reason, evidence=evidence)


def _move(
    registry: PolicyRegistry,
    ledger: Ledger,
    state: Rollout,
    event: str,
    *,
    author: str,
    reason: str,
    evidence: Evidence | None = None,
) -> Release:
    rollout_state.write(registry, dataclasses.replace(state, author=author, reason=reason))
    return _write(ledger, state, event, author=author, reason=reason, evidence=evidence)


def _write(
    ledger: Ledger, state: Rollout, event: str, *, author: str, reason: str, evidence: Evidence | None
) -> Release:
    return ledger.write(
        event,
        policy_version=state.version,
        previous_version=state.champion,
        author=author,
        reason=reason,
        evidence={**(evidence or {}), **_facts(state)},
    )


def _state(registry: PolicyRegistry) -> Rollout:
    state = under_way(registry)
    if state is None:
        raise ConfigError("no rollout is under way; touchline rollout start VERSION begins one")
    return state


def _facts(state: Rollout) -> Evidence:
    return {"stage": state.stage, "stages": state.stages, "robots": state.robots}


def _now(now_ns: int | None) -> int:
    return time.time_ns() if now_ns is None else now_ns
