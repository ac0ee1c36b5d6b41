"""What the weights page shows, from one look at the registry and what the lake knows of robots and decisions."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infra import freeze, releases, rollout_state
from infra.registry import PolicyRegistry, PolicyVersion
from infra.releases import CANARY, CHAMPION, PREVIOUS, Acting, CanaryCohort
from infra.rollback_plan import RollbackPlan
from infra.rollout_state import Rollout, RolloutConfig
from infra.shadow import SHADOW, SHADOW_TAG

Row = Mapping[str, Any]
Json = dict[str, Any]

_MAX_VERSIONS = 50
_MAX_LINES = 200
_MAX_TAG_CHARS = 400


def weights_view(
    registry: PolicyRegistry,
    cohort: CanaryCohort,
    stages: RolloutConfig,
    robots: Sequence[Row],
    lines: Sequence[Row],
    now_ns: int,
) -> Json:
    """Everything on the page.

    Args:
        registry: asked now.
        cohort: which robots try a canary that has no staged rollout, and the fleet's names.
        stages: how the next rollout would go.
        robots: what each robot said last: robot_id, version, role, age_s, versions_behind, last_swap_ns.
        lines: the ledger, `evidence` parsed, in any order.
        now_ns: wall time.

    Raises:
        RegistryUnavailable: the registry does not answer.
    """
    aliases = registry.aliases()
    rollout = rollout_state.read(registry, aliases.get(CANARY))
    frozen = freeze.freeze_state(registry, now_ns)
    known = registry.versions()[::-1]
    versions = known[:_MAX_VERSIONS]
    verdict = _verdict(versions, aliases.get(CANARY))
    return {
        "now_ns": now_ns,
        "aliases": {name: aliases.get(name) for name in (CHAMPION, CANARY, PREVIOUS, SHADOW)},
        "frozen": vars(frozen) if frozen else None,
        "candidates": _candidates(versions, lines),
        "verdict": verdict,
        "shadow_report": _shadow_report(known, aliases),
        "rollout": _rollout(rollout, verdict, now_ns) if rollout else None,
        "planned": {
            "stages": stages.counts(len(cohort.order)),
            "robots": cohort.order,
            "min_s": stages.min_soak_s,
            "min_robot_minutes": stages.min_robot_minutes,
        },
        "robots": _robots(robots, aliases, rollout, cohort),
        "ledger": [_line(row) for row in sorted(lines, key=lambda row: -row["time_ns"])[:_MAX_LINES]],
    }


def plan_view(plan: RollbackPlan) -> Json:
    """A rollback that did not happen."""
    return {
        "dry_run": True,
        "from": plan.champion,
        "to": plan.target,
        "robots": [
            {
                "robot_id": change.robot_id,
                "now": _acting(change.now),
                "then": _acting(change.then),
                "changes": change.changes,
            }
            for change in plan.robots
        ],
    }


def robot_names(cohort: CanaryCohort, robots: Iterable[Row]) -> list[str]:
    """Everybody who is configured or has ever worked."""
    return list(dict.fromkeys((*cohort.fleet, *cohort.robots, *(str(row["robot_id"]) for row in robots))))


def _candidates(versions: Iterable[PolicyVersion], lines: Iterable[Row]) -> list[Json]:
    evidence = {row["policy_version"]: row["evidence"] for row in lines if row["event"] == "candidate"}
    return [
        {
            "version": version.version,
            "status": version.tags.get(releases.STATUS_TAG, ""),
            "reason": version.tags.get(releases.REASON_TAG, ""),
            "created_ns": version.created_ns,
            "tags": {name: text for name, text in version.tags.items() if len(text) <= _MAX_TAG_CHARS},
            "metrics": _metrics(evidence.get(version.version)),
        }
        for version in versions
    ]


def _metrics(evidence: object) -> dict[str, float]:
    metrics = evidence.get("metrics") if isinstance(evidence, Mapping) else None
    numbers = metrics.items() if isinstance(metrics, Mapping) else ()
    return {name: float(v) for name, v in numbers if isinstance(v, int | float) and math.isfinite(v)}


def _verdict(versions: Sequence[PolicyVersion], canary: str | None) -> Json | None:
    """The canary's, else that of the newest version that was ever on trial."""
    texts = {v.version: v.tags[releases.VERDICT_TAG] for v in versions if releases.VERDICT_TAG in v.tags}
    text = texts.get(canary) if canary else next(iter(texts.values()), None)
    return _parsed(text)


def _shadow_report(versions: Iterable[PolicyVersion], aliases: Mapping[str, str]) -> Json | None:
    """How the present shadow compares with the present champion; None until the critic's process has said so."""
    tags = next((v.tags for v in versions if v.version == aliases.get(SHADOW)), {})
    found = _parsed(tags.get(SHADOW_TAG))
    return found if found and found.get("champion") == aliases.get(CHAMPION) else None


def _parsed(text: str | None) -> Json | None:
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _rollout(rollout: Rollout, verdict: Json | None, now_ns: int) -> Json:
    is_told = verdict is not None and verdict.get("version") == rollout.version
    # What the judge counted in an earlier stage says nothing of this one.
    is_of_stage = is_told and verdict is not None and verdict.get("at_ns", 0) >= rollout.stage_since_ns
    return {
        "version": rollout.version,
        "champion": rollout.champion,
        "state": "paused" if rollout.is_paused else "running",
        "stages": rollout.stages,
        "stage": rollout.stage,
        "robots": rollout.robots,
        "next_robots": rollout.next_robots,
        "author": rollout.author,
        "reason": rollout.reason,
        "started_ns": rollout.started_ns,
        "stage_since_ns": rollout.stage_since_ns,
        "paused_ns": rollout.paused_ns,
        "soak": {
            "elapsed_s": rollout.elapsed_s(now_ns),
            "min_s": rollout.min_soak_s,
            "num_robot_minutes": verdict.get("num_robot_minutes") if is_of_stage and verdict else None,
            "min_robot_minutes": rollout.min_robot_minutes,
        },
    }


def _robots(
    robots: Sequence[Row], aliases: Mapping[str, str], rollout: Rollout | None, cohort: CanaryCohort
) -> list[Json]:
    said = {row["robot_id"]: row for row in robots}
    silent = {"version": "", "role": "", "age_s": None, "versions_behind": None, "last_swap_ns": 0}
    rows = []
    for robot_id in robot_names(cohort, robots):
        row = said.get(robot_id, silent)
        wanted = releases.acting_of(aliases, rollout, robot_id, cohort)
        known = {name: row.get(name, nothing) for name, nothing in silent.items()}
        rows.append({"robot_id": robot_id, **known, "wanted": _acting(wanted)})
    return rows


def _line(row: Row) -> Json:
    names = ("time_ns", "event", "policy_version", "previous_version", "author", "reason", "evidence")
    return {name: _finite(row[name]) for name in names}


def _finite(value: Any) -> Any:
    """The value without the numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _acting(acting: Acting | None) -> Json | None:
    return {"version": acting.version, "role": acting.role} if acting else None
