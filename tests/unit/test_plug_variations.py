"""Plug insertion as it is by default, to the bit, and its variations."""

import random

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from corrections.corrector import Corrector, QualityConfig
from corrections.protocol import RobotState
from policy.errors import ConfigError
from policy.schema import ControlMode, Outcome
from robots import tasks
from robots.connector_shape import MAX_TURN_RAD
from robots.plug_insertion import PlugInsertion, PlugInsertionConfig
from robots.plug_insertion_task import TASK, foresee
from robots.scene import Scene
from robots.task import Driver, Habits

VARIATIONS = (
    "clearance_m=0.0001",
    "clearance_m=0.0008",
    "friction=0.05",
    "friction=0.4",
    "shape=round",
    "shape=keyed",
    "sockets_shift_m=[0.015,-0.015]",
    "force_noise=0.2",
    "touch_delay_ticks=4",
    "shape=keyed,friction=0.3,clearance_m=0.0002",
)


SCENE_TIP_M = (-0.00693719795858222, 0.006943885715051258, 0.073445944682304)
SCENE_SOCKETS = [
    ("yellow", -0.05386560827132884, 0.024832410385126673, 6.601865727113822, 0.0),
    ("red", 0.039165680476831596, 0.02190937615937123, 6.275110273932046, 0.0),
]
"""Of scene seed 3."""
PHYSICS = (
    (42, (-0.05939443969845981, -0.04321566217250356, 0.011953670366230377)),
    (37, (-0.024310363856931874, -0.007162464520761009, 0.01272288310029919)),
    (42, (0.04058614346180911, -0.03696344144781256, 0.011761260914013123)),
    (39, (-0.05415770836145753, -0.023419764960527664, 0.013554446102708725)),
)
"""Ticks that a demonstrator takes, and where the tip is then; seeds 0 to 3."""


def varied(options: str) -> PlugInsertion:
    robot = tasks.make(f"plug_insertion,{options}")
    assert isinstance(robot, PlugInsertion)
    return robot


def drive(robot: PlugInsertion, driver: Driver, seed: int) -> tuple[Outcome, int]:
    """To the end, without pictures; how it ended, and after how many ticks."""
    robot._start(seed)
    for tick in range(1, 200):
        status = robot.apply(driver.act(robot.privileged()))
        if status.is_terminal or status.is_truncated:
            return status.outcome, tick
    raise AssertionError("no end")


def test_scenes_are_those_of_before_there_were_variations() -> None:
    scene = Scene.draw(np.random.default_rng(3))
    assert scene.tip_m == SCENE_TIP_M
    assert [(s.colour, s.x_m, s.rim_m, s.latch_force_n, s.yaw_rad) for s in scene.sockets] == SCENE_SOCKETS


def test_physics_is_that_of_before_there_were_variations() -> None:
    robot = PlugInsertion()
    for seed, (num_ticks, tip_m) in enumerate(PHYSICS):
        assert drive(robot, TASK.demonstrator(seed), seed) == (Outcome.SUCCESS, num_ticks)
        # To the bit on one machine; another's mathematical library may round otherwise.
        assert robot._data.qpos.tolist() == pytest.approx(tip_m, abs=1e-6)


def test_defaults_that_are_named_are_the_defaults() -> None:
    one = PlugInsertion()
    other = varied(
        "shape=square,clearance_m=0.0003,friction=0.15,sockets_shift_m=[0,0],force_noise=0.02,touch_delay_ticks=0"
    )
    assert one.spec == other.spec
    for robot in (one, other):
        drive(robot, TASK.demonstrator(1), 1)
    assert_array_equal(one._readings, other._readings)
    assert_array_equal(one._data.qpos, other._data.qpos)


