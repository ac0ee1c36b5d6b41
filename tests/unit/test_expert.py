"""The scripted expert as the person on the touchline: late, and called when things go wrong."""

from collections.abc import Callable

import numpy as np
import pytest

from policy.schema import Float32, Outcome
from robots.expert import Expert, ExpertConfig, needs_help
from robots.plug_insertion import PlugInsertion
from robots.robot import TaskStatus
from robots.task import Privileged

DELAY_TICKS = 3


def at_the_wrong_socket(p: Privileged) -> Float32:
    swapped = dict(p) | {f"target_{name}": p[f"other_{name}"] for name in ("x_m", "y_m", "rim_m")}
    return Expert().correct(swapped)


def beside_the_hole(p: Privileged) -> Float32:
    return Expert().correct(p, aim_error_m=(0.006, 0.002))


def pressing_too_hard(p: Privileged) -> Float32:
    action = Expert().correct(p, aim_error_m=(0.006, 0.002))
    action[2] = min(action[2], -0.1) if p["tip_z_m"] < 0.033 else action[2]
    return action


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (at_the_wrong_socket, "wrong socket"),
        (beside_the_hole, "no progress"),
        (pressing_too_hard, "pressing"),
    ],
)
def test_a_late_helper_saves_the_episode(policy: Callable[[Privileged], Float32], reason: str) -> None:
    robot = PlugInsertion()
    helper = Expert(ExpertConfig(delay_ticks=DELAY_TICKS))
    outcomes = []
    for seed in range(6):
        robot._start(seed)
        seen: list[Privileged] = []
        asked: str | None = None
        status = TaskStatus()
        while not (status.is_terminal or status.is_truncated):
            seen.append(robot.privileged())
            late = seen[: -DELAY_TICKS or None] or seen[:1]
            asked = asked or needs_help(late)
            status = robot.apply(helper.correct(late[-1]) if asked else policy(seen[-1]))
        assert asked is not None
        assert reason in asked
        outcomes.append(status.outcome)
    assert outcomes.count(Outcome.SUCCESS) >= 5


def test_a_good_episode_needs_no_help() -> None:
    robot = PlugInsertion()
    for seed in range(10):
        robot._start(seed)
        status = TaskStatus()
        while not status.is_terminal:
            state = robot.privileged()
            assert needs_help([state]) is None
            status = robot.apply(Expert().correct(state))


def test_actions_stay_within_limits() -> None:
    robot = PlugInsertion()
    rng = np.random.default_rng(0)
    for _ in range(50):
        state = {name: float(rng.normal(0, 0.1)) for name in robot.privileged()}
        assert np.abs(Expert().correct(state)).max() <= 1
