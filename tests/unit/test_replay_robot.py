"""Playing back a recording."""

import pathlib

import numpy as np
import pytest

from policy.errors import SchemaError
from robots.plug_insertion import PlugInsertion
from robots.replay_robot import Recording, ReplayRobot


@pytest.fixture(scope="module")
def recording() -> Recording:
    robot = PlugInsertion()
    observations = [robot.reset(0)]
    for _ in range(4):
        robot.hold()
        observations.append(robot.observe())
    return Recording.of(robot.spec, robot.task_id, observations)


def test_it_senses_what_was_recorded(recording: Recording) -> None:
    robot = ReplayRobot(recording)
    first = robot.reset(7)
    np.testing.assert_array_equal(first.tactile, recording.tactile[0])
    ends = [robot.hold().is_truncated for _ in range(4)]
    assert ends == [False, False, False, True]
    np.testing.assert_array_equal(robot.observe().frames[1], recording.frames[1][-1])


def test_file_round_trip(recording: Recording, tmp_path: pathlib.Path) -> None:
    recording.save(tmp_path / "plug.npz")
    again = Recording.load(tmp_path / "plug.npz")
    assert again.spec == recording.spec
    assert again.instruction == recording.instruction
    np.testing.assert_array_equal(again.frames[0], recording.frames[0])


def test_another_file_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "other.npz").write_text("not one")
    with pytest.raises(SchemaError, match="not a recording"):
        Recording.load(tmp_path / "other.npz")
