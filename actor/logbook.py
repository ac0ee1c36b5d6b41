"""What one robot writes down: steps, and what follows from them when an episode ends.

Knows who the robot is and numbers its records (`boot_id`, `seq` per topic); knows nothing of threads,
disks or brokers: `sink` takes each record with its frames. Metrics that count the same things are
kept here too, so that the control loop reads as a sentence.
"""

import collections
import dataclasses
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from actor.chunks import Proposal
from actor.work import CUT_REASON, Assignment
from corrections.intervention import People
from corrections.protocol import Help
from infra.metrics import Metrics
from infra.topics import EPISODES, HELP_REQUESTS, INTERVENTIONS, STEPS, TELEMETRY, Topic
from policy.schema import (
    ControlMode,
    Episode,
    Float32,
    HelpRequest,
    Intervention,
    Observation,
    Outcome,
    Source,
    Step,
    Telemetry,
    UInt8,
)
from robots.robot import Robot, TaskStatus

Sink = Callable[[Topic, Any, Sequence[UInt8]], None]
"""`Recorder.put`."""
Waiting = Callable[[str], tuple[int, int]]
"""`Recorder.waiting`."""

_PERSON = (ControlMode.PAUSED, ControlMode.CORRECTING)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tick:
    """What happened in one tick."""

    observation: Observation
    mode: ControlMode
    people: People
    proposal: Proposal | None
    executed: Float32
    """float32[A], what the motors were told."""
    command_delay_ms: float
    """NaN where no human command was executed."""
    status: TaskStatus


@dataclasses.dataclass(kw_only=True)
class _Span:
    """An intervention that goes on."""

    intervention_id: str
    operator_id: str
    epoch: int
    started_ns: int
    first_index: int
    delays_ms: list[float] = dataclasses.field(default_factory=list)


