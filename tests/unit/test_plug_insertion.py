"""The robot that feels: what a seed decides, what ends an episode, what it must not give away."""

import concurrent.futures

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from policy.errors import ConfigError
from policy.schema import Observation, Outcome
from robots.demonstrate import Demonstrator
from robots.expert import Expert
from robots.plug_insertion import PlugInsertion, PlugInsertionConfig
from robots.robot import Oriented, TaskStatus, Thermometers


@pytest.fixture(scope="module")
def robot() -> PlugInsertion:
    return PlugInsertion()


def action(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    return np.array([x, y, z], np.float32)


def assert_same(one: Observation, other: Observation) -> None:
    assert_array_equal(one.state, other.state)
    assert_array_equal(one.tactile, other.tactile)
    for a, b in zip(one.frames, other.frames, strict=True):
        assert_array_equal(a, b)
    assert one.instruction == other.instruction


def insert(robot: PlugInsertion, seed: int) -> TaskStatus:
    """Run the expert to the end, without pictures."""
    robot._start(seed)
    expert = Expert()
    while True:
        status = robot.apply(expert.correct(robot.privileged()))
        if status.is_terminal or status.is_truncated:
            return status


def test_observation_fits_the_spec(robot: PlugInsertion) -> None:
    observation, spec = robot.reset(1), robot.spec
    assert [frame.shape for frame in observation.frames] == [(64, 64, 3)] * 2
    assert all(frame.dtype == np.uint8 and frame.std() > 10 for frame in observation.frames)
    assert observation.state.shape == (len(spec.state),)
    assert observation.tactile.shape == (len(spec.tactile),)
    assert observation.state.dtype == observation.tactile.dtype == np.float32
    assert "socket" in observation.instruction


def test_same_seed_same_episode_whatever_came_before(robot: PlugInsertion) -> None:
    other = PlugInsertion()
    other.reset(9)
    other.apply(action(x=1.0, z=-1.0))
    one, two = robot.reset(4), other.reset(4)
    assert_same(one, two)
    rng = np.random.default_rng(0)
    for command in rng.uniform(-1, 1, (20, 3)).astype(np.float32):
        assert robot.apply(command) == other.apply(command)
    assert_same(robot.observe(), other.observe())


def test_seeds_differ(robot: PlugInsertion) -> None:
    assert not np.array_equal(robot.reset(1).frames[1], robot.reset(2).frames[1])
    instructions = {robot.reset(seed).instruction for seed in range(20)}
    assert len(instructions) == 4


def test_robots_share_a_camera_but_not_a_scene(robot: PlugInsertion) -> None:
    other = PlugInsertion()
    before = robot.reset(5)
    other.reset(6)
    robot._pictures.forget()
    assert_same(before, robot.observe())


def test_cameras_of_different_size_take_turns(robot: PlugInsertion) -> None:
    small = PlugInsertion(PlugInsertionConfig(image_size=32))
    before = robot.reset(5)
    assert small.reset(5).frames[0].shape == (32, 32, 3)
    robot._pictures.forget()
    assert_same(before, robot.observe())


def test_a_camera_in_another_thread(robot: PlugInsertion) -> None:
    before = robot.reset(5)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert_same(before, pool.submit(PlugInsertion().reset, 5).result())


def test_latching_and_letting_go_is_success(robot: PlugInsertion) -> None:
    assert insert(robot, 3) == TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)


def test_latched_but_still_pressed_is_not_success(robot: PlugInsertion) -> None:
    robot._start(3)
    expert = Expert()
    while not robot.privileged()["is_latched"]:
        assert not robot.apply(expert.correct(robot.privileged())).is_terminal
    robot.apply(action(z=-0.2))
    for _ in range(5):
        assert not robot.hold().is_terminal
    assert robot.privileged()["force_z_n"] > 2.0


def test_pressing_on_after_the_click_breaks_the_connector(robot: PlugInsertion) -> None:
    robot._start(3)
    expert = Expert()
    while not robot.privileged()["is_latched"]:
        robot.apply(expert.correct(robot.privileged()))
    for _ in range(30):
        status = robot.apply(action(z=-0.1))
        if status.is_terminal:
            break
    assert status == TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="broken connector")


