"""Two-arm toolbox packing: what a seed decides, what each hand can do, what ends an episode."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from policy.errors import ConfigError
from policy.schema import Float32, Observation, Outcome, SceneSplit
from policy.tokens import split
from robots.robot import TaskStatus
from robots.toolbox.expert import Expert
from robots.toolbox.goals import Stage, missing
from robots.toolbox.hands import AXES
from robots.toolbox.model import HANDS
from robots.toolbox.robot import Toolbox, ToolboxConfig
from robots.toolbox.scene import Scene

CHANNELS = [f"{hand}_{axis}" for hand in HANDS for axis in AXES]
MAX_WORDS = 12
"""What a policy reads of an instruction by default."""


@pytest.fixture(scope="module")
def robot() -> Toolbox:
    return Toolbox()


def action(**moves: float) -> Float32:
    """An action from channel names; all others rest."""
    values = np.zeros(14, np.float32)
    for name, value in moves.items():
        values[CHANNELS.index(name)] = value
    return values


def scene_with(*, closes: bool) -> int:
    """The first seed whose instruction asks for a closed, or an open, lid."""
    return next(seed for seed in itertools.count() if Scene.draw(np.random.default_rng(seed)).closes is closes)


def drive_to(robot: Toolbox, stage: Stage) -> None:
    """Let the expert work until a sub-goal is the next."""
    expert = Expert()
    while robot.stage is not stage:
        status = robot.apply(expert.act(robot.privileged()))
        assert not status.is_terminal, status.reason
        assert not status.is_truncated


def repeat(robot: Toolbox, move: Float32, num: int = 40) -> TaskStatus:
    """The same action until the episode ends."""
    for _ in range(num):
        status = robot.apply(move)
        if status.is_terminal:
            break
    return status


def assert_same(one: Observation, other: Observation) -> None:
    assert_array_equal(one.state, other.state)
    assert_array_equal(one.tactile, other.tactile)
    for a, b in zip(one.frames, other.frames, strict=True):
        assert_array_equal(a, b)
    assert one.instruction == other.instruction


def test_the_embodiment_has_two_arms_of_seven_channels(robot: Toolbox) -> None:
    assert [channel.name for channel in robot.spec.action] == CHANNELS
    assert len(CHANNELS) == 14
    assert {"left_gripper", "right_gripper"} <= set(CHANNELS)
    assert robot.spec.name == "toolbox"
    assert robot.spec == type(robot.spec).from_json(robot.spec.to_json())


def test_observation_fits_the_spec(robot: Toolbox) -> None:
    observation, spec = robot.reset(1), robot.spec
    assert [frame.shape for frame in observation.frames] == [(64, 64, 3)] * 2
    assert all(frame.dtype == np.uint8 and frame.std() > 10 for frame in observation.frames)
    assert observation.state.shape == (len(spec.state),)
    assert observation.tactile.shape == (len(spec.tactile),)
    assert observation.state.dtype == observation.tactile.dtype == np.float32


def test_same_seed_same_episode_whatever_came_before(robot: Toolbox) -> None:
    other = Toolbox()
    other.reset(9)
    other.apply(np.ones(14, np.float32))
    assert_same(robot.reset(4), other.reset(4))
    for command in np.random.default_rng(0).uniform(-1, 1, (10, 14)).astype(np.float32):
        assert robot.apply(command) == other.apply(command)
    assert_same(robot.observe(), other.observe())


def test_goals_vary_and_fit_what_a_policy_reads() -> None:
    scenes = [Scene.draw(np.random.default_rng(seed)) for seed in SceneSplit.COLLECT.value[:200]]
    goals = {scene.instruction for scene in scenes}
    assert len(goals) == 4 * 2 * 2 * 2  # colours, kinds, slots, closed or open
    assert max(len(split(goal)) for goal in goals) <= MAX_WORDS
    assert all(scene.tools[0].colour != scene.tools[1].colour for scene in scenes)


def test_tools_have_their_places_unless_they_swap() -> None:
    """All else in a scene is the same, so that what swapping costs can be told."""
    swapped = 0
    for seed in range(20):
        usual = Scene.draw(np.random.default_rng(seed))
        other = Scene.draw(np.random.default_rng(seed), swaps_tools=True)
        assert usual.tools[0].x_m < usual.tools[1].x_m
        assert (usual.tray, usual.left, usual.right) == (other.tray, other.left, other.right)
        assert usual.instruction == other.instruction
        swapped += other.tools[0].x_m > other.tools[1].x_m
    assert 0 < swapped < 20


def test_a_handle_that_lies_askew_turns_into_line_between_the_fingers(robot: Toolbox) -> None:
    """Someone who takes every tool for straight has it straight in the hand."""
    seed = next(seed for seed in itertools.count() if _askew_rad(seed) > 0.2)
    robot.restart(seed)
    while robot.stage is Stage.GRASP:
        robot.apply(Expert().act({**robot.privileged(), "tool_yaw_rad": 0.0}))
    p = robot.privileged()
    assert abs(p["tool_yaw_rad"] - p["right_yaw_rad"]) < 0.02


def _askew_rad(seed: int) -> float:
    scene = Scene.draw(np.random.default_rng(seed))
    return abs(scene.tools[scene.target_tool].yaw_rad)


def test_what_has_to_be_felt_is_not_seen() -> None:
    """Scenes that differ in the clips and nothing else look and feel the same from above."""
    one, two = Toolbox(), Toolbox()
    for robot in (one, two):
        robot.restart(11)
    for clips in two._box._clips:
        for clip in clips:
            clip._peak_m, clip._force_n = 0.012, 9.0
    for robot in (one, two):
        for _ in range(3):
            robot.apply(action(left_z=-0.3, right_x=0.4))
    assert_same(one.observe(), two.observe())


def test_sub_goals_are_reached_one_after_the_other_and_reported(robot: Toolbox) -> None:
    robot.restart(scene_with(closes=True))
    expert, told, status = Expert(), [robot.stage], TaskStatus()
    while not status.is_terminal:
        status = robot.apply(expert.act(robot.privileged()))
        assert robot.privileged()["stage"] == robot.stage
        assert status.is_terminal or status.sub_goal == missing(robot.stage)
        told.append(robot.stage)
    assert status.outcome is Outcome.SUCCESS
    reached = list(dict.fromkeys(told))
    assert reached[0] is Stage.GRASP
    assert reached[-1] is Stage.DONE
    assert set(reached) >= {Stage.PACK, Stage.CLEAR, Stage.CLOSE}


def test_a_lid_that_is_to_stay_open_is_held_open(robot: Toolbox) -> None:
    robot.restart(scene_with(closes=False))
    drive_to(robot, Stage.DONE)
    assert robot.privileged()["is_open"]
    assert repeat(robot, action()).outcome is Outcome.SUCCESS


def test_a_lid_that_nobody_holds_falls_shut(robot: Toolbox) -> None:
    """So the right hand alone cannot pack."""
    robot.restart(scene_with(closes=True))
    drive_to(robot, Stage.PACK)
    for _ in range(30):
        robot.apply(action(left_gripper=1.0))
    assert robot.privileged()["lid_rad"] < 0.05
    assert not robot.privileged()["is_latched"]
    assert robot.stage is Stage.OPEN


def test_a_dropped_tool_is_grasped_again(robot: Toolbox) -> None:
    robot.restart(scene_with(closes=True))
    drive_to(robot, Stage.PACK)
    for _ in range(6):
        robot.apply(action(right_gripper=1.0))
    assert robot.stage is Stage.GRASP
    drive_to(robot, Stage.DONE)


def test_squeezing_on_crushes_the_handle(robot: Toolbox) -> None:
    robot.restart(3)
    drive_to(robot, Stage.OPEN)
    status = repeat(robot, action(right_gripper=-1.0))
    assert status.outcome is Outcome.FAILURE
    assert status.reason == f"crushed the {robot.scene.tools[robot.scene.target_tool].name}"


def test_a_loose_grip_does_not_hold(robot: Toolbox) -> None:
    """The fingers touch the handle, and the hand comes up without it."""
    robot.restart(3)
    expert = Expert()
    while robot.privileged()["right_grip_n"] < 0.5:
        robot.apply(expert.act(robot.privileged()))
    for _ in range(8):
        robot.apply(action(right_z=0.8))
    assert robot.stage is Stage.GRASP
    assert robot.privileged()["tool_z_m"] < 0.02


def test_pressing_on_after_the_click_bends_the_tool(robot: Toolbox) -> None:
    robot.restart(scene_with(closes=True))
    drive_to(robot, Stage.CLEAR)
    status = repeat(robot, action(right_z=-0.2))
    assert status.reason == f"bent the {robot.scene.tools[robot.scene.target_tool].name}"


def test_pressing_on_after_the_latch_cracks_the_lid(robot: Toolbox) -> None:
    robot.restart(scene_with(closes=True))
    drive_to(robot, Stage.CLOSE)
    while not robot.privileged()["is_latched"]:
        robot.apply(Expert().act(robot.privileged()))
    assert repeat(robot, action(left_z=-0.5)).reason == "cracked the lid"


def test_pressing_on_the_table_is_a_failure(robot: Toolbox) -> None:
    robot.restart(3)
    assert repeat(robot, action(right_z=-0.5, right_y=0.3)).reason == "right hand pressed too hard"


@pytest.mark.parametrize(("swapped", "reason"), [("tools", "wrong tool"), ("slots", "wrong slot")])
def test_what_was_not_asked_for_is_a_failure(robot: Toolbox, swapped: str, reason: str) -> None:
    robot.restart(scene_with(closes=True))
    expert, status = Expert(), TaskStatus()
    while not status.is_terminal:
        p = dict(robot.privileged())
        if swapped == "slots":
            p |= {f"slot_{axis}_m": p[f"other_slot_{axis}_m"] for axis in "xy"}
        else:
            tool = {name: value for name, value in p.items() if name.startswith("tool_")}
            p |= {name: p[name.replace("tool", "other", 1)] for name in tool}
            p["holds_tool"], p["holds_other"] = p["holds_other"], 0.0
        status = robot.apply(expert.act(p))
    assert status.outcome is Outcome.FAILURE
    assert status.reason.startswith(reason)


def test_time_runs_out_and_says_what_was_missing() -> None:
    robot = Toolbox(ToolboxConfig(max_steps=2))
    robot.hold()
    status = robot.hold()
    assert status.is_truncated
    assert status.outcome is Outcome.TIMED_OUT
    assert status.reason == "out of time: tool not grasped"


def test_touch_tells_hands_and_fingers_apart(robot: Toolbox) -> None:
    """With the tool in the right hand its fingers feel it, and its wrist the tool's weight."""
    robot.restart(scene_with(closes=True))
    drive_to(robot, Stage.PACK)
    names = [channel.name for channel in robot.spec.tactile]
    felt = dict(zip(names, robot._senses.tactile, strict=True))
    assert felt["right_finger_0[0]"] > 0.2
    assert felt["right_finger_1[0]"] > 0.2
    assert felt["left_force_z[0]"] < 0  # the lid pulls


def test_impossible_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_steps"):
        ToolboxConfig(max_steps=0)
