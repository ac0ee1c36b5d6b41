"""The box: what a seed decides, what ends an episode and why, what the robot must not give away."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from policy.errors import ConfigError
from policy.schema import Float32, Observation, Outcome
from policy.spec import EmbodimentSpec
from robots.busybox.demonstrate import Demonstrator
from robots.busybox.expert import Expert
from robots.busybox.goals import Goal
from robots.busybox.layout import CELLS_M, MODULES, PARTS
from robots.busybox.robot import BusyBox, BusyBoxConfig
from robots.busybox.scene import Scene
from robots.robot import TaskStatus
from robots.task import Driver

WORKING = TaskStatus()


@pytest.fixture(scope="module")
def robot() -> BusyBox:
    return BusyBox()


def only(module: str, **options: object) -> BusyBox:
    return BusyBox(BusyBoxConfig(modules=(module,), **options))  # type: ignore[arg-type]


def action(x: float = 0.0, y: float = 0.0, z: float = 0.0, twist: float = 0.0, gripper: float = 0.0) -> Float32:
    return np.array([x, y, z, twist, gripper], np.float32)


def assert_same(one: Observation, other: Observation) -> None:
    assert_array_equal(one.state, other.state)
    assert_array_equal(one.tactile, other.tactile)
    for a, b in zip(one.frames, other.frames, strict=True):
        assert_array_equal(a, b)
    assert one.instruction == other.instruction


def finish(robot: BusyBox, driver: Driver) -> TaskStatus:
    """Drive to the end."""
    while True:
        status = robot.apply(driver.act(robot.privileged()))
        if status.is_terminal or status.is_truncated:
            return status


def until(robot: BusyBox, flag: str, driver: Driver) -> None:
    """Drive until something is true."""
    while not robot.privileged()[flag]:
        assert robot.apply(driver.act(robot.privileged())) == WORKING


def repeat(robot: BusyBox, command: Float32, num_ticks: int) -> Iterator[TaskStatus]:
    for _ in range(num_ticks):
        status = robot.apply(command)
        yield status
        if status.is_terminal:
            return


def test_observation_fits_the_spec(robot: BusyBox) -> None:
    observation, spec = robot.reset(1), robot.spec
    assert [frame.shape for frame in observation.frames] == [(64, 64, 3)] * 2
    assert all(frame.dtype == np.uint8 and frame.std() > 10 for frame in observation.frames)
    assert observation.state.shape == (len(spec.state),)
    assert observation.tactile.shape == (len(spec.tactile),)
    assert observation.state.dtype == observation.tactile.dtype == np.float32
    assert [channel.name for channel in spec.action][-1] == "gripper"
    assert EmbodimentSpec.from_json(spec.to_json()) == spec
    for values, channels in ((observation.state, spec.state), (observation.tactile, spec.tactile)):
        assert all(c.low <= v <= c.high for v, c in zip(values.tolist(), channels, strict=True))


def test_modules_look_different(robot: BusyBox) -> None:
    """Each module's plate has a colour of its own, well apart from all others, in the scene camera's picture."""
    picture = robot.reset(1).frames[1].astype(int)
    for plate in ((191, 148, 97), (230, 230, 219), (128, 82, 158), (38, 140, 148), (115, 120, 128), (51, 51, 61)):
        direction = np.array(plate) / np.linalg.norm(plate)
        brightness = np.linalg.norm(picture, axis=2)
        similar = (picture @ direction) / np.maximum(brightness, 1) > 0.998
        assert (similar & (brightness > 40)).sum() > 25, plate


def test_same_seed_same_episode_whatever_came_before(robot: BusyBox) -> None:
    other = BusyBox()
    other.reset(9)
    other.apply(action(x=1.0, z=-1.0, gripper=1.0))
    one, two = robot.reset(4), other.reset(4)
    assert_same(one, two)
    rng = np.random.default_rng(0)
    for command in rng.uniform(-1, 1, (20, 5)).astype(np.float32):
        assert robot.apply(command) == other.apply(command)
    assert_same(robot.observe(), other.observe())


def test_the_canonical_box_stays_and_the_rearranged_one_changes() -> None:
    canonical, rearranged = (
        [Scene.draw(np.random.default_rng(seed), is_rearranged=is_rearranged) for seed in range(12)]
        for is_rearranged in (False, True)
    )
    for scene in canonical:
        assert [place.num_quarter_turns for place in scene.places.values()] == [0] * 6
        far = [np.hypot(p.x_m - x, p.y_m - y) for p, (x, y) in zip(scene.places.values(), CELLS_M, strict=True)]
        assert max(far) < 0.0075
    assert len({tuple(p.num_quarter_turns for p in scene.places.values()) for scene in rearranged}) > 6
    assert len({round(scene.places["knob"].x_m, 1) for scene in rearranged}) > 1


def test_the_goal_is_never_reached_from_the_start_and_of_the_modules_asked_for() -> None:
    robot = BusyBox(BusyBoxConfig(modules=("knob", "sliders"), is_rearranged=True))
    seen = set()
    for seed in range(40):
        robot.restart(seed)
        assert not robot.privileged()["is_reached"]
        seen.add(robot.scene.goal.module)
    assert seen == {"knob", "sliders"}


@pytest.mark.parametrize("module", MODULES)
def test_experts_and_demonstrators_do_every_module(module: str) -> None:
    robot = only(module, is_rearranged=True)
    for seed in range(3):
        for driver in (Expert(), Demonstrator(seed)):
            robot.restart(seed)
            assert finish(robot, driver) == TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)


def test_a_click_that_is_still_pressed_is_not_success() -> None:
    robot = only("buttons")
    robot.restart(3)
    until(robot, "is_reached", Expert())
    for _ in range(6):
        assert robot.hold() == WORKING
    assert finish(robot, Expert()).outcome is Outcome.SUCCESS


def test_pressing_on_after_the_click_breaks_the_button() -> None:
    robot = only("buttons")
    robot.restart(3)
    until(robot, "is_reached", Expert())
    *_, status = repeat(robot, action(z=-0.1), 40)
    assert status == TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="broken button")


def test_turning_the_knob_past_its_end_breaks_it() -> None:
    robot = only("knob")
    robot.restart(next(s for s in range(50) if _goal(robot, s).position == 4 and robot.scene.positions[-1] > 1))
    onward = np.sign(robot.privileged()["to_go"])
    until(robot, "is_reached", Expert())
    *_, status = repeat(robot, action(twist=0.5 * onward), 40)
    assert status.reason == "broken knob"


def test_ramming_the_panel_breaks_it(robot: BusyBox) -> None:
    robot.restart(0)
    for status in repeat(robot, action(x=1.0, y=-1.0), 30):
        assert status == WORKING
    *_, status = repeat(robot, action(z=-1.0), 40)
    assert status.reason == "broken panel"


def test_another_part_than_the_one_named_is_a_failure() -> None:
    """The expert is told of the next part of the same module."""
    reasons = set()
    for module, taken, meant in (("buttons", 1, 0), ("switches", 4, 3), ("sliders", 6, 5)):
        robot = only(module)
        seed = next(s for s in range(60) if _goal(robot, s).part == meant and _movable(robot, taken))
        robot.restart(seed)
        x, y = robot.truth.handle_m(taken)
        while True:
            value = robot.truth.values[taken]
            positions = PARTS[taken].positions
            to_go = positions[-1 if value < 0 else 0] - value
            told = {"part_x_m": x, "part_y_m": y, "to_go": to_go, "is_reached": 0.0}
            x, y = robot.truth.handle_m(taken)
            status = robot.apply(Expert().act(dict(robot.privileged()) | told))
            if status.is_terminal or status.is_truncated:
                break
        reasons.add(status.reason)
    assert reasons == {"wrong part: second button", "wrong part: green switch", "wrong part: right slider"}


def test_the_wrong_socket_is_a_failure() -> None:
    robot = only("wire")
    robot.restart(2)
    while True:
        p = dict(robot.privileged())
        dx, dy = (-0.036, 0.0) if robot.scene.goal.part else (0.036, 0.0)
        told = {"socket_x_m": p["socket_x_m"] + dx, "socket_y_m": p["socket_y_m"] + dy}
        status = robot.apply(Expert().act(p | told))
        if status.is_terminal or status.is_truncated:
            break
    assert status.reason in ("wrong part: blue socket", "wrong part: yellow socket")


def test_time_runs_out() -> None:
    robot = BusyBox(BusyBoxConfig(max_steps=3))
    statuses = [robot.hold() for _ in range(3)]
    assert statuses[-1] == TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time")
    assert statuses[1] == WORKING


def test_a_wire_that_is_dropped_springs_back(robot: BusyBox) -> None:
    robot = only("wire")
    robot.restart(5)
    dock = robot.privileged()["wire_x_m"], robot.privileged()["wire_y_m"]
    while robot.privileged()["wire_z_m"] < 0.02:
        robot.apply(Expert().act(robot.privileged()))
    for _ in repeat(robot, action(z=1.0, gripper=1.0), 4):
        pass
    for _ in repeat(robot, action(), 40):
        pass
    p = robot.privileged()
    assert np.hypot(p["wire_x_m"] - dock[0], p["wire_y_m"] - dock[1]) < 0.003
    assert finish(robot, Expert()).outcome is Outcome.SUCCESS


def test_the_display_shows_the_knob_once_it_is_let_go() -> None:
    robot = only("knob")
    robot.restart(1)
    goal, start = robot.scene.goal.position, robot.scene.positions[-1]
    until(robot, "is_reached", Expert())
    assert robot.truth.shown_position == start
    assert finish(robot, Expert()).outcome is Outcome.SUCCESS
    assert robot.truth.shown_position == goal


def test_touch_tells_which_finger_is_pressed_and_which_way(robot: BusyBox) -> None:
    """What is gripped presses the left finger to the left, -x, and the right one to the right."""
    robot = only("knob")
    robot.restart(1)
    while robot.privileged()["grip_n"] < 3:
        robot.apply(Expert().act(robot.privileged()))
    left_x, right_x = robot.observe().tactile[[-6, -3]]
    assert left_x < -0.2
    assert right_x > 0.2


def test_what_is_only_felt_is_not_seen() -> None:
    """Two boxes that differ in nothing but clicks, detents and latches look and feel the same from above."""
    one, two = BusyBox(), BusyBox()
    one.reset(11)
    two.reset(11)
    for mechanism in two.box.mechanisms[:3]:
        mechanism.depth_m, mechanism.force_n = 0.004, 1.0  # type: ignore[union-attr]
    for command in (action(x=0.5), action(z=-0.5)):
        one.apply(command)
        two.apply(command)
    assert_same(one.observe(), two.observe())


@pytest.mark.parametrize(
    "wrong", [{"modules": ("levers",)}, {"modules": ()}, {"wording": "loud"}, {"max_steps": 0}, {"reading_ages": ()}]
)
def test_impossible_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        BusyBoxConfig(**wrong)  # type: ignore[arg-type]


def _goal(robot: BusyBox, seed: int) -> Goal:
    robot.restart(seed)
    return robot.scene.goal


def _movable(robot: BusyBox, part: int) -> bool:
    """Whether the part rests at one of its ends, so that the way to go is known."""
    return robot.scene.positions[part] in (0, len(PARTS[part].positions) - 1)
