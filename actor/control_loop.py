"""The tick of one robot.

    observe -> infer -> arbitrate -> guard -> apply -> record

Runs on the control thread, called by the scheduler when the robot is due. Nothing in it waits for
network or disk: people come from the link's mailbox, chunks from the inference thread's, weights from
the sync thread's, and records go to the recorder's queue. A robot on its own clock (simulated, held
by nobody) may find its chunk still being computed; then its clock stands still and the tick is tried
again. An episode begins only while nobody holds the robot and the policy may act.
"""

import dataclasses
import enum
import math
import time
from collections.abc import Callable

from actor.asking import Asker, HelpConfig
from actor.chunks import Proposal
from actor.instruction import Instruction
from actor.link import Link, Reporter
from actor.logbook import Logbook, Tick
from actor.safety import Guarded, Limits, guard
from actor.self_check import SelfCheck
from actor.task_clock import TaskClock
from actor.work import CUT_REASON, Assignment, Work
from corrections import intervention
from corrections.intervention import NOBODY, InterventionState, SafetyConfig
from infra.metrics import Metrics
from policy.schema import ControlMode, Float32, Observation, Outcome, Source
from robots.robot import Robot, TaskStatus

_CUT = TaskStatus(is_truncated=True, reason=CUT_REASON)
_REST_PICTURE_NS = 200_000_000
"""Between pictures while no episode runs."""


class Progress(enum.Enum):
    """How far a tick came."""

    TICKED = "ticked"
    WAITING = "waiting"
    """The chunk is not there; the robot's own clock stands still."""
    IDLE = "idle"
    """Between episodes, and nothing to do."""


