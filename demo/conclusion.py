"""From the lake's rows and the registry's records to the report."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import evidence, plots
from demo.alarms import alarms
from demo.options import DemoConfig
from demo.report import Picture, Report
from demo.watch import Watch
from infra.registry import PolicyRegistry, PolicyVersion
from infra.topics import EPISODES, STEPS, VALUES
from policy.errors import TouchlineError
from policy.schema import ControlMode, Float32, Outcome, SceneSplit, Source
from policy.spec import EmbodimentSpec
from storage.audit import Audit
from storage.frames import decode_steps
from storage.pin import DataPin
from storage.tables import Lake, sql_text

_NUM_PICTURES = 8
_LATENCIES = ("step_to_replay_p50", "step_to_replay_p99")
"""Measured by the learner's own replay, and written into each candidate's tags."""


def conclude(config: DemoConfig, watch: Watch, registry: PolicyRegistry, balance: Audit, wall_s: float) -> Report:
    """Compute the report from what is stored."""
    episodes = _judged(watch)
    roles = evidence.roles(watch.releases)
    versions = tuple(evidence.version_evidence(version, role, episodes) for version, role in roles.items())
    if not any(version.role == "champion" for version in versions):
        raise TouchlineError(
            "no version was ever released; the ledger says why", ledger=[r["reason"] for r in watch.releases]
        )
    base, final = versions[0], next(v for v in reversed(versions) if v.role == "champion")
    records = registry.versions()
    ledger = [_plain(row) for row in watch.releases]
    return Report(
        algorithm=config.algorithm,
        task=config.task,
        seed=config.seed,
        wall_s=wall_s,
        num_robots=config.robots,
        versions=versions,
        promotions=tuple(row for row in ledger if row["event"] == "promote"),
        rejections=tuple(row for row in ledger if row["event"] == "reject"),
        steps={
            "recorded": balance.num_sent,
            "in_lake": balance.num_in_lake,
            "lost": balance.num_lost,
            "doubled": balance.num_doubled,
            "corrections": watch.num_correction_steps,
        },
        latency_s=_latencies(watch, records),
        targets=evidence.targets(base, final),
        evidence_holds=evidence.evidence_holds(base, final, balance),
        autonomous_data=_autonomous_data(watch),
        value_drop=alarms(watch.help_requests, episodes, watch.interventions),
    )


def figures(report: Report, lake: Lake) -> list[str]:
    """The report's plots; those whose data there is none of are left out."""
    drawn = [
        plots.success_by_version(report.versions),
        plots.throughput_by_version(report.versions),
        plots.intervention_share_by_version(report.versions),
    ]
    values = lake.read(VALUES, ["critic_version", "value", "return_to_go", "advantage", "improvement_indicator"])
    if values.num_rows:
        critics = np.array(values.column("critic_version").to_pylist(), str)
        values = values.filter(critics == max(set(critics.tolist()), key=lambda version: (len(version), version)))
        drawn.append(
            plots.value_calibration(values.column("value").to_numpy(), values.column("return_to_go").to_numpy())
        )
        is_positive = np.array(values.column("improvement_indicator").to_pylist(), np.bool_)
        drawn.append(plots.advantage_histogram(values.column("advantage").to_numpy(), is_positive))
    steps = lake.read(STEPS, ["time_ns", "control_mode"])
    time_ns = steps.column("time_ns").to_numpy()
    is_correction = np.array(steps.column("control_mode").to_pylist()) == ControlMode.CORRECTING
    drawn.append(plots.data_flow((time_ns - time_ns.min()) / 1e9, is_correction))
    return drawn


def pictures(report: Report, lake: Lake, watch: Watch, spec: EmbodimentSpec) -> list[Picture]:
    """A failure of the base and a success of the final champion, on the same scene where there is one."""
    base = report.versions[0].version
    final = next(v for v in reversed(report.versions) if v.role == "champion").version
    tried = [row for row in _judged(watch) if row["scene_seed"] in SceneSplit.REPORT.value]
    failures = [row for row in tried if row["policy_version"] == base and row["outcome"] != Outcome.SUCCESS]
    successes = [row for row in tried if row["policy_version"] == final and row["outcome"] == Outcome.SUCCESS]
    won = {row["scene_seed"]: row for row in successes}
    failures.sort(key=lambda row: (row["scene_seed"] not in won, row["scene_seed"]))
    chosen = failures[:1]
    chosen += [won[row["scene_seed"]] for row in chosen if row["scene_seed"] in won] or successes[:1]
    return [_picture(row, lake, spec) for row in chosen]