def test_ramming_the_rim_breaks_the_connector(robot: PlugInsertion) -> None:
    robot._start(3)
    for _ in range(40):
        p = robot.privileged()
        aside = np.array([p["target_x_m"] + 0.014 - p["tip_x_m"], p["target_y_m"] - p["tip_y_m"]])
        across = np.clip(aside / 0.02, -1, 1)
        down = -1.0 if np.abs(aside).max() < 0.001 else 0.0
        status = robot.apply(np.array([*across, down], np.float32))
        if status.is_terminal:
            break
    assert status.reason == "broken connector"
    assert robot.privileged()["tip_z_m"] == pytest.approx(p["target_rim_m"], abs=0.002)


def test_the_wrong_socket_is_a_failure(robot: PlugInsertion) -> None:
    robot._start(3)
    expert = Expert()
    for _ in range(120):
        p = dict(robot.privileged())
        for name in ("x_m", "y_m", "rim_m"):
            p[f"target_{name}"] = p[f"other_{name}"]
        status = robot.apply(expert.correct(p))
        if status.is_terminal:
            break
    assert status == TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="wrong socket")


def test_time_runs_out() -> None:
    robot = PlugInsertion(PlugInsertionConfig(max_steps=3))
    statuses = [robot.hold() for _ in range(3)]
    assert statuses[-1] == TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time")
    assert statuses[1] == TaskStatus()


def test_holding_stands_still(robot: PlugInsertion) -> None:
    before = robot.reset(2).state
    for _ in range(10):
        robot.hold()
    assert_array_equal(np.abs(robot.observe().state - before) < 0.0006, True)


def test_touch_tells_which_way_to_give(robot: PlugInsertion) -> None:
    """Pressed on the table, the world pushes the plug up: +z, in units of 10 N, latest reading last."""
    robot._start(3)
    robot._data.qpos[:] = robot._target[:] = (0.0, 0.085, 0.003)
    for _ in range(8):
        robot.apply(action(z=-0.1))
    assert 0.2 < robot._readings[-1, 2] < 0.6
    assert robot._readings[-1, 2] > robot._readings[-2, 2]


def test_the_state_does_not_say_how_hard_the_robot_presses(robot: PlugInsertion) -> None:
    """The position under a press differs from the untouched one by less than it is rounded to."""
    heights = []
    for extra in range(2):
        robot._start(3)
        robot._data.qpos[:] = robot._target[:] = (0.0, 0.085, 0.0)
        for _ in range(4 + 6 * extra):
            robot.apply(action(z=-0.1))
        heights.append(float(robot._data.qpos[2]))
    assert abs(heights[0] - heights[1]) < 0.0001


def test_what_only_the_simulator_knows_stays_out_of_the_observation() -> None:
    """Two scenes that differ in nothing but the latch look and feel the same from above."""
    one, two = PlugInsertion(), PlugInsertion()
    one._start(11)
    two._start(11)
    for latch in two._latches:
        latch._peak_m, latch._force_n = 0.02, 1.0
    for command in (action(x=0.5), action(z=-0.5)):
        one.apply(command)
        two.apply(command)
    assert_same(one.observe(), two.observe())


def test_expert_inserts_every_plug(robot: PlugInsertion) -> None:
    outcomes = [insert(robot, seed).outcome for seed in range(100, 130)]
    assert outcomes.count(Outcome.SUCCESS) >= 29


def test_demonstrations_are_noisy_and_good(robot: PlugInsertion) -> None:
    num_successes = 0
    lengths = set()
    for seed in range(30):
        robot._start(seed)
        demonstrator = Demonstrator(seed)
        status = TaskStatus()
        num_steps = 0
        while not (status.is_terminal or status.is_truncated):
            status = robot.apply(demonstrator.act(robot.privileged()))
            num_steps += 1
        num_successes += status.outcome == Outcome.SUCCESS
        lengths.add(num_steps)
    assert num_successes >= 28
    assert len(lengths) > 8


def test_impossible_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_steps"):
        PlugInsertionConfig(max_steps=0)


def test_it_says_how_its_cameras_and_its_tool_are_turned_and_invents_no_temperature(robot: PlugInsertion) -> None:
    assert isinstance(robot, Oriented)
    assert robot.camera_yaws_rad == pytest.approx({camera.name: 0.0 for camera in robot.spec.cameras})
    assert robot.is_tool_fixed
    assert not isinstance(robot, Thermometers)
