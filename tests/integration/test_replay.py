"""Replay over a real lake: only complete episodes, decoded once, exact again from a pin."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from infra.topics import EPISODES, STEPS
from policy.errors import ConfigError, LakeError, SchemaError
from policy.schema import Outcome, Source
from storage.maintenance import MaintenanceConfig, maintain
from storage.pin import DataPin
from storage.replay import Replay
from storage.tables import Lake
from storage.view import OUTCOMES, SOURCES, View
from tests.lake_rig import Filler, jpeg, make_run, raw, toy_spec


@pytest.fixture
def filler(tmp_path: Path) -> Filler:
    return Filler(Lake(str(tmp_path / "lake")))


@pytest.fixture
def replay(filler: Filler, tmp_path: Path) -> Iterator[Replay]:
    replay = Replay(filler.lake, tmp_path / "replay", toy_spec(), 200)
    yield replay
    replay.close()


def drawn(view: View, seed: int = 0) -> list[tuple[str, float]]:
    """(episode, state) of some draws: what a training run would see."""
    batch = view.gather(view.draw(np.random.default_rng(seed), 16), 2)
    names = view.episodes["episode_id"][batch.episode_row]
    return [(str(name), float(state[0])) for name, state in zip(names, batch.state, strict=True)]


def test_only_complete_episodes_are_drawn(filler: Filler, replay: Replay) -> None:
    steps, episode = make_run(0, 4)
    filler.put(STEPS, steps[:2])
    filler.put(EPISODES, [episode])
    assert replay.refresh() == 0
    filler.put(STEPS, steps[3:])
    assert replay.refresh() == 0
    with pytest.raises(LakeError, match="nothing to draw"):
        replay.view().draw(np.random.default_rng(0), 1)
    filler.put(STEPS, steps[2:3], partition=1)  # late, from the spool, and by another way
    assert replay.refresh() == 1
    assert replay.episodes["length"].tolist() == [4]
    assert replay.pin().num_steps == 4
    assert len(replay.step_age_s) == 2  # what the first refresh found was not new
    assert len(replay.episode_age_s) == 1


def test_the_episode_row_may_come_last(filler: Filler, replay: Replay) -> None:
    steps, episode = make_run(0, 3)
    filler.put(STEPS, steps)
    assert replay.refresh() == 0
    filler.put(EPISODES, [episode])
    assert replay.refresh() == 1


def test_a_batch_holds_what_was_recorded(filler: Filler, replay: Replay) -> None:
    steps, episode = make_run(0, 5, operator_id="ann", source=Source.DEMONSTRATION, num_correction_steps=2)
    corrected = [dataclasses.replace(step, control_mode="correcting") for step in steps[3:]]
    filler.put(STEPS, steps[:3] + corrected)
    filler.put(EPISODES, [episode])
    replay.refresh()
    view = replay.view()
    batch = view.gather(view.step_rows[[0, 3, 4]], horizon=3)
    assert batch.frames.shape == (3, 2, 8, 8, 3)
    assert batch.frames[1, 0].max() == 3  # raw pixels, level = seq
    assert abs(int(batch.frames[2, 1].mean()) - 4) <= 2  # JPEG
    np.testing.assert_array_equal(batch.state[:, 0], [0, 3, 4])
    np.testing.assert_array_equal(batch.actions[:, :, 0], [[0, 1, 2], [3, 4, 4], [4, 4, 4]])
    np.testing.assert_array_equal(batch.action_mask, [[1, 1, 1], [1, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(batch.is_correction, [[0, 0, 0], [1, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(batch.steps_to_end, [4, 1, 0])
    assert batch.instructions == ["push it"] * 3
    assert [OUTCOMES[code] for code in batch.outcome] == [Outcome.SUCCESS] * 3
    assert [SOURCES[code] for code in batch.source] == [Source.DEMONSTRATION] * 3
    assert view.episodes["operator_id"].tolist() == ["ann"]
    with pytest.raises(LakeError, match="no episode"):
        view.gather(np.array([150]), 1)


def test_evaluation_and_other_bodies_never_enter(filler: Filler, replay: Replay) -> None:
    filler.put_run(0, 3, source=Source.EVALUATION)
    filler.put_run(1, 3, spec_id="another")
    filler.put_run(2, 3)
    assert replay.refresh() == 1
    filler.put_run(3, 3, source=Source.EVALUATION)
    assert replay.refresh() == 0
    assert replay.episodes["episode_id"].tolist() == ["b0/e2"]


def test_the_latest_label_wins_at_the_next_refresh_and_old_pins_keep_theirs(filler: Filler, replay: Replay) -> None:
    filler.put_run(0, 3, outcome=Outcome.UNLABELLED)
    replay.refresh()
    before = replay.pin()
    filler.put_label(0, "b0/e0", Outcome.SUCCESS, time_ns=20)
    filler.put_label(1, "b0/e0", Outcome.FAILURE, time_ns=10)  # said earlier, came later
    assert replay.episodes["outcome"].tolist() == ["unlabelled"]
    assert replay.refresh() == 0
    assert replay.episodes["outcome"].tolist() == ["success"]
    filler.put_label(2, "b0/e0", Outcome.TIMED_OUT, time_ns=30)
    replay.refresh()
    assert replay.episodes["outcome"].tolist() == ["timed_out"]
    assert replay.view(before).episodes["outcome"].tolist() == ["unlabelled"]


def test_filters(filler: Filler, replay: Replay) -> None:
    filler.put_run(0, 3, task_id="a", policy_version="1")
    filler.put_run(1, 3, task_id="b", policy_version="2")
    filler.put_run(2, 3, task_id="a", policy_version="2", source=Source.DEMONSTRATION)
    replay.refresh()
    assert replay.view(task_ids=["a"]).episodes["scene_seed"].tolist() == [0, 2]
    assert replay.view(task_ids=["a"], policy_versions=["2"]).episodes["scene_seed"].tolist() == [2]
    only = replay.view(sources=[Source.ROLLOUT])
    assert only.num_steps == 6
    assert set(only.episode_row.tolist()) == {0, 1}
    assert {name for name, _ in drawn(only)} == {"b0/e0", "b0/e1"}


def test_a_pin_and_a_seed_give_the_same_draws_in_another_replay(filler: Filler, replay: Replay, tmp_path: Path) -> None:
    steps, late = make_run(3, 4)
    for number in range(3):
        filler.put_run(number, 3 + number)
    filler.put(EPISODES, [late])
    replay.refresh()
    pin = DataPin.from_json(replay.pin().to_json())
    assert pin == replay.pin()
    expected = drawn(replay.view(pin), seed=7)
    filler.put(STEPS, steps)  # completes an episode whose row came before the pin
    filler.put_run(4, 5)
    replay.refresh()
    assert drawn(replay.view(pin), seed=7) == expected
    assert drawn(replay.view(), seed=7) != expected
    maintain(filler.lake, STEPS, MaintenanceConfig(), retention_h=0)
    again = Replay(filler.lake, tmp_path / "again", toy_spec(), 200)
    again.refresh()
    assert drawn(again.view(pin), seed=7) == expected
    again.close()
    exact = Replay(filler.lake, tmp_path / "exact", toy_spec(), 200, pin=pin)
    exact.refresh()
    assert len(exact.episodes) == 3
    assert drawn(exact.view(), seed=7) == expected
    exact.close()


def test_a_restart_uses_the_files_again(filler: Filler, tmp_path: Path) -> None:
    steps, episode = make_run(2, 4)
    first = Replay(filler.lake, tmp_path / "replay", toy_spec(), 200)
    filler.put_run(0, 3)
    filler.put(STEPS, steps[:2])
    first.refresh()
    first.close()
    filler.put_run(1, 3)
    filler.put(STEPS, steps[2:])
    filler.put(EPISODES, [episode])
    second = Replay(filler.lake, tmp_path / "replay", toy_spec(), 200)
    assert second.refresh() == 2  # and not the one that was there
    assert second.episodes["episode_id"].tolist() == ["b0/e0", "b0/e1", "b0/e2"]
    second.close()


def test_another_capacity_or_lake_is_rebuilt(filler: Filler, tmp_path: Path) -> None:
    filler.put_run(0, 3)
    for capacity in (200, 100):
        replay = Replay(filler.lake, tmp_path / "replay", toy_spec(), capacity)
        assert replay.refresh() == 1
        replay.close()
    empty = Replay(Lake(str(tmp_path / "other")), tmp_path / "replay", toy_spec(), 100)
    assert empty.refresh() == 0
    assert len(empty.episodes) == 0
    empty.close()


def test_a_view_in_use_stays_while_more_comes(filler: Filler, replay: Replay) -> None:
    """A training that goes on for minutes must not keep the log from being read."""
    for number in range(3):
        filler.put_run(number, 40)
    replay.refresh()
    view = replay.view()
    before = drawn(view)
    filler.put_run(3, 40)
    assert replay.refresh(makes_room=False) == 1
    assert drawn(view) == before
    for number in range(4, 8):
        filler.put_run(number, 40)
    assert replay.refresh(makes_room=False) == 1  # 200 rows hold five episodes
    assert drawn(view) == before
    assert replay.refresh(makes_room=False) == 0
    replay.refresh()
    assert [str(name)[-2:] for name in replay.episodes["episode_id"]][-1] == "e7"


def test_the_oldest_give_way(filler: Filler, tmp_path: Path) -> None:
    replay = Replay(filler.lake, tmp_path / "replay", toy_spec(), 20)
    pins = []
    for number in range(12):
        filler.put_run(number, 3 + number % 3)
        assert replay.refresh() == 1
        pins.append(replay.pin())
        view = replay.view()
        kept = view.episodes["scene_seed"].tolist()
        assert kept == list(range(kept[0], number + 1))
        assert view.num_steps <= 20
        for episode in view.episodes:
            rows = np.arange(episode["start"], episode["start"] + episode["length"])
            expected = 1000 * episode["scene_seed"] + np.arange(episode["length"])
            np.testing.assert_array_equal(view.gather(rows, 1).state[:, 0], expected)
    with pytest.raises(LakeError, match="gave way"):
        replay.view(pins[2])
    replay.close()
    late = Replay(filler.lake, tmp_path / "late", toy_spec(), 20)
    late.refresh()
    assert late.episodes["scene_seed"].tolist()[-1] == 11
    assert 1 <= len(late.episodes) < 6
    late.close()
    exact = Replay(filler.lake, tmp_path / "exact", toy_spec(), 20, pin=pins[2])
    exact.refresh()
    assert exact.pin() == pins[2]
    exact.close()


def test_what_experts_showed_stays_while_robots_record(filler: Filler, tmp_path: Path) -> None:
    replay = Replay(filler.lake, tmp_path / "replay", toy_spec(), 80)
    filler.put_run(0, 5, source="demonstration")
    filler.put_run(1, 6, source="simulated_expert")
    for number in range(2, 20):
        filler.put_run(number, 5)
        replay.refresh()
        assert replay.episodes["scene_seed"].tolist()[:2] == [0, 1]
    num_kept = len(replay.episodes)
    filler.put_run(20, 5, source="demonstration")  # the ring is full, but rows are set aside
    replay.refresh()
    assert {0, 1, 20} < set(replay.episodes["scene_seed"].tolist())
    assert len(replay.episodes) == num_kept + 1
    pin, shown = replay.pin(), drawn(replay.view())
    replay.close()
    for number in range(21, 30):
        filler.put_run(number, 5)
    again = Replay(filler.lake, tmp_path / "again", toy_spec(), 80, pin=pin)
    again.refresh()
    assert (again.pin(), drawn(again.view())) == (pin, shown)
    again.close()
    late = Replay(filler.lake, tmp_path / "late", toy_spec(), 80)
    late.refresh()
    assert {0, 1, 20, 29} < set(late.episodes["scene_seed"].tolist())
    late.close()


def test_what_does_not_fit_the_spec_is_refused_and_counted(filler: Filler, replay: Replay) -> None:
    filler.put_run(0, 2, state=np.zeros(4, np.float32))
    filler.put_run(1, 2, frames=(raw(0),))
    filler.put_run(2, 2, frames=(raw(0), jpeg(0)[:-20] + b"\xff\xd9"[:1]))
    filler.put_run(3, 2, tactile=np.full(1, np.nan, np.float32))
    filler.put_run(4, 2)
    assert replay.refresh() == 1
    assert replay.num_refused == 4
    assert replay.episodes["scene_seed"].tolist() == [4]


def test_one_process_per_directory_and_one_spec_per_pin(filler: Filler, replay: Replay, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another process"):
        Replay(filler.lake, tmp_path / "replay", toy_spec(), 200)
    replay.refresh()
    with pytest.raises(SchemaError, match="another embodiment"):
        Replay(filler.lake, tmp_path / "else", toy_spec("other"), 200, pin=replay.pin())
    with pytest.raises(SchemaError, match="not a data pin"):
        DataPin.from_json("{}")
