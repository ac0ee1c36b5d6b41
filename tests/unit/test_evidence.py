import dataclasses
import math
from typing import Any

import pytest

from demo import evidence
from storage.audit import Audit


def _episode(version: str, seed: int, outcome: str, **fields: Any) -> dict[str, Any]:
    return {
        "policy_version": version,
        "scene_seed": seed,
        "outcome": outcome,
        "source": "evaluation",
        "num_steps": 60,
        "num_correction_steps": 0,
        "control_rate_hz": 20.0,
        "robot_id": "r1",
        "started_ns": 0,
        **fields,
    }


def _release(version: str, event: str, time_ns: int) -> dict[str, Any]:
    return {"policy_version": version, "event": event, "time_ns": time_ns}


def _many(version: str, good: int, bad: int, steps: int = 60) -> list[dict[str, Any]]:
    return [
        _episode(version, 2_000_000 + i, "success" if i < good else "failure", num_steps=steps)
        for i in range(good + bad)
    ]


def test_a_released_version_is_judged_on_report_scenes_only() -> None:
    rows = [_episode("1", 1_000_001, "failure"), _episode("1", 2_000_001, "success")]
    found = evidence.version_evidence("1", "champion", rows)
    assert (found.split, found.num_episodes, found.success_rate) == ("report", 1, 1.0)
    assert found.throughput_per_robot_hour == pytest.approx(1200)
    assert math.isnan(found.intervention_share)


def test_a_rejected_version_is_shown_by_its_gate_scenes() -> None:
    found = evidence.version_evidence("2", "rejected", [_episode("2", 1_000_001, "failure")])
    assert (found.split, found.num_episodes, found.num_successes) == ("gate", 1, 0)


def test_roles_follow_the_ledger() -> None:
    ledger = [
        _release("1", "candidate", 1),
        _release("1", "promote", 2),
        _release("2", "candidate", 3),
        _release("2", "reject", 4),
        _release("3", "canary", 5),
        _release("3", "promote", 6),
        _release("4", "promote", 7),
    ]
    assert evidence.roles(ledger) == {"1": "base", "2": "rejected", "3": "previous", "4": "champion"}


def test_a_later_label_wins() -> None:
    episodes = [{"episode_id": "a", "outcome": "failure"}]
    labels = [
        {"episode_id": "a", "outcome": "success", "time_ns": 3, "kafka_offset": 1},
        {"episode_id": "a", "outcome": "timed_out", "time_ns": 3, "kafka_offset": 0},
        {"episode_id": "a", "outcome": "failure", "time_ns": 2, "kafka_offset": 2},
    ]
    assert evidence.latest_outcomes(episodes, labels) == {"a": "success"}


def test_latencies_come_from_rows() -> None:
    rollout = {
        "policy_version": "2",
        "robot_id": "r",
        "started_ns": 9_000_000_000,
        "source": "rollout",
        "episode_id": "later",
        "kafka_partition": 0,
        "kafka_offset": 9,
    }
    assert evidence.publish_to_acting_s([_release("2", "promote", 7_000_000_000)], [rollout]) == [2.0]
    trained = {**rollout, "policy_version": "1", "episode_id": "trained", "kafka_offset": 4}
    too_late = {**rollout, "policy_version": "1", "episode_id": "too late", "kafka_offset": 5}
    interventions = [
        {"episode_id": "trained", "ended_ns": 4_000_000_000},
        {"episode_id": "too late", "ended_ns": 6_000_000_000},
    ]
    waits = evidence.correction_to_acting_s(interventions, [rollout, trained, too_late], {"2": {0: 4}})
    assert waits == [5.0]


def test_evidence_needs_a_clear_gain_and_every_step() -> None:
    exact = Audit(num_sent=9, num_in_lake=9, num_lost=0, num_doubled=0, num_unannounced=0)
    base = evidence.version_evidence("1", "base", _many("1", 80, 80, steps=90))
    final = evidence.version_evidence("2", "champion", _many("2", 150, 10, steps=50))
    assert evidence.evidence_holds(base, final, exact)
    assert all(evidence.targets(base, final).values())
    assert not evidence.evidence_holds(base, final, dataclasses.replace(exact, num_lost=1))
    assert not evidence.evidence_holds(base, evidence.version_evidence("2", "champion", _many("2", 82, 78)), exact)
    assert not evidence.targets(base, base)["throughput_at_least_doubled"]
