"""The people's side as the control loop sees it, and what a robot tells them after each tick."""

import math
import time
from collections.abc import Callable
from typing import Protocol

from actor.logbook import Logbook
from actor.work import Work
from corrections.intervention import NOBODY, People
from corrections.protocol import Help, RobotState
from policy.schema import ControlMode, UInt8
from robots.robot import Robot, Thermometers

_TELEMETRY_NS = 1_000_000_000


class Link(Protocol):
    """Mailboxes, never waited for; `corrections.robot_link.RobotLink` is the real one."""

    def people(self, robot_id: str) -> People:
        """What is known of people now."""

    def report(self, robot_id: str, state: RobotState) -> None:
        """Say how the robot is."""

    def show(self, robot_id: str, pictures: tuple[UInt8, ...]) -> None:
        """Offer the newest pictures."""


class NoLink:
    """Nobody helps: evaluation and demonstrations."""

    def people(self, robot_id: str) -> People:
        """Nobody."""
        return NOBODY

    def report(self, robot_id: str, state: RobotState) -> None:
        """Nobody listens."""

    def show(self, robot_id: str, pictures: tuple[UInt8, ...]) -> None:
        """Nobody watches."""


class Reporter:
    """One robot's reports to people after every tick, and its telemetry about once a second."""

    def __init__(
        self,
        link: Link,
        logbook: Logbook,
        robot: Robot,
        work: Work,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._link, self._logbook, self._robot, self._work, self._clock_ns = link, logbook, robot, work, clock_ns
        self._thermometers = robot if isinstance(robot, Thermometers) else None
        self._telemetry_ns = 0

    def report(
        self,
        mode: ControlMode,
        people: People,
        request: Help,
        *,
        hits: tuple[str, ...] = (),
        delay_ms: float = math.nan,
    ) -> None:
        """Say how the robot is after a tick, or between episodes, and what it asks for."""
        logbook = self._logbook
        num_waiting, spool_bytes = logbook.waiting
        self._link.report(
            logbook.robot_id,
            RobotState(
                robot_id=logbook.robot_id,
                mode=mode,
                episode_id=logbook.episode_id,
                step_index=logbook.step_index,
                task_id=self._robot.task_id,
                instruction=logbook.words,
                policy_version=logbook.policy_version,
                privileged=self._robot.privileged(),
                limit_hits=hits,
                help=request,
                unlabelled_episode_id=logbook.unlabelled_episode_id,
                weights_refusal=self._work.refusal(logbook.robot_id),
                num_records_waiting=num_waiting,
                spool_bytes=spool_bytes,
                temperatures_c=self._thermometers.temperatures_c() if self._thermometers else {},
                lease_epoch=people.lease.epoch if people.lease else 0,
                command_delay_ms=-1.0 if math.isnan(delay_ms) else delay_ms,
            ),
        )
        now_ns = self._clock_ns()
        if now_ns >= self._telemetry_ns:
            self._telemetry_ns = now_ns + _TELEMETRY_NS
            logbook.tell(mode)