class Logbook:
    """The records of one robot since its boot."""

    def __init__(
        self,
        robot_id: str,
        boot_id: str,
        robot: Robot,
        sink: Sink,
        metrics: Metrics,
        waiting: Waiting = lambda robot_id: (0, 0),
    ) -> None:
        self.robot_id, self.boot_id = robot_id, boot_id
        self._robot, self._sink, self._metrics, self._waiting = robot, sink, metrics, waiting
        self._seqs: collections.Counter[str] = collections.Counter()
        self._num_episodes = 0
        self._spec_id = robot.spec.spec_id
        self._assignment: Assignment | None = None
        self.instruction = ""
        """Of the present or last episode, at its start."""
        self.words = ""
        """What it is told now."""
        self.episode_id = ""
        """Empty between episodes."""
        self.step_index = 0
        """Of the next step."""
        self.unlabelled_episode_id = ""
        """The latest ended episode whose outcome only a person can tell."""

    @property
    def policy_version(self) -> str:
        """Of the present or last episode."""
        return self._assignment.policy_version if self._assignment else ""

    @property
    def waiting(self) -> tuple[int, int]:
        """Records of this robot that wait for the broker, and bytes of its whole process."""
        return self._waiting(self.robot_id)

    def begin(self, assignment: Assignment, instruction: str) -> None:
        """An episode starts."""
        self._assignment, self.instruction, self.words = assignment, instruction, instruction
        self.episode_id = f"{self.boot_id}-{self._num_episodes:06d}"
        self.step_index = 0
        self._num_episodes += 1
        self._started_ns = time.time_ns()
        self._first_seq = self._seqs[STEPS.name]
        self._num_corrections = self._num_interventions = 0
        self._span: _Span | None = None

    def step(self, tick: Tick) -> None:
        """One tick is over; `step_index` moves on."""
        assignment, observation = self._now(), tick.observation
        self.words = observation.instruction
        span = self._intervene(tick)
        proposed = tick.proposal.action if tick.proposal else tick.executed * 0
        step = Step(
            spec_id=self._spec_id,
            robot_id=self.robot_id,
            boot_id=self.boot_id,
            seq=self._next_seq(STEPS),
            episode_id=self.episode_id,
            step_index=self.step_index,
            time_ns=time.time_ns(),
            observation_time_ns=observation.time_ns,
            source=assignment.source,
            scene_seed=assignment.scene_seed if self._robot.is_simulated else -1,
            task_id=self._robot.task_id,
            instruction=observation.instruction,
            policy_version=assignment.policy_version,
            control_mode=tick.mode,
            intervention_id=span.intervention_id if span else "",
            operator_id=span.operator_id if span else "",
            proposed_action=proposed,
            executed_action=tick.executed,
            state=observation.state,
            tactile=observation.tactile,
            frames=(),
            chunk_index=tick.proposal.chunk_index if tick.proposal else -1,
            is_terminal=tick.status.is_terminal,
            is_truncated=tick.status.is_truncated,
            command_delay_ms=tick.command_delay_ms,
        )
        self._sink(STEPS, step, observation.frames)
        self.step_index += 1

    def end(self, status: TaskStatus) -> None:
        """The episode is over."""
        self._close_span()
        assignment = self._now()
        episode = Episode(
            spec_id=self._spec_id,
            robot_id=self.robot_id,
            boot_id=self.boot_id,
            seq=self._next_seq(EPISODES),
            episode_id=self.episode_id,
            source=assignment.source,
            scene_seed=assignment.scene_seed if self._robot.is_simulated else -1,
            task_id=self._robot.task_id,
            instruction=self.instruction,
            policy_version=assignment.policy_version,
            release_role=assignment.release_role,
            started_ns=self._started_ns,
            ended_ns=time.time_ns(),
            first_seq=self._first_seq,
            num_steps=self.step_index,
            num_correction_steps=self._num_corrections,
            num_interventions=self._num_interventions,
            control_rate_hz=self._robot.spec.control_rate_hz,
            outcome=status.outcome,
            outcome_reason=status.reason,
            outcome_author=_author(status, self._robot),
        )
        self._sink(EPISODES, episode, ())
        self._metrics.count(
            "touchline_episodes_total",
            task=episode.task_id,
            version=episode.policy_version,
            outcome=episode.outcome,
            assisted=str(self.is_assisted).lower(),
        )
        if _is_open(status) and assignment.source is Source.ROLLOUT:
            self.unlabelled_episode_id = self.episode_id
        self.episode_id = ""
        self.step_index = 0

    def asked(self, request: Help) -> None:
        """The robot asks for a person."""
        record = HelpRequest(
            robot_id=self.robot_id,
            boot_id=self.boot_id,
            seq=self._next_seq(HELP_REQUESTS),
            request_id=request.request_id,
            episode_id=self.episode_id,
            kind=request.kind,
            trigger=request.trigger,
            severity=request.severity,
            reason=request.reason,
            question=request.question,
            options=json.dumps(request.options),
            deadline_s=request.deadline_s,
            fallback=request.fallback,
            time_ns=time.time_ns(),
        )
        self._sink(HELP_REQUESTS, record, ())

    @property
    def is_assisted(self) -> bool:
        """Whether a person had the robot in the present or last episode."""
        return self._num_interventions > 0

    def tell(self, mode: ControlMode) -> None:
        """Say how the robot is; the recorder adds its counts."""
        telemetry = Telemetry(
            robot_id=self.robot_id,
            boot_id=self.boot_id,
            time_ns=time.time_ns(),
            episode_id=self.episode_id,
            step_index=self.step_index,
            control_mode=mode,
            policy_version=self.policy_version,
            num_steps=self._seqs[STEPS.name],
            num_episodes=self._seqs[EPISODES.name],
            spool_bytes=0,
            num_steps_dropped=0,
            num_steps_delivered=0,
        )
        self._sink(TELEMETRY, telemetry, ())

    def _intervene(self, tick: Tick) -> _Span | None:
        """Open, continue or close the intervention that this tick belongs to."""
        lease = tick.people.lease
        epoch = lease.epoch if lease is not None else 0
        is_person = tick.mode in _PERSON
        if self._span is not None and not (is_person and self._span.epoch == epoch):
            self._close_span()
        if is_person and self._span is None:
            self._num_interventions += 1
            self._span = _Span(
                intervention_id=f"{self.episode_id}-i{self._num_interventions}",
                operator_id=tick.people.operator_id,
                epoch=epoch,
                started_ns=time.time_ns(),
                first_index=self.step_index,
            )
        if self._span is not None and tick.mode is ControlMode.CORRECTING:
            self._num_corrections += 1
            self._span.delays_ms.append(tick.command_delay_ms)
            self._metrics.observe("touchline_command_age_seconds", tick.command_delay_ms / 1e3)
        return self._span

    def _close_span(self) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        intervention = Intervention(
            robot_id=self.robot_id,
            boot_id=self.boot_id,
            seq=self._next_seq(INTERVENTIONS),
            intervention_id=span.intervention_id,
            episode_id=self.episode_id,
            operator_id=span.operator_id,
            lease_epoch=span.epoch,
            started_ns=span.started_ns,
            ended_ns=time.time_ns(),
            first_step_index=span.first_index,
            last_step_index=self.step_index - 1,
            num_correction_steps=len(span.delays_ms),
            mean_command_delay_ms=sum(span.delays_ms) / len(span.delays_ms) if span.delays_ms else math.nan,
        )
        self._sink(INTERVENTIONS, intervention, ())
        task, version = self._robot.task_id, self.policy_version
        held_s = max(0.0, (intervention.ended_ns - intervention.started_ns) / 1e9)
        self._metrics.count("touchline_interventions_total", task=task, version=version, trigger="person")
        self._metrics.count("touchline_intervention_seconds_total", held_s, task=task, version=version, kind="held")

    def _now(self) -> Assignment:
        assert self._assignment is not None
        return self._assignment

    def _next_seq(self, topic: Topic) -> int:
        self._seqs[topic.name] += 1
        return self._seqs[topic.name] - 1


def _is_open(status: TaskStatus) -> bool:
    """Whether a person should say how it went; of an episode that the process cut there is nothing to say."""
    return status.outcome is Outcome.UNLABELLED and status.reason != CUT_REASON


def _author(status: TaskStatus, robot: Robot) -> str:
    if status.outcome is Outcome.UNLABELLED:
        return ""
    return "simulator" if robot.is_simulated else "robot"