def _picture(episode: Mapping[str, Any], lake: Lake, spec: EmbodimentSpec) -> Picture:
    rows = lake.read(STEPS, where=f"episode_id = {sql_text(episode['episode_id'])}").sort_by("step_index")
    steps = decode_steps(rows, spec)
    shown = np.linspace(0, rows.num_rows - 1, _NUM_PICTURES).round().astype(int)
    sheets = [plots.contact_sheet(list(steps.frames[shown, camera])) for camera in range(len(spec.cameras))]
    seconds = np.arange(rows.num_rows) / spec.control_rate_hz
    is_success = episode["outcome"] == Outcome.SUCCESS
    reason = f" ({episode['outcome_reason']})" if episode["outcome_reason"] else ""
    return Picture(
        caption=f"v{episode['policy_version']}, scene {episode['scene_seed']}: {episode['instruction']}: "
        f"{episode['outcome'].replace('_', ' ')}{reason} after {seconds[-1]:.1f} s",
        sheets=tuple(sheets),
        touch_svg=_felt(spec, seconds, steps.tactile, is_success) if spec.tactile else "",
    )


def _felt(spec: EmbodimentSpec, seconds: NDArray[np.float64], tactile: Float32, is_success: bool) -> str:
    """The touch channel in which most happened, for a body may have a hundred of them."""
    most = int(np.argmax(np.ptp(tactile, axis=0)))
    channel = spec.tactile[most]
    return plots.touch_trace(seconds, tactile[:, most], f"{channel.name}, {channel.unit}", is_success)


def _judged(watch: Watch) -> list[dict[str, Any]]:
    outcomes = evidence.latest_outcomes(watch.episodes, watch.labels)
    return [{**row, "outcome": outcomes[row["episode_id"]]} for row in watch.episodes]


def _latencies(watch: Watch, records: Sequence[PolicyVersion]) -> dict[str, float]:
    rollouts = [row for row in watch.episodes if row["source"] == Source.ROLLOUT]
    pins = {
        record.version: DataPin.from_json(record.tags["data_pin"]).offsets.get(EPISODES.name, {})
        for record in records
        if record.tags.get("data_pin")
    }
    corrected = evidence.correction_to_acting_s(watch.interventions, watch.episodes, pins)
    measured = {
        name: max((float(r.tags[name]) for r in records if name in r.tags), default=float("nan")) for name in _LATENCIES
    }
    return {
        **measured,
        "publish_to_acting_p50": evidence.percentile(evidence.publish_to_acting_s(watch.releases, rollouts), 0.5),
        "correction_to_acting_p50": evidence.percentile(corrected, 0.5),
    }


def _autonomous_data(watch: Watch) -> str:
    """What each candidate learned from the robots' own steps, from its record in the ledger."""
    sentences = []
    for row in watch.releases:
        measured = json.loads(row["evidence"] or "{}").get("metrics", {}) if row["event"] == "candidate" else {}
        if not any(name.startswith("critic_") for name in measured):
            continue  # who asked no critic, like the base, has nothing to say of the robots' own steps
        sentences.append(f"v{row['policy_version']}, {row['reason']}.")
        if {"critic_ranking", "critic_auc"} <= measured.keys():
            sentences.append(
                f"On episodes it had not seen, the critic ranked steps by {measured['critic_ranking']:.2f} "
                f"(Spearman) and told failures from successes by {measured['critic_auc']:.2f} (AUC)."
            )
        if "indicator_gain" in measured:
            sentences.append(
                f"Beyond corrections the labels added {measured['indicator_gain']:+.3f} of flow loss (shuffled labels "
                f"minus own; a random indicator gives 0), and positive and negative conditions act "
                f"{measured['action_gap']:.2f} apart, where another noise alone gives {measured['noise_gap']:.2f}."
            )
    return " ".join(sentences) or "Nothing: no candidate after the base learned from the robots' own steps."


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "evidence": json.loads(row["evidence"]) if row["evidence"] else {}}