class ControlLoop:
    """One robot, from one tick to the next."""

    def __init__(
        self,
        robot: Robot,
        work: Work,
        logbook: Logbook,
        *,
        link: Link,
        limits: Limits,
        safety: SafetyConfig,
        check: SelfCheck,
        asking: HelpConfig,
        metrics: Metrics,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.robot, self.robot_id = robot, logbook.robot_id
        self._work, self._logbook, self._link = work, logbook, link
        self._limits, self._safety, self._check = limits, safety, check
        self._asker = Asker(asking, logbook.asked)
        self._task_clock = TaskClock()
        self._metrics, self._clock_ns = metrics, clock_ns
        self._people = NOBODY
        self._intervention = InterventionState()
        self._assignment: Assignment | None = None
        self._observation: Observation | None = None
        self._sensed_time_ns = self._sensed_ns = self._shown_ns = 0
        self._is_placed = False
        self._instruction = Instruction()
        self._previous = limits.still
        self._reporter = Reporter(link, logbook, robot, work, clock_ns)

    @property
    def is_virtual(self) -> bool:
        """Whether the robot is on its own clock: simulated, and held by nobody."""
        return self.robot.is_simulated and not self._people.is_held

    @property
    def is_waiting(self) -> bool:
        """Whether the chunk of the present tick is still being computed."""
        return (
            self._assignment is not None
            and self.is_virtual
            and self._assignment.proposer.is_waiting(self._logbook.step_index)
        )

    def tick(self) -> Progress:
        """One control period."""
        self._heed_people()
        if self._assignment is None and not self._begin():
            self._show_at_rest()
            self._reporter.report(self._intervention.mode, self._people, self._asker.help)
            return Progress.IDLE
        observation = self._observe()
        if self.is_waiting:
            return Progress.WAITING
        proposal = self._infer()
        wanted, delay_ms = self._arbitrate(proposal)
        guarded = self._guard(wanted, observation)
        status = self._heed_answers(self._task_clock.heed(self._apply(guarded), is_held=self._people.is_held))
        self._record(observation, proposal, guarded, delay_ms, status)
        return Progress.TICKED

    def finish(self) -> None:
        """Hold still once more and cut the episode: the process stops."""
        if self._assignment is None:
            return
        if self._intervention.mode is ControlMode.CORRECTING:
            # Nobody's command is executed here: a hold is no correction to learn from.
            self._intervention = dataclasses.replace(self._intervention, mode=ControlMode.PAUSED)
        observation = self._observe()
        guarded = self._guard(None, observation)
        self._apply(guarded)
        self._record(observation, None, guarded, math.nan, _CUT)

    # --- the tick's words ------------------------------------------------------------------------

    def _heed_people(self) -> None:
        """Who moves the robot now; plans made before a take-over or a hand-back are stale."""
        self._people = self._link.people(self.robot_id)
        self._decide_mode()

    def _decide_mode(self) -> None:
        before = self._intervention.mode
        self._intervention = intervention.advance(self._intervention, self._people, self._clock_ns(), self._safety)
        if self._intervention.mode is not before:
            self._changed_mode(before, self._intervention.mode)

    def _begin(self) -> bool:
        """Start the next episode if the policy may act; returns whether one runs."""
        if self._intervention.mode is not ControlMode.AUTONOMOUS or self._people.is_held:
            return False
        self._assignment = self._work.next_episode(self.robot_id, self.robot)
        if self._assignment is None:
            return False
        self._observation = self.robot.reset(self._assignment.scene_seed)
        self._is_placed = True
        self._previous = self._limits.still
        self._instruction.begin(self._people)
        self._check.begin()
        self._task_clock.begin()
        self._logbook.begin(self._assignment, self._observation.instruction)
        self._asker.begin(self._logbook.episode_id)
        return True

    def _observe(self) -> Observation:
        """Sense once per tick, however often it is tried, and let the proposer see it."""
        if self._observation is None:
            self._observation = self._instruction.heed(self._people, self.robot.observe())
        self._look(self._observation)
        return self._observation

    def _infer(self) -> Proposal | None:
        """The next action of the chunk; policies also propose while a person corrects."""
        if self._intervention.mode not in (ControlMode.AUTONOMOUS, ControlMode.CORRECTING):
            return None
        assert self._assignment is not None
        proposal = self._assignment.proposer.propose(self._logbook.step_index, is_virtual=self.is_virtual)
        self._check.look(self._assignment.proposer.take_samples())
        return proposal

    def _arbitrate(self, proposal: Proposal | None) -> tuple[Float32 | None, float]:
        """The action to execute, None to hold, and the age of the person's command in ms."""
        if self._intervention.mode is ControlMode.CORRECTING:
            self._decide_mode()  # sensing took its time: what went stale meanwhile is not executed
        match self._intervention.mode:
            case ControlMode.AUTONOMOUS:
                must_hold = self._must_hold(proposal)
                if proposal is None:
                    self._metrics.count("touchline_chunks_late_total", robot=self.robot_id)
                return (None if proposal is None or must_hold else proposal.action), math.nan
            case ControlMode.CORRECTING:
                now_ns, command = self._clock_ns(), self._people.command
                assert command is not None
                gain = intervention.ramp(self._intervention, now_ns, self._safety)
                action = intervention.human_action(command, self.robot.spec, gain)
                return action, intervention.command_delay_ms(self._people, now_ns)
            case _:
                return None, math.nan

    def _guard(self, wanted: Float32 | None, observation: Observation) -> Guarded:
        """Limits last, after everything."""
        if wanted is None:
            return Guarded(action=self._limits.still, is_hold=True)
        age_s = self._age_s(observation)
        return guard(
            wanted,
            previous=self._previous,
            state=observation.state,
            observation_age_s=0.0 if self.is_virtual else age_s,
            limits=self._limits,
        )

    def _apply(self, guarded: Guarded) -> TaskStatus:
        """Tell the motors."""
        self._previous = guarded.action
        self._observation = None
        return self.robot.hold() if guarded.is_hold else self.robot.apply(guarded.action)

    def _record(
        self,
        observation: Observation,
        proposal: Proposal | None,
        guarded: Guarded,
        delay_ms: float,
        status: TaskStatus,
    ) -> None:
        """Hand everything over, and end the episode if it is over."""
        mode = self._intervention.mode
        self._logbook.step(
            Tick(
                observation=observation,
                mode=mode,
                people=self._people,
                proposal=proposal,
                executed=guarded.action,
                command_delay_ms=delay_ms,
                status=status,
            )
        )
        if guarded.hits:
            self._metrics.count("touchline_actions_limited_total", robot=self.robot_id)
        if self._people.is_watched:
            self._link.show(self.robot_id, observation.frames)
        if status.is_terminal or status.is_truncated:
            self._end(status)
        else:
            self._ask(observation)
        hits = tuple(sorted({hit.channel for hit in guarded.hits if hit.channel}))
        self._reporter.report(mode, self._people, self._asker.help, hits=hits, delay_ms=delay_ms)

    # --- details ---------------------------------------------------------------------------------

    def _show_at_rest(self) -> None:
        """Pictures between episodes too: nobody should clear a stop without having looked."""
        now_ns = self._clock_ns()
        if self._is_placed and self._people.is_watched and now_ns - self._shown_ns >= _REST_PICTURE_NS:
            self._shown_ns = now_ns
            self._link.show(self.robot_id, self.robot.observe().frames)

    def _look(self, observation: Observation) -> None:
        assert self._assignment is not None
        if self._intervention.mode in (ControlMode.AUTONOMOUS, ControlMode.CORRECTING):
            self._assignment.proposer.look(self._logbook.step_index, observation, is_virtual=self.is_virtual)

    def _age_s(self, observation: Observation) -> float:
        """How long ago the senses changed, by our own clock: no frozen camera and no clock that jumps fools it."""
        now_ns = self._clock_ns()
        if observation.time_ns != self._sensed_time_ns:
            self._sensed_time_ns, self._sensed_ns = observation.time_ns, now_ns
        return (now_ns - self._sensed_ns) / 1e9

    def _must_hold(self, proposal: Proposal | None) -> bool:
        """Whether the policy's action must not be executed: its machinery is late, or nobody answered."""
        is_late = self._check.must_hold(
            self._clock_ns(), is_real_time=not self.is_virtual, has_action=proposal is not None
        )
        return is_late or self._asker.is_holding

    def _ask(self, observation: Observation) -> None:
        """Open, keep or close the request for a person; only robots at work ask."""
        assert self._assignment is not None
        if self._assignment.source is Source.ROLLOUT:
            mode = self._intervention.mode
            needs = self._check.needs(mode, self._people, observation.state)
            self._asker.update(needs, self._clock_ns(), is_free=mode is ControlMode.AUTONOMOUS)

    def _heed_answers(self, status: TaskStatus) -> TaskStatus:
        """What people answered to a request; it may end the episode."""
        self._asker.heed(self._people.answers, self._clock_ns())
        if not self._asker.ending or status.is_terminal or status.is_truncated:
            return status
        return TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason=self._asker.ending)

    def _end(self, status: TaskStatus) -> None:
        """The episode is over, and whatever was asked in it."""
        is_success = status.outcome is Outcome.SUCCESS
        self._check.end(is_autonomous_success=is_success and not self._logbook.is_assisted)
        self._logbook.end(status)
        self._asker.begin("")
        self._assignment = None

    def _changed_mode(self, before: ControlMode, after: ControlMode) -> None:
        if self._assignment is not None:
            self._assignment.proposer.drop()
        self._check.reset()
        self._metrics.set("touchline_robot_state", 0, robot=self.robot_id, state=before)
        self._metrics.set("touchline_robot_state", 1, robot=self.robot_id, state=after)
        if after is ControlMode.LOST:
            self._metrics.count("touchline_watchdog_trips_total")
        if after is ControlMode.STOPPED and self._people.stop is not None:
            self._metrics.count("touchline_estop_total", source=self._people.stop.author)
