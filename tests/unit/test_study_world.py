"""What happens in a cell: people, tampered touch, and episodes that come back as they were written."""

from pathlib import Path

import numpy as np
import pytest

from policy.schema import Outcome, SceneSplit
from robots import tasks
from robots.task import Privileged
from study import episode
from study.person import Person, PersonConfig
from study.rollout import demonstrate
from study.touch import Touch, TouchedRobot
from study.world import World, WorldConfig

_TASK = tasks.find("plug_insertion")


def _stuck(seed: int) -> list[Privileged]:
    """What somebody sees of a robot that never moves."""
    robot = _TASK.make_robot({})
    robot.reset(seed)
    views: list[Privileged] = []
    for _ in range(90):
        views.append(dict(robot.privileged()))
        robot.hold()
    return views


def _person(config: PersonConfig, seed: int = 3) -> Person:
    return Person(config, _TASK, _TASK.make_robot({}).spec, seed)


def test_a_person_helps_a_robot_that_is_stuck() -> None:
    person = _person(PersonConfig(reaction_ticks=(3, 8), num_hold_ticks=2))
    commands = [person.command(view) for view in _stuck(1)]
    first = next(index for index, command in enumerate(commands) if command is not None)
    held, driven = commands[first], commands[first + 2]
    assert held is not None
    assert held[1]
    assert driven is not None
    assert not driven[1]
    assert np.abs(driven[0]).max() > 0


def test_slow_people_come_later() -> None:
    def first(config: PersonConfig) -> int:
        person = _person(config)
        return next(i for i, view in enumerate(_stuck(1)) if person.command(view) is not None)

    assert first(PersonConfig(reaction_ticks=(15, 15))) == first(PersonConfig(reaction_ticks=(2, 2))) + 13


def test_nobody_helps_where_nobody_watches() -> None:
    person = _person(PersonConfig(attention=0.0))
    assert all(person.command(view) is None for view in _stuck(1))


def test_a_mistaken_person_steers_elsewhere() -> None:
    def steered(mistaken_share: float) -> np.ndarray:
        person = _person(PersonConfig(noise=0.0, mistaken_share=mistaken_share, mistake_m=0.05))
        commands = [person.command(view) for view in _stuck(1)]
        return np.stack([command[0] for command in commands if command and not command[1]])

    right, wrong = steered(0.0), steered(1.0)
    length = min(len(right), len(wrong))
    assert not np.allclose(right[:length], wrong[:length])


def test_a_person_is_the_same_again_for_the_same_scene() -> None:
    views = _stuck(1)
    runs = [[_command for _command in map(_person(PersonConfig()).command, views)] for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize("touch", [Touch.OFF, Touch.LATE, Touch.NOISY])
def test_touch_is_tampered_with_and_nothing_else(touch: Touch) -> None:
    plain, tampered = _TASK.make_robot({}), TouchedRobot(_TASK.make_robot({}), touch)
    plain.reset(5)
    tampered.reset(5)
    press = np.array([0, 0, -1], np.float32)
    felt = []
    for _ in range(25):
        felt.append((plain.observe().tactile, tampered.observe().tactile))
        np.testing.assert_array_equal(plain.observe().state, tampered.observe().state)
        plain.apply(press)
        tampered.apply(press)
    there, here = (np.stack(column) for column in zip(*felt, strict=True))
    match touch:
        case Touch.OFF:
            assert not here.any()
        case Touch.LATE:
            np.testing.assert_array_equal(here[4:], there[:-4])
        case Touch.NOISY:
            assert 0.1 < np.std(here - there) < 0.3


def test_sensing_twice_feels_the_same() -> None:
    robot = TouchedRobot(_TASK.make_robot({}), Touch.NOISY)
    robot.reset(5)
    np.testing.assert_array_equal(robot.observe().tactile, robot.observe().tactile)


def test_episodes_come_back_as_they_were_written(tmp_path: Path) -> None:
    robot = _TASK.make_robot({})
    episodes = list(demonstrate(_TASK, robot, range(2)))
    episode.save(tmp_path / "two.npz", episodes)
    data = episode.load([tmp_path / "two.npz", tmp_path / "two.npz"], robot.spec)
    assert data.experience.num_episodes == 4
    assert data.tasks == ["plug_insertion"]
    assert data.experience.is_success.tolist() == [one.outcome is Outcome.SUCCESS for one in episodes] * 2
    second = int(data.experience.start[1])
    seen = data.observations(np.array([second]))
    np.testing.assert_array_equal(seen.frames[0, 0], episodes[1].observations[0].frames[0])
    np.testing.assert_array_equal(data.action[second], episodes[1].actions[0])
    assert seen.instructions == [episodes[1].observations[0].instruction]
    assert not (tmp_path / "two.partial.npz").exists()


def test_seeds_and_rounds_share_no_scene() -> None:
    def scenes(seed: int, split: SceneSplit, first: int) -> set[int]:
        world = World(WorldConfig(task="plug_insertion", seed=seed))
        return set(world.scenes(split, 50, first))

    ranges = [scenes(seed, SceneSplit.COLLECT, round * 10_000) for seed in (0, 1) for round in (1, 2)]
    assert len(set.union(*ranges)) == 200
    assert not scenes(0, SceneSplit.REPORT, 0) & scenes(0, SceneSplit.COLLECT, 0)
