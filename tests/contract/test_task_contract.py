"""What every task of ours promises to the scripted people who show it and help with it."""

import random
from typing import Any

import gymnasium
import numpy as np
import pytest

from corrections.corrector import Corrector, QualityConfig, can_correct
from corrections.protocol import RobotState
from policy.schema import ControlMode, Float32, Outcome
from robots.gym_env import environment_id
from robots.robot import Robot
from robots.task import Driver, Habits, Privileged, Task
from robots.tasks import TASKS, find, listing, make

SCENES = (1, 2, 3)


@pytest.fixture(params=TASKS, scope="module")
def task(request: Any) -> Task:
    return find(request.param)


@pytest.fixture(scope="module")
def body(task: Task) -> Any:
    robot = make(task.name)
    yield robot
    robot.close()


def drive(robot: Robot, driver: Driver, scene_seed: int) -> Outcome:
    robot.reset(scene_seed)
    spec = robot.spec
    while True:
        action = driver.act(robot.privileged())
        assert action.shape == (len(spec.action),)
        assert action.dtype == np.float32
        assert (action >= spec.action_low).all()
        assert (action <= spec.action_high).all()
        status = robot.apply(action)
        if status.is_terminal or status.is_truncated:
            return status.outcome


class Helper:
    """A scripted operator without the sockets."""

    def __init__(self, robot: Robot, seed: int) -> None:
        self._robot = robot
        self._corrector = Corrector(
            robot.task_id, QualityConfig(), random.Random(seed), robot.spec.control_rate_hz, num_takeovers=2
        )

    def act(self, privileged: Privileged) -> Float32:
        state = RobotState(
            robot_id="r", mode=ControlMode.CORRECTING, task_id=self._robot.task_id, privileged=dict(privileged)
        )
        assert can_correct(state)
        return np.array(self._corrector.act(state), np.float32)


def test_it_has_the_name_it_is_found_by(task: Task, body: Robot) -> None:
    assert body.task_id == task.name
    assert body.is_simulated
    assert TASKS[task.name].help in listing()


def test_what_people_see_of_it_is_numbers_and_the_same_for_the_same_scene(body: Robot) -> None:
    seen = []
    for _ in range(2):
        body.reset(4)
        seen.append(dict(body.privileged()))
    assert seen[0] == seen[1]
    assert all(isinstance(value, float) and np.isfinite(value) for value in seen[0].values())


@pytest.mark.parametrize("scene", SCENES)
def test_a_demonstrator_does_it_and_the_same_way_again(task: Task, body: Robot, scene: int) -> None:
    assert drive(body, task.demonstrator(scene), scene) is Outcome.SUCCESS
    body.reset(scene)
    first, second = task.demonstrator(scene), task.demonstrator(scene)
    for _ in range(5):
        np.testing.assert_array_equal(first.act(body.privileged()), second.act(body.privileged()))


@pytest.mark.parametrize("scene", SCENES)
def test_a_person_who_sees_late_and_shakes_does_it_too(body: Robot, scene: int) -> None:
    assert drive(body, Helper(body, scene), scene) is Outcome.SUCCESS


def test_an_expert_of_average_habits_needs_no_help(task: Task, body: Robot) -> None:
    body.reset(5)
    expert, seen = task.expert(Habits()), []
    while True:
        seen.append(dict(body.privileged()))
        assert task.needs_help(seen) is None
        assert 0 < task.steadiness(seen[-1]) <= 1
        status = body.apply(expert.act(seen[-1]))
        if status.is_terminal:
            assert status.outcome is Outcome.SUCCESS
            return


def test_doing_nothing_needs_help_before_the_time_is_up(task: Task, body: Robot) -> None:
    body.reset(6)
    seen: list[Privileged] = []
    while not task.needs_help([*seen, dict(body.privileged())]):
        seen.append(dict(body.privileged()))
        status = body.hold()
        assert not status.is_truncated, "nobody noticed"


def test_foresight_of_nothing_changes_nothing_and_of_moves_leaves_the_truth_alone(task: Task, body: Robot) -> None:
    body.reset(7)
    now = dict(body.privileged())
    assert task.foresee(now, []) == now
    task.foresee(now, [tuple(body.spec.action_high.tolist())] * 2)
    assert now == body.privileged()


def test_gymnasium_knows_it(task: Task) -> None:
    assert environment_id(task.name) in gymnasium.registry
