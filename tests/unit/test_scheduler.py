"""Several robots on one thread: who is due, and what the host's speed may not change."""

import threading
from collections.abc import Iterator

import pytest

from actor.asking import HelpConfig
from actor.control_loop import ControlLoop
from actor.inference import Inference
from actor.logbook import Logbook
from actor.safety import Limits, LimitsConfig
from actor.scheduler import Scheduler
from actor.self_check import SelfCheck, calibration_of
from actor.stuck import StuckConfig, StuckDetector
from corrections.intervention import People, SafetyConfig
from corrections.protocol import LeaseState
from infra.metrics import Metrics
from policy.schema import Episode, Step
from tests.actor_rig import SPEC, FakeLink, FakeSampler, FakeWork, Shelf, TinyRobot, wait_for


class Fleet:
    """Some robots with one inference, one work and one shelf."""

    def __init__(self, num_robots: int, *, num_episodes: int = 1_000) -> None:
        self.metrics, self.sampler, self.shelf, self.link = Metrics(), FakeSampler(), Shelf(), FakeLink()
        self.inference = Inference(self.metrics)
        self.work = FakeWork(self.sampler, self.inference, num_episodes=num_episodes)
        self.robots = [TinyRobot() for _ in range(num_robots)]
        self.now_s = 100.0
        self.is_behind = False
        self.stopping = threading.Event()
        self.loops = [
            ControlLoop(
                robot,
                self.work,
                Logbook(f"r-{number}", f"boot-{number}", robot, self.shelf.put, self.metrics),
                link=self.link,
                limits=Limits.of(SPEC, LimitsConfig()),
                safety=SafetyConfig(),
                check=SelfCheck(
                    SPEC, StuckDetector(SPEC, StuckConfig(after_s=0)), HelpConfig(), calibration_of(HelpConfig())
                ),
                asking=HelpConfig(),
                metrics=self.metrics,
            )
            for number, robot in enumerate(self.robots)
        ]

    def scheduler(self, rate: float) -> Scheduler:
        return Scheduler(
            self.loops,
            self.inference,
            rate=rate,
            metrics=self.metrics,
            is_behind=lambda: self.is_behind,
            clock_s=lambda: self.now_s,
        )

    def cycle(self, scheduler: Scheduler) -> None:
        """One cycle, in which chunks take no time."""
        scheduler.cycle()
        self.inference.flush()
        wait_for(lambda: not any(loop.is_waiting for loop in self.loops))
        scheduler.cycle()

    @property
    def num_steps(self) -> int:
        return len(self.shelf.of(Step))


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    fleet = Fleet(3)
    yield fleet
    fleet.inference.close()


def test_robots_on_their_own_clocks_meet_in_one_batch(fleet: Fleet) -> None:
    scheduler = fleet.scheduler(rate=0)
    for _ in range(4):
        scheduler.cycle()
    assert fleet.sampler.batches == []  # somebody is asked for, nobody was flushed
    fleet.inference.flush()
    wait_for(lambda: not any(loop.is_waiting for loop in fleet.loops))
    assert [len(batch) for batch in fleet.sampler.batches] == [3]


def test_everything_is_run_and_recorded_once(fleet: Fleet) -> None:
    fleet.work.num_left = 7
    scheduler = Scheduler(fleet.loops, fleet.inference, rate=0, metrics=fleet.metrics)
    scheduler.run(fleet.stopping, lambda: fleet.work.is_done)
    assert sorted(episode.scene_seed for episode in fleet.shelf.of(Episode)) == list(range(7))
    for number in range(3):
        seqs = [step.seq for step in fleet.shelf.of(Step) if step.robot_id == f"r-{number}"]
        assert seqs == list(range(len(seqs)))


def test_the_rate_is_a_multiple_of_real_time(fleet: Fleet) -> None:
    scheduler = fleet.scheduler(rate=4)
    fleet.cycle(scheduler)
    assert fleet.num_steps == 3
    fleet.now_s += 0.012
    fleet.cycle(scheduler)
    assert fleet.num_steps == 3
    fleet.now_s += 0.001  # 1 / (20 Hz x 4) in all
    fleet.cycle(scheduler)
    assert fleet.num_steps == 6


def test_a_robot_that_a_person_holds_is_in_real_time(fleet: Fleet) -> None:
    scheduler = fleet.scheduler(rate=0)
    fleet.cycle(scheduler)
    lease = LeaseState(robot_id="r-0", epoch=1, is_held=True, operator_id="ann")
    fleet.link.now = People(is_link_up=True, lease=lease, heard_ns=1 << 62)
    fleet.cycle(scheduler)
    held = fleet.num_steps
    fleet.cycle(scheduler)
    assert fleet.num_steps == held
    fleet.now_s += 0.05
    fleet.cycle(scheduler)
    assert fleet.num_steps == held + 3


def test_a_recorder_that_is_behind_stops_the_virtual_clock(fleet: Fleet) -> None:
    scheduler = fleet.scheduler(rate=0)
    fleet.is_behind = True
    fleet.cycle(scheduler)
    assert fleet.num_steps == 0
    fleet.is_behind = False
    fleet.cycle(scheduler)
    assert fleet.num_steps == 3


def test_one_robot_waiting_for_its_chunk_does_not_keep_others_waiting(fleet: Fleet) -> None:
    scheduler = fleet.scheduler(rate=0)
    fleet.cycle(scheduler)
    fleet.loops[0].finish()
    fleet.sampler.may_answer.clear()
    before = [len(robot.applied) for robot in fleet.robots]
    for _ in range(3):
        scheduler.cycle()
    after = [len(robot.applied) for robot in fleet.robots]
    assert [now - then for now, then in zip(after, before, strict=True)] == [0, 3, 3]
    fleet.sampler.may_answer.set()


def test_stopping_cuts_what_runs(fleet: Fleet) -> None:
    fleet.cycle(fleet.scheduler(rate=0))
    fleet.stopping.set()
    fleet.scheduler(rate=0).run(fleet.stopping)
    assert len(fleet.shelf.of(Episode)) == 3


@pytest.mark.parametrize("num_robots", [1, 4])
def test_what_a_robot_does_on_a_scene_does_not_depend_on_its_neighbours(num_robots: int) -> None:
    fleet = Fleet(num_robots, num_episodes=4)
    Scheduler(fleet.loops, fleet.inference, rate=0, metrics=fleet.metrics).run(
        fleet.stopping, lambda: fleet.work.is_done
    )
    fleet.inference.close()
    seeds = sorted({seed for batch in fleet.sampler.batches for seed in batch})
    assert seeds == [(scene, tick) for scene in range(4) for tick in (0, 4, 8)]
