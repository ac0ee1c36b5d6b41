"""The demonstration's stages: a whole fleet, started, watched, stopped and judged.

doors -> demonstrations -> base -> [robots try, people correct, the learner learns, the judge decides] -> report
"""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable

from actor.journal import read_counts
from demo import evidence
from demo.options import DemoConfig
from demo.screen import Screen
from demo.watch import Watch
from infra import console_link
from infra.fleet import Doors, FleetConfig, service_launch, start_fleet
from infra.local import StopAsked, Supervisor
from infra.processes import Launch
from infra.topics import STEPS
from robots.tasks import Lesson
from storage.audit import Audit, audit
from storage.tables import Lake

_NUM_ACTORS = 2
_STAY = ("kafka", "mlflow", "gateway", "ingest", "console")
"""Who still works after learning has ended."""
_WATCH_S = 1.0
_STATUS_S = 30.0
"""Between status lines where there is no live screen."""
_REPORT_S = 100.0
"""What the final evaluation takes on two cores; learning ends so much before the time is up."""
_DECISION_S = 60.0
"""How much longer a candidate that is on trial may take."""
_INGEST_S = 60.0
_OWN_LAKE = {"TOUCHLINE_LAKE__URL": ""}
"""A demo counts every row of its lake, so it never writes to one that exists."""
_SHORT_ROUND = {"TOUCHLINE_LEARNER__ROUND_UPDATES": "800"}
"""A fleet's processes leave the learner a third of a core of two: its own 1,000 updates would take half of the time."""
_QUICK_ROLLOUT = {
    "TOUCHLINE_ROLLOUT__STAGES": "1,all",
    "TOUCHLINE_ROLLOUT__MIN_SOAK_S": "0",
    "TOUCHLINE_ROLLOUT__MIN_ROBOT_MINUTES": "0",
}
"""One canary robot, then everybody as soon as the evidence is there: nobody watches a demo soak."""


def base_settings(lesson: Lesson) -> dict[str, str]:
    """What tells the learner how its base learns."""
    return {
        "TOUCHLINE_LEARNER__BASE_DEMONSTRATIONS": str(lesson.demonstrations),
        "TOUCHLINE_LEARNER__BASE_UPDATES": str(lesson.updates),
    }


@dataclasses.dataclass(kw_only=True)
class Stages:
    """One run's parts, and its clock."""

    config: DemoConfig
    doors: Doors
    supervisor: Supervisor
    lake: Lake
    watch: Watch
    screen: Screen
    events: list[str]
    """What the supervisor has said and nobody has shown yet."""
    stopping: threading.Event
    """Set by Ctrl-C; every wait ends."""

    def __post_init__(self) -> None:
        self._started_s = time.monotonic()
        self._told_s = self._started_s

    @property
    def elapsed_s(self) -> float:
        """Wall time since the first process."""
        return time.monotonic() - self._started_s

    def run(self) -> Audit | None:
        """Everything up to the last recorded step; returns the balance of steps, or None when stopped early."""
        stages: tuple[tuple[str, Callable[[], None]], ...] = (
            ("starting Kafka, MLflow, the gateway, ingest, the learner and the robots", self._start),
            ("the base policy learns from demonstrations", self._learn_base),
            ("robots work, people correct, the learner learns, the judge decides", self._learn),
            ("learning ends; the robots finish", self._end_learning),
            ("the base and each champion on scenes that nobody has seen, without help", self._evaluate),
        )
        for name, stage in stages:
            self.screen.stage(name)
            with contextlib.suppress(StopAsked):
                stage()
            if self.stopping.is_set():
                return None
        self.screen.stage("every step is counted")
        return self._settle()

    def _start(self) -> None:
        lesson = self.config.lesson
        fleet = FleetConfig(
            num_actors=_NUM_ACTORS,
            robots_per_actor=self.config.robots // _NUM_ACTORS,
            has_critic=self.config.has_critic,
            algorithm=self.config.algorithm,
            task=self.config.task,
            demonstrations=lesson.demonstrations,
            seed=self.config.seed,
        )
        self._environ = start_fleet(
            self.supervisor,
            fleet,
            self.doors,
            environ={**_OWN_LAKE, **_SHORT_ROUND, **_QUICK_ROLLOUT, **base_settings(lesson)},
        )
        self.screen.stay(f"watch and help: {console_link.new_link(self.supervisor.home)}")

    def _learn_base(self) -> None:
        self._wait(lambda: self.watch.num_decisions >= 1)

    def _learn(self) -> None:
        self._wait(self._has_learned)

    def _end_learning(self) -> None:
        self.supervisor.stop([name for name in self.supervisor.names if name not in _STAY])
        self.watch.refresh()

    def _has_learned(self) -> bool:
        left_s = self.config.minutes * 60 - _REPORT_S - self.elapsed_s
        is_on_trial = any(role == "canary" for role in evidence.roles(self.watch.releases).values())
        if left_s <= 0 and not (is_on_trial and left_s > -_DECISION_S):
            return True
        return self.watch.num_decisions > self.config.rounds

    def _evaluate(self) -> None:
        roles = evidence.roles(self.watch.releases)
        released = [version for version, role in roles.items() if role in ("base", "previous", "champion")]
        for first in range(0, len(released), _NUM_ACTORS):
            self._run_to_end([self._evaluation(version) for version in released[first : first + _NUM_ACTORS]])

    def _evaluation(self, version: str) -> Launch:
        name = f"report-{version}"
        scenes = ("--episodes", str(self.config.report_episodes), "--split", "report")
        launch = service_launch(name, ("evaluate", version, *scenes, "--name", name), self._environ)
        return dataclasses.replace(launch, ends=True)

    def _run_to_end(self, launches: list[Launch]) -> None:
        self.supervisor.start(launches)
        names = [launch.name for launch in launches]
        self._wait(lambda: all(map(self.supervisor.is_done, names)))
        self.supervisor.stop(names)

    def _settle(self) -> Audit:
        """Wait until the lake has all that the robots say the broker has; then compare."""
        deadline_s = time.monotonic() + _INGEST_S
        while True:
            counts = [count for count in read_counts(self.supervisor.home.spool) if count.topic == STEPS.name]
            balance = audit(self.lake, {count.boot_id: count.num_recorded for count in counts})
            if balance.is_exact or time.monotonic() > deadline_s:
                self.watch.refresh()
                return balance
            self._look()
            self.stopping.wait(_WATCH_S)

    def _wait(self, is_over: Callable[[], bool]) -> None:
        while not self.stopping.wait(_WATCH_S) and not is_over():
            self._look()

    def _look(self) -> None:
        self.supervisor.tend()
        self.watch.refresh()
        while self.events:
            self.screen.event(self.events.pop(0))
        if time.monotonic() - self._told_s > _STATUS_S:
            self._told_s = time.monotonic()
            self.screen.status()
