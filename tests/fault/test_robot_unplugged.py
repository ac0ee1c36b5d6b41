"""A robot that goes away in the middle of a chunk ends its process; its neighbours hold still first, and every step
that any of them took is recorded, the last one included."""

import threading
from pathlib import Path

import pytest

from actor.asking import HelpConfig
from actor.control_loop import ControlLoop
from actor.inference import Inference
from actor.journal import read_counts
from actor.logbook import Logbook
from actor.recorder import Recorder, RecorderConfig
from actor.safety import Limits, LimitsConfig
from actor.scheduler import Scheduler
from actor.self_check import SelfCheck, calibration_of
from actor.stuck import StuckConfig, StuckDetector
from corrections.intervention import SafetyConfig
from infra.bus import Bus
from infra.metrics import Metrics
from infra.topics import EPISODES, STEPS
from policy.errors import DeviceLost
from policy.schema import Float32, Observation, Outcome
from robots.robot import TaskStatus
from tests.actor_process import received
from tests.actor_rig import SPEC, FakeLink, FakeSampler, FakeWork, TinyRobot

UNPLUGGED_AFTER = 6
"""Steps: the second action of its second chunk."""


class Unplugged(TinyRobot):
    """Answers no more after some actions."""

    def observe(self) -> Observation:
        self._check()
        return super().observe()

    def apply(self, action: Float32) -> TaskStatus:
        self._check()
        return super().apply(action)

    def hold(self) -> TaskStatus:
        self._check()
        return super().hold()

    def _check(self) -> None:
        if len(self.applied) >= UNPLUGGED_AFTER:
            raise DeviceLost("the robot does not answer", robot="r-1")


def test_the_neighbours_hold_still_and_nothing_recorded_is_lost(kafka_bus: Bus, tmp_path: Path) -> None:
    metrics = Metrics()
    inference = Inference(metrics)
    recorder = Recorder(
        tmp_path / "actor", lambda: kafka_bus.producer("actor"), RecorderConfig(flush_period_s=0.02), metrics
    )
    robots = [TinyRobot(), Unplugged(), TinyRobot()]
    work = FakeWork(FakeSampler(), inference)
    asking = HelpConfig()
    loops = [
        ControlLoop(
            robot,
            work,
            Logbook(f"r-{number}", f"boot-{number}", robot, recorder.put, metrics),
            link=FakeLink(),
            limits=Limits.of(SPEC, LimitsConfig()),
            safety=SafetyConfig(),
            check=SelfCheck(SPEC, StuckDetector(SPEC, StuckConfig(after_s=0)), asking, calibration_of(asking)),
            asking=asking,
            metrics=metrics,
        )
        for number, robot in enumerate(robots)
    ]
    with pytest.raises(DeviceLost, match="r-1"):
        Scheduler(loops, inference, rate=0.0, metrics=metrics).run(threading.Event())
    inference.close()
    assert recorder.close(60.0) == 0
    neighbours = (robots[0], robots[2])
    assert all(robot.applied[-1] is None for robot in neighbours)
    steps = received(kafka_bus, STEPS)
    for number, robot in enumerate(robots):
        own = [step for step in steps if step.robot_id == f"r-{number}"]
        assert [step.seq for step in own] == list(range(len(robot.applied)))
    cut = [episode for episode in received(kafka_bus, EPISODES) if episode.outcome == Outcome.UNLABELLED]
    assert {episode.robot_id for episode in cut} == {"r-0", "r-2"}
    assert sum(counts.num_waiting + counts.num_dropped for counts in read_counts(tmp_path)) == 0
