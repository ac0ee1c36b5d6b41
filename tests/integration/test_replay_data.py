import dataclasses

import numpy as np
import pytest

from infra.home import Home
from infra.topics import EPISODES, STEPS
from learner.replay_data import ReplaySource
from policy.errors import LakeError
from storage.replay import Replay
from storage.tables import Lake
from tests.lake_rig import Filler, make_run, toy_spec


def test_of_stale_episodes_only_what_people_did_is_told(tmp_home: Home) -> None:
    lake = Lake(str(tmp_home.lake))
    filler = Filler(lake)
    filler.put_run(0, 3, source="demonstration")
    steps, episode = make_run(1, 4, outcome="success", num_correction_steps=1, policy_version="1")
    modes = ("autonomous", "paused", "correcting", "autonomous")
    filler.put(STEPS, [dataclasses.replace(s, control_mode=m) for s, m in zip(steps, modes, strict=True)])
    filler.put(EPISODES, [episode])
    filler.put_run(2, 4, outcome="success", policy_version="2")
    replay = Replay(lake, tmp_home.replay, toy_spec(), capacity=100)
    data = ReplaySource(replay, max_version_age=1).newest()
    experience = data.experience
    assert data.num_stale_episodes == 1
    assert experience.is_success.tolist() == [experience.is_success[0], False, True]
    assert np.flatnonzero(experience.is_correction).tolist() == [5]
    assert np.flatnonzero(experience.is_held).tolist() == [3, 4, 6]
    assert np.flatnonzero(experience.is_autonomous).tolist() == [7, 8, 9, 10]
    replay.close()


def test_a_pinned_view_becomes_a_training_set(tmp_home: Home) -> None:
    lake = Lake(str(tmp_home.lake))
    filler = Filler(lake)
    filler.put_run(0, 3, source="demonstration", control_mode="correcting")
    filler.put_run(1, 4, outcome="timed_out", task_id="other", instruction="pull it")
    steps, episode = make_run(2, 4, outcome="success", num_correction_steps=1)
    modes = ("autonomous", "paused", "correcting", "autonomous")

    filler.put(STEPS, [dataclasses.replace(s, control_mode=m) for s, m in zip(steps, modes, strict=True)])
    filler.put(EPISODES, [episode])
    filler.put_run(3, 2, source="evaluation")
    replay = Replay(lake, tmp_home.replay, toy_spec(), capacity=100)
    source = ReplaySource(replay)
    data = source.newest()
    experience = data.experience
    assert experience.length.tolist() == [3, 4, 4]
    assert experience.is_demonstration.tolist() == [True, False, False]
    assert experience.is_success.tolist() == [True, False, True]
    assert experience.is_failure.tolist() == [False, True, False]
    assert np.flatnonzero(experience.is_correction).tolist() == [9]
    assert np.flatnonzero(experience.is_held).tolist() == [8]
    assert experience.task.tolist() == [0, 1, 0]
    assert list(data.tasks) == ["toy", "other"]
    batch = data.chunks(np.array([0, 3]), 2, np.ones(2, np.int64))
    assert list(batch.observations.instructions) == ["push it", "pull it"]
    assert batch.actions[1, :, 0].tolist() == [1000, 1001]

    filler.put_run(4, 5)
    assert source.newest().experience.num_episodes == 4
    again = source.pinned(data.pin)
    assert again.pin == data.pin
    assert np.array_equal(again.experience.length, experience.length)
    with pytest.raises(LakeError):
        source.pinned(data.pin.replace('"num_episodes":3', '"num_episodes":7'))
    replay.close()


def test_what_a_killed_process_pinned_stays_however_much_came_since(tmp_home: Home) -> None:
    lake = Lake(str(tmp_home.lake))
    filler = Filler(lake)
    for number in range(3):
        filler.put_run(number, 5)
    replay = Replay(lake, tmp_home.replay, toy_spec(), capacity=20)
    source = ReplaySource(replay)
    pinned = source.newest()
    source.keep()
    filler.put_run(3, 5)
    source.follow()
    replay._ring.release()  # as a kill does: it saves nothing
    for number in range(4, 9):
        filler.put_run(number, 5)
    replay = Replay(lake, tmp_home.replay, toy_spec(), capacity=20)
    source = ReplaySource(replay)
    for _ in range(2):  # it may be killed again
        again = source.pinned(pinned.pin)
        assert again.episode_ids == pinned.episode_ids
        source.follow()
    assert np.array_equal(again.state[again.experience.row], pinned.state[pinned.experience.row])
    assert set(source.newest().episode_ids).isdisjoint(pinned.episode_ids)
    with pytest.raises(LakeError, match="gave way"):
        source.pinned(pinned.pin)
    replay.close()
