"""What the benchmarks of arrivals make of the rows that they read; following a fleet, at its small size."""

import dataclasses
from pathlib import Path

import pytest

from benchmarks import figures, follow
from benchmarks.correction import Correction, saw
from benchmarks.latency import lateness_s
from infra.registry import PolicyVersion
from infra.topics import EPISODES, STEPS
from storage.episode_index import EndedEpisode
from storage.pin import DataPin

SECOND_NS = 1_000_000_000


def episode(robot_id: str, version: str, start_s: float, end_s: float) -> EndedEpisode:
    """One at work."""
    return EndedEpisode(
        episode_id=f"{robot_id}-{start_s}",
        spec_id="spec",
        robot_id=robot_id,
        boot_id=f"{robot_id}-0",
        source="rollout",
        scene_seed=0,
        task_id="plug",
        instruction="insert the plug",
        policy_version=version,
        release_role="champion",
        started_ns=int(start_s * SECOND_NS),
        ended_ns=int(end_s * SECOND_NS),
        num_steps=60,
        num_correction_steps=0,
        num_interventions=0,
        control_rate_hz=20.0,
        outcome="success",
        outcome_reason="",
        kafka_offset=0,
    )


def test_a_robot_is_late_from_the_end_of_the_episode_that_ran_at_the_release() -> None:
    prompt = [episode("a", "1", 0, 3), episode("a", "1", 3, 6), episode("a", "2", 6.5, 9), episode("a", "2", 9, 12)]
    assert lateness_s(prompt, "2", 4 * SECOND_NS) == [0.5]


def test_an_episode_begun_on_old_weights_after_the_release_counts_whole() -> None:
    slow = [episode("b", "1", 0, 3), episode("b", "1", 3, 6), episode("b", "2", 6, 9)]
    assert lateness_s(slow, "2", 2 * SECOND_NS) == [3.0]


def test_between_two_episodes_the_release_itself_counts() -> None:
    idle = [episode("c", "1", 0, 3), episode("c", "2", 5, 8)]
    assert lateness_s(idle, "2", 4 * SECOND_NS) == [1.0]


def test_weights_saw_a_correction_if_its_episode_is_in_their_data() -> None:
    pin = DataPin(
        spec_id="s",
        offsets={EPISODES.name: {0: 7}, STEPS.name: {2: 40}},
        floor=-1,
        num_episodes=8,
        num_steps=80,
        versions={EPISODES.name: 3},
    )
    tags = {"data_pin": pin.to_json()}
    version = PolicyVersion(version="4", sha256="", spec_id="s", tags=tags, created_ns=0)
    correction = Correction(episode_id="e", corrected_ns=0, ended_ns=1, offset=7, step_offsets={2: 40})
    assert saw(version, correction)
    assert not saw(version, dataclasses.replace(correction, offset=8))
    for late in ({2: 41}, {1: 0}):  # the end of an episode can be read before its last steps
        assert not saw(version, dataclasses.replace(correction, step_offsets=late))


def test_following_a_fleet_is_measured_at_its_small_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setenv(figures.FILE_VARIABLE, str(file))
    assert follow.main(["--quick"]) == 0
    assert all(figure.value > 0 for figure in figures.read(file))