@pytest.mark.parametrize("options", VARIATIONS)
def test_expert_demonstrator_and_a_person_solve_each(options: str) -> None:
    robot = varied(options)
    for seed in (1, 2):
        assert drive(robot, TASK.expert(Habits()), seed)[0] is Outcome.SUCCESS
        assert drive(robot, TASK.demonstrator(seed), seed)[0] is Outcome.SUCCESS

    corrector = Corrector("plug_insertion", QualityConfig(), random.Random(1), 20.0, num_takeovers=2)

    class Person:
        def act(self, privileged: dict[str, float]) -> np.ndarray:
            state = RobotState(
                robot_id="r", mode=ControlMode.CORRECTING, task_id="plug_insertion", privileged=dict(privileged)
            )
            return np.array(corrector.act(state), np.float32)

    assert drive(robot, Person(), 1)[0] is Outcome.SUCCESS  # type: ignore[arg-type]


def test_only_a_keyed_plug_makes_another_body() -> None:
    usual = PlugInsertion().spec
    for options in VARIATIONS:
        spec = varied(options).spec
        assert (spec == usual) == ("keyed" not in options)
    keyed = varied("shape=keyed")
    assert [channel.name for channel in keyed.spec.action] == ["move_x", "move_y", "move_z", "turn"]
    assert keyed.reset(1).state.shape == (4,)
    assert not keyed.is_tool_fixed
    assert not keyed.hold().is_terminal


def test_a_keyed_plug_has_to_be_turned() -> None:
    robot = varied("shape=keyed")
    turned = [seed for seed in range(12) if abs(drive_target_yaw(robot, seed)) > MAX_TURN_RAD / 2]
    assert turned
    expert = TASK.expert(Habits())
    for seed in turned[:2]:
        robot._start(seed)
        for _ in range(120):
            status = robot.apply(expert.act({**robot.privileged(), "target_yaw_rad": 0.0}))
            if status.is_terminal or status.is_truncated:
                break
        assert status.outcome is not Outcome.SUCCESS


def drive_target_yaw(robot: PlugInsertion, seed: int) -> float:
    robot._start(seed)
    return robot.privileged()["target_yaw_rad"]


def test_foresight_turns_a_plug_that_turns() -> None:
    robot = varied("shape=keyed")
    robot._start(1)
    later = foresee(robot.privileged(), [(0.0, 0.0, 0.0, 1.0)] * 2)
    assert later["yaw_rad"] == pytest.approx(0.2)
    assert later["tip_x_m"] == robot.privileged()["tip_x_m"]


def test_clearance_is_on_each_side() -> None:
    for clearance_m in (0.0001, 0.0003, 0.0008):
        wall = PlugInsertion(PlugInsertionConfig(clearance_m=clearance_m))._model.geom("wall_a0")
        assert wall.pos[0] - wall.size[0] == pytest.approx(0.008 + clearance_m)


def test_sockets_move_and_nothing_else_does() -> None:
    usual, moved = PlugInsertion(), varied("sockets_shift_m=[0.01,-0.02]")
    usual._start(4)
    moved._start(4)
    for before, after in zip(usual.scene.sockets, moved.scene.sockets, strict=True):
        assert after.x_m - before.x_m == pytest.approx(0.01)
        assert after.y_m - before.y_m == pytest.approx(-0.02)
    assert usual.scene.tip_m == moved.scene.tip_m


def test_late_touch_is_the_touch_of_before() -> None:
    prompt, late = varied("force_noise=0"), varied("force_noise=0,touch_delay_ticks=3")
    expert, felt = TASK.expert(Habits()), list[list[np.ndarray]]()
    for robot in (prompt, late):
        robot._start(2)
        felt.append([])
        for _ in range(30):
            robot.apply(expert.act(robot.privileged()))
            felt[-1].append(robot._readings[robot._reading_rows].copy())
    assert np.abs(felt[0][-1]).max() > 0.05
    assert_array_equal(felt[1][3:], felt[0][:-3])


def test_noise_is_of_the_size_asked_for() -> None:
    robot = varied("force_noise=0.2")
    robot._start(1)
    assert robot._readings.std() == pytest.approx(0.2, rel=0.3)


@pytest.mark.parametrize(
    "options",
    ["shape=oval", "clearance_m=0.01", "friction=-1", "touch_delay_ticks=-1", "sockets_shift_m=[0.5,0]", "colour=3"],
)
def test_what_is_no_variation_is_refused(options: str) -> None:
    with pytest.raises(ConfigError, match=options.split("=")[0]):
        varied(options)
