"""Environments that we did not write, as robots, by one spec file; and what does not fit, by name."""

import pathlib

import numpy as np
import pytest

from policy.errors import ConfigError, SchemaError
from policy.schema import Outcome
from robots.gym_robot import GymRobot
from robots.tasks import make

PENDULUM = """
[environment]
id = "Pendulum-v1"
kwargs = { g = 5.0 }

[robot]
name = "pendulum"
task_id = "swing_up"
instruction = "swing the pendulum up"
control_rate_hz = 20.0
state = ["observation[0:2]"]
touch = ["observation[2:3]"]
success = "is_success"

[[robot.cameras]]
name = "scene"
height = 48
width = 64
"""

CAR = """
[environment]
id = "MountainCarContinuous-v0"

[robot]
name = "car"
task_id = "climb"
instruction = "drive up the hill"
control_rate_hz = 30
state = ["observation"]
success = "terminated"
"""

PLUG = """
[environment]
id = "touchline/PlugInsertion-v0"
module = "robots.gym_env"

[robot]
name = "plug"
task_id = "plug"
instruction = "insert the plug"
control_rate_hz = 20
state = ["state"]
touch = ["tactile[54:60]"]
success = "is_success"
cameras = [{ name = "wrist", source = "wrist" }]
"""


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")


def robot_of(text: str, tmp_path: pathlib.Path) -> GymRobot:
    path = tmp_path / "robot.toml"
    path.write_text(text)
    robot = make(str(path))
    assert isinstance(robot, GymRobot)
    return robot


def test_a_pendulum_is_a_robot(tmp_path: pathlib.Path) -> None:
    robot = robot_of(PENDULUM, tmp_path)
    observation = robot.reset(3)
    assert observation.frames[0].shape == (48, 64, 3)
    assert observation.frames[0].dtype == np.uint8
    assert observation.state.shape == (2,)
    assert observation.tactile.shape == (1,)
    np.testing.assert_array_equal(observation.state, robot.reset(3).state)
    assert [channel.name for channel in robot.spec.state] == ["observation[0:2]/0", "observation[0:2]/1"]
    assert robot.privileged() == {}
    robot.close()


def test_actions_are_scaled_to_the_box(tmp_path: pathlib.Path) -> None:
    robot = robot_of(PENDULUM, tmp_path)
    torques = []
    for action in (-1.0, 0.0, 0.5):
        robot.reset(0)
        robot.apply(np.array([action], np.float32))
        torques.append(float(robot._env.unwrapped.last_u))  # type: ignore[attr-defined]
    assert torques == [-2.0, 0.0, 1.0]


def test_time_running_out_is_told_apart_from_success(tmp_path: pathlib.Path) -> None:
    robot = robot_of(PENDULUM.replace('"is_success"', '"terminated"'), tmp_path)
    robot.reset(0)
    statuses = [robot.hold() for _ in range(200)]
    assert statuses[-1].is_truncated
    assert statuses[-1].outcome == Outcome.TIMED_OUT
    assert not any(status.is_truncated or status.is_terminal for status in statuses[:-1])


def test_termination_can_mean_success(tmp_path: pathlib.Path) -> None:
    robot = robot_of(CAR, tmp_path)
    state = robot.reset(0).state
    for _ in range(300):
        status = robot.apply(np.array([1.0 if state[1] >= 0 else -1.0], np.float32))
        state = robot.observe().state
        if status.is_terminal:
            break
    assert status.outcome == Outcome.SUCCESS


def test_dictionary_observations_and_cameras_in_them(tmp_path: pathlib.Path) -> None:
    observation = robot_of(PLUG, tmp_path).reset(1)
    assert observation.frames[0].shape == (64, 64, 3)
    assert observation.tactile.shape == (6,)


def test_a_success_key_that_never_comes_is_named(tmp_path: pathlib.Path) -> None:
    robot = robot_of(PENDULUM, tmp_path)
    robot.reset(0)
    for _ in range(199):
        robot.hold()
    with pytest.raises(SchemaError, match="no key 'is_success'"):
        robot.hold()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[robot", ConfigError, "cannot read the spec file"),
        ("[robots]", ConfigError, r"unknown table \[robots\]"),
        (CAR.replace("success", "sucess"), ConfigError, "did you mean success"),
        (CAR.replace('success = "terminated"', ""), ConfigError, r"\[robot\] needs a value for success"),
        (CAR.replace("MountainCar", "MontainCar"), ConfigError, "MontainCarContinuous"),
        (CAR.replace("[robot]", "module = 'not_here'\n[robot]"), ConfigError, "not_here"),
        (CAR.replace("MountainCarContinuous", "CartPole").replace("v0", "v1"), SchemaError, "Box"),
        (CAR.replace('["observation"]', '["position"]'), SchemaError, "it has observation"),
        (CAR.replace('["observation"]', '["observation[1:9]"]'), SchemaError, "outside of what is there"),
        (CAR.replace('["observation"]', '["a[b]"]'), SchemaError, "not a key"),
        (CAR + "hold = [0.0, 0.0]", SchemaError, "one number per action"),
        (PLUG.replace('["state"]', '["velocity"]'), SchemaError, "no 'velocity'; it has .*tactile"),
        (PLUG.replace('["state"]', '["instruction"]'), SchemaError, "not numbers"),
        (PLUG.replace('source = "wrist"', 'source = "state"'), SchemaError, "camera wrist needs uint8"),
    ],
)
def test_what_does_not_fit_is_named(text: str, error: type[Exception], message: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(error, match=message):
        robot_of(text, tmp_path)
