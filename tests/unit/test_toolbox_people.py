"""The scripted people of toolbox packing: right from any state, late, called in time, and needing touch."""

import numpy as np
import pytest

from benchmarks.tally import run
from benchmarks.toolbox import Clumsy, NumbExpert
from policy.schema import Outcome
from robots.robot import TaskStatus
from robots.task import Driver, Habits
from robots.toolbox.demonstrate import Demonstrator
from robots.toolbox.expert import Expert
from robots.toolbox.help import foresee, needs_help
from robots.toolbox.robot import Toolbox


@pytest.fixture(scope="module")
def robot() -> Toolbox:
    return Toolbox()


def drive(robot: Toolbox, driver: Driver, seed: int) -> TaskStatus:
    """One episode, without pictures."""
    return run(robot, driver, seed)[0]


def test_the_expert_packs_every_tool(robot: Toolbox) -> None:
    outcomes = [drive(robot, Expert(), seed).outcome for seed in range(500, 512)]
    assert outcomes.count(Outcome.SUCCESS) >= 12


def test_demonstrations_are_noisy_and_good(robot: Toolbox) -> None:
    outcomes = [drive(robot, Demonstrator(seed), seed).outcome for seed in range(600, 612)]
    assert outcomes.count(Outcome.SUCCESS) >= 11


def test_the_expert_is_right_from_states_that_it_would_not_reach(robot: Toolbox) -> None:
    outcomes = []
    for seed in range(14):
        person = Clumsy(seed)
        status = drive(robot, person, seed)
        if person.num_clumsy < 0:
            outcomes.append(status.outcome)
    assert len(outcomes) >= 8
    assert outcomes.count(Outcome.SUCCESS) >= len(outcomes) - 1


def test_without_touch_the_same_plan_fails(robot: Toolbox) -> None:
    statuses = [drive(robot, NumbExpert(), seed) for seed in range(24)]
    assert [status.outcome for status in statuses].count(Outcome.SUCCESS) <= 18, "the expert packs all of them"


def test_actions_stay_within_limits(robot: Toolbox) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        state = {name: float(rng.normal(0, 0.1)) for name in robot.privileged()}
        assert np.abs(Expert().act(state)).max() <= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"right_force_n": 9.0}, "right hand pressing"),
        ({"left_grip_n": 7.0}, "left hand squeezing"),
        ({"holds_other": 1.0}, "wrong tool"),
        ({"lid_rad": 0.8}, "nobody holds the lid"),
        ({"is_latched": 1.0}, "lid closed too soon"),
        ({"num_idle_ticks": 40.0}, "no progress"),
        ({"tool_z_m": 0.04, "right_z_m": 0.09}, "dropped the tool"),
    ],
)
def test_a_person_says_why_they_take_over(robot: Toolbox, change: dict[str, float], reason: str) -> None:
    robot.restart(0)
    state = dict(robot.privileged())
    assert needs_help([state]) is None
    assert reason in (needs_help([{**state, **change}]) or "")


def test_foresight_is_where_hands_will_be(robot: Toolbox) -> None:
    robot.restart(0)
    actions = [Expert(Habits()).act(robot.privileged()) * 0.5 for _ in range(3)]
    expected = foresee(robot.privileged(), [tuple(action.tolist()) for action in actions])
    for action in actions:
        robot.apply(action)
    robot.hold()
    for hand in ("left", "right"):
        for axis in "xyz":
            assert robot.privileged()[f"{hand}_{axis}_m"] == pytest.approx(expected[f"{hand}_{axis}_m"], abs=0.002)
