"""The task's time limit, which waits while people have the robot.

Whoever takes over late would else lose it in the middle of a correction, and what they did be called a failure because
time was out: in a fleet of sixteen robots, where help came late, 232 of 401 episodes that people helped in ended so,
and the critic learned nothing from who succeeded. So an episode is longer by the ticks in which somebody had the robot,
but never more than twice as long as its limit.
"""

import dataclasses

from policy.schema import Outcome
from robots.robot import TaskStatus


class TaskClock:
    """Counts the ticks of one robot's episode."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The first tick of another episode is next."""
        self._num_ticks = self._num_held = 0
        self._out: TaskStatus | None = None
        self._limit = 0

    def heed(self, status: TaskStatus, *, is_held: bool) -> TaskStatus:
        """What is over after one more tick.

        Args:
            status: what the robot says, which knows nothing of people; from its limit on it may say so each time.
            is_held: whether somebody had the robot in this tick.
        """
        self._num_ticks += 1
        self._num_held += is_held
        if status.is_terminal:
            return status
        if status.is_truncated and self._out is None:
            self._out, self._limit = status, self._num_ticks
        if self._out is None:
            return status
        if self._num_ticks - self._limit >= min(self._num_held, self._limit):
            return self._out
        return dataclasses.replace(status, is_truncated=False, outcome=Outcome.UNLABELLED, reason="")
