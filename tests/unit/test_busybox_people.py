"""The scripted people of BusyBox: right from any state, late and called in words; and helpless without touch."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.busybox import NumbExpert
from benchmarks.tally import measure
from policy.schema import Float32, Outcome
from robots.busybox.expert import Expert
from robots.busybox.help import foresee, needs_help, steadiness
from robots.busybox.layout import MODULES
from robots.busybox.robot import BusyBox, BusyBoxConfig
from robots.robot import TaskStatus
from robots.task import Habits, Privileged

DELAY_TICKS = 3
Act = Callable[[Privileged], Float32]


def at_another_button(p: Privileged) -> Float32:
    """Rests on a neighbour, a little pressed."""
    aside = 0.021 if p["part_x_m"] < -0.06 else -0.021
    action = Expert().act(dict(p) | {"part_x_m": p["part_x_m"] + aside, "is_reached": 0.0})
    if p["tip_z_m"] < 0.021:
        action[2] = 0.0
    return action


def pressing_too_hard(p: Privileged) -> Float32:
    action = Expert().act(dict(p) | {"force_z_n": 0.0, "force_n": 0.0, "is_reached": 0.0})
    return np.array([action[0], action[1], min(action[2], -0.08) if p["force_z_n"] > 1 else action[2], 0, action[4]])


def standing_still(_: Privileged) -> Float32:
    return np.zeros(5, np.float32)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [(at_another_button, "at the wrong part"), (pressing_too_hard, "pressing"), (standing_still, "no progress")],
)
def test_a_late_helper_saves_the_episode(policy: Act, reason: str) -> None:
    robot = BusyBox(BusyBoxConfig(modules=("buttons",)))
    helper = Expert(Habits(delay_ticks=DELAY_TICKS))
    outcomes = []
    for seed in range(6):
        robot.restart(seed)
        seen: list[Privileged] = []
        asked: str | None = None
        status = TaskStatus()
        while not (status.is_terminal or status.is_truncated):
            seen.append(robot.privileged())
            late = seen[: -DELAY_TICKS or None] or seen[:1]
            asked = asked or needs_help(seen)
            status = robot.apply(helper.act(late[-1]) if asked else policy(seen[-1]))
        assert asked is not None
        assert reason in asked
        outcomes.append(status.outcome)
    assert outcomes.count(Outcome.SUCCESS) >= 5


@pytest.mark.parametrize("module", MODULES)
def test_the_expert_goes_on_from_any_state_that_a_weak_policy_reaches(module: str) -> None:
    """It drives for a while, a drunken hand takes over, and it drives again."""
    robot = BusyBox(BusyBoxConfig(modules=(module,), is_rearranged=True, max_steps=200))
    num_saved = num_tried = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        robot.restart(seed)
        first, last = int(rng.integers(6, 16)), int(rng.integers(18, 26))
        wander, num_steps, status = np.zeros(5), 0, TaskStatus()
        while not (status.is_terminal or status.is_truncated):
            wander = 0.7 * wander + 0.7 * rng.normal(0, 0.35, 5)
            is_drunk = first <= num_steps < last
            action = np.clip(wander, -1, 1).astype(np.float32) if is_drunk else Expert().act(robot.privileged())
            status = robot.apply(action)
            num_steps += 1
        if num_steps > last:
            num_tried += 1
            num_saved += status.outcome is Outcome.SUCCESS
    assert num_tried >= 3
    assert num_saved >= num_tried - 1, "one may have been as good as broken"


def test_a_good_episode_needs_no_help() -> None:
    robot = BusyBox(BusyBoxConfig(is_rearranged=True))
    for seed in range(12):
        robot.restart(seed)
        status = TaskStatus()
        while not status.is_terminal:
            state = robot.privileged()
            assert needs_help([state]) is None
            assert 0 < steadiness(state) <= 1
            status = robot.apply(Expert().act(state))


@pytest.mark.parametrize("module", ["buttons", "wire"])
def test_the_expert_with_numb_fingers_fails_often(module: str) -> None:
    tally = measure(BusyBox(BusyBoxConfig(modules=(module,))), lambda _: NumbExpert(), 16)
    assert tally.failures.total() >= 6


def test_foresight_crosses_free_space_and_presses_what_is_touched() -> None:
    robot = BusyBox()
    robot.restart(0)
    free = robot.privileged()
    coming = foresee(free, [(1.0, 0.0, -1.0, 0.0, 0.0)] * 2)
    assert coming["tip_x_m"] == pytest.approx(free["tip_x_m"] + 0.02)
    assert coming["tip_z_m"] == pytest.approx(free["tip_z_m"] - 0.02)
    pressed = dict(free) | {"force_z_n": 2.0, "force_n": 2.0}
    coming = foresee(pressed, [(0.0, 0.0, -0.1, 0.0, 0.0)] * 2)
    assert coming["force_z_n"] == pytest.approx(2.0 + 3.0)
    assert coming["tip_z_m"] == free["tip_z_m"]


def test_actions_stay_within_limits() -> None:
    robot = BusyBox()
    rng = np.random.default_rng(0)
    for module in range(len(MODULES)):
        for _ in range(20):
            state = {name: float(rng.normal(0, 0.1)) for name in robot.privileged()}
            assert np.abs(Expert().act(state | {"module": float(module)})).max() <= 1
