"""What the lake proves: success by version, steps lost or doubled, latencies, targets.

Pure functions over rows of the lake's tables (mappings with the fields of `policy.schema`), so that
every figure of the report can be recomputed by anybody from the tables alone.
"""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policy.outcome import Judgement, latest
from policy.schema import Outcome, SceneSplit, Source
from policy.statistics import difference_interval, wilson_interval
from storage.audit import Audit

Row = Mapping[str, Any]

TARGET_SUCCESS_RATE = 0.90
TARGET_FAILURE_RATIO = 0.5
TARGET_THROUGHPUT_RATIO = 2.0
MIN_REPORT_EPISODES = 150


@dataclasses.dataclass(frozen=True, kw_only=True)
class VersionEvidence:
    """How one weights version did without help, and how much help it had at work."""

    version: str
    role: str
    """base, champion, previous, canary or rejected."""
    split: str
    """"report", or "gate" for versions that were never released to everybody."""
    num_episodes: int
    num_successes: int
    success_rate: float
    success_low: float
    """Wilson, 95 %."""
    success_high: float
    throughput_per_robot_hour: float
    """Successes per hour of robot time."""
    mean_success_steps: float
    """Mean length of a success; NaN where there is none."""
    intervention_share: float
    """Share of its rollout steps that a person executed; NaN where it never worked."""


def latest_outcomes(episodes: Iterable[Row], labels: Iterable[Row]) -> dict[str, str]:
    """Outcome by episode id: the robot's own, unless somebody labelled it later."""
    judgements: dict[str, list[Judgement]] = {}
    for row in labels:
        judgement = Judgement(time_ns=row["time_ns"], offset=row["kafka_offset"], outcome=row["outcome"])
        judgements.setdefault(row["episode_id"], []).append(judgement)
    return {row["episode_id"]: latest(row["outcome"], judgements.get(row["episode_id"], ())) for row in episodes}


def version_evidence(version: str, role: str, episodes: Sequence[Row]) -> VersionEvidence:
    """Evidence for one version: its report scenes, or its gate scenes where it has no others."""
    own = [row for row in episodes if row["policy_version"] == version]
    judged = [row for row in own if row["source"] == Source.EVALUATION]
    report = [row for row in judged if row["scene_seed"] in SceneSplit.REPORT.value]
    split = "report" if report else "gate"
    judged = report or [row for row in judged if row["scene_seed"] in SceneSplit.GATE.value]
    successes = [row for row in judged if row["outcome"] == Outcome.SUCCESS]
    rollouts = [row for row in own if row["source"] == Source.ROLLOUT]
    interval = wilson_interval(len(successes), len(judged))
    robot_hours = sum(row["num_steps"] / row["control_rate_hz"] for row in judged) / 3600
    return VersionEvidence(
        version=version,
        role=role,
        split=split,
        num_episodes=len(judged),
        num_successes=len(successes),
        success_rate=interval.estimate,
        success_low=interval.low,
        success_high=interval.high,
        throughput_per_robot_hour=_ratio(len(successes), robot_hours),
        mean_success_steps=_ratio(sum(row["num_steps"] for row in successes), len(successes)),
        intervention_share=_ratio(
            sum(row["num_correction_steps"] for row in rollouts), sum(row["num_steps"] for row in rollouts)
        ),
    )


def roles(releases: Iterable[Row]) -> dict[str, str]:
    """Role of each version in order of its candidacy, as the ledger tells it; the first is the base."""
    role: dict[str, str] = {}
    champion = ""
    for row in sorted(releases, key=lambda row: row["time_ns"]):
        version = row["policy_version"]
        if row["event"] in ("candidate", "canary"):
            role[version] = "canary"
        elif row["event"] == "reject":
            role[version] = "rejected"
        elif row["event"] in ("promote", "rollback"):
            if champion:
                role[champion] = "previous"
            role[version] = "champion"
            champion = version
    if role:
        first = next(iter(role))
        if first != champion:
            role[first] = "base"
    return role


def publish_to_acting_s(releases: Iterable[Row], rollouts: Iterable[Row]) -> list[float]:
    """Seconds from each promotion to each robot's first episode with that version."""
    promoted = {row["policy_version"]: row["time_ns"] for row in releases if row["event"] == "promote"}
    first: dict[tuple[str, str], int] = {}
    for row in rollouts:
        key = (row["policy_version"], row["robot_id"])
        first[key] = min(first.get(key, row["started_ns"]), row["started_ns"])
    return [
        (started_ns - promoted[version]) / 1e9
        for (version, _), started_ns in first.items()
        if version in promoted and started_ns >= promoted[version]
    ]


def correction_to_acting_s(
    interventions: Iterable[Row],
    episodes: Sequence[Row],
    pins: Mapping[str, Mapping[int, int]],
) -> list[float]:
    """Seconds from the end of each correction to the first robot that acts on weights trained on it.

    Args:
        interventions: rows of the interventions table.
        episodes: rows of the episodes table, with where Kafka had them.
        pins: version -> last offset of the episodes topic in its training data, per partition.
    """
    position = {row["episode_id"]: (row["kafka_partition"], row["kafka_offset"]) for row in episodes}
    first_acting: dict[str, int] = {}
    for row in episodes:
        if row["source"] == Source.ROLLOUT:
            version = row["policy_version"]
            first_acting[version] = min(first_acting.get(version, row["started_ns"]), row["started_ns"])
    waits = []
    for row in interventions:
        partition, offset = position.get(row["episode_id"], (-1, 0))
        acting = [
            start for version, start in first_acting.items() if offset <= pins.get(version, {}).get(partition, -1)
        ]
        if acting:
            waits.append((min(acting) - row["ended_ns"]) / 1e9)
    return waits


def targets(base: VersionEvidence, final: VersionEvidence) -> dict[str, bool]:
    """The three targets, as met or not met."""
    return {
        "success_at_least_90_percent": final.success_rate >= TARGET_SUCCESS_RATE,
        "failures_at_most_half": (1 - final.success_rate) <= TARGET_FAILURE_RATIO * (1 - base.success_rate),
        "throughput_at_least_doubled": final.throughput_per_robot_hour
        >= TARGET_THROUGHPUT_RATIO * base.throughput_per_robot_hour,
    }


def evidence_holds(base: VersionEvidence, final: VersionEvidence, audit: Audit) -> bool:
    """Whether the loop is shown to close: better with an interval above zero, faster, nothing lost."""
    gain = difference_interval(final.num_successes, final.num_episodes, base.num_successes, base.num_episodes)
    return (
        final.split == base.split == "report"
        and min(final.num_episodes, base.num_episodes) >= MIN_REPORT_EPISODES
        and gain.low > 0
        and final.throughput_per_robot_hour > base.throughput_per_robot_hour
        and audit.num_sent > 0
        and audit.is_exact
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank); NaN of nothing."""
    if not values:
        return float("nan")
    if share == 0.5:
        return statistics.median(values)
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
