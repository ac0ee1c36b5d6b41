"""The task's time limit waits while people have the robot, twice as long at most."""

from actor.task_clock import TaskClock
from policy.schema import Outcome
from robots.robot import TaskStatus

LIMIT = 10
OUT = TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time", sub_goal="close the lid")


def ends_after(held: range, *, says_so_once: bool = False) -> int:
    """Ticks of an episode in which people had the robot in some of them."""
    clock = TaskClock()
    for tick in range(1, 10 * LIMIT):
        is_out = tick == LIMIT if says_so_once else tick >= LIMIT
        status = clock.heed(OUT if is_out else TaskStatus(sub_goal="close the lid"), is_held=tick in held)
        assert status.sub_goal == "close the lid"
        if status.is_truncated:
            assert status == OUT
            return tick
        assert status.outcome is Outcome.UNLABELLED
    raise AssertionError("it never ended")


def test_without_people_the_limit_is_the_tasks() -> None:
    assert ends_after(range(0)) == LIMIT


def test_the_policy_has_its_own_time_after_a_hand_back() -> None:
    assert ends_after(range(4, 7)) == LIMIT + 3


def test_nobody_loses_a_robot_in_the_middle_of_a_correction() -> None:
    assert ends_after(range(LIMIT - 1, LIMIT + 4)) == LIMIT + 5


def test_an_episode_is_never_more_than_twice_as_long() -> None:
    assert ends_after(range(1, 10 * LIMIT)) == 2 * LIMIT


def test_a_robot_may_say_it_once() -> None:
    assert ends_after(range(4, 7), says_so_once=True) == LIMIT + 3


def test_what_is_certain_ends_it_at_once() -> None:
    clock = TaskClock()
    clock.heed(OUT, is_held=True)
    broken = TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="broken connector")
    assert clock.heed(broken, is_held=True) == broken


def test_another_episode_begins_anew() -> None:
    clock = TaskClock()
    clock.heed(OUT, is_held=True)
    clock.begin()
    assert clock.heed(TaskStatus(), is_held=False) == TaskStatus()
