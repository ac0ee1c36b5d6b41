"""One run: a live fleet, faults until the time is over, everybody drained, every record counted."""

import argparse
import contextlib
import dataclasses
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from chaos import promises, report
from chaos.breaker import Breaker, Broken
from chaos.faults import OPERATOR_LINE, ROBOT_LINE, schedule
from chaos.line import Line
from chaos.options import ChaosConfig
from chaos.report import Report
from chaos.signs import Signs
from demo.run import clear
from demo.screen import Screen
from demo.watch import Watch
from infra import config, connect
from infra.fleet import Doors, FleetConfig, load_doors, start_fleet
from infra.home import Home
from infra.local import StopAsked, Supervisor
from infra.ports import LOOPBACK, free_port
from infra.registry import MlflowConfig, PolicyRegistry
from infra.service import Service
from infra.topics import STEPS
from policy.errors import ConfigError, LakeError, TouchlineError
from policy.schema import ControlMode
from storage.audit import Audit
from storage.tables import Lake, LakeConfig, lake_of, sql_text

_DRAIN_S = 240.0
"""All stages of the fleet together; each has its own, shorter limit."""
_INTERRUPTED_CODE = 130
_STAY = ("kafka", "mlflow", "gateway", "ingest")
"""Who still works while everything is counted."""
_LOOK_S = 0.5
_STATUS_S = 60.0
_SETTLE_S = 120.0
_BASE_S = 3_600.0
"""Longest wait for the first release."""
_REGISTRY_TIMEOUT_S = 2
_ENVIRON = {
    # Every row of the lake is counted, so it is never one that exists.
    "TOUCHLINE_LAKE__URL": "",
    # Nobody watches a canary soak: one robot, then everybody as soon as the evidence is there.
    "TOUCHLINE_ROLLOUT__STAGES": "1,all",
    "TOUCHLINE_ROLLOUT__MIN_SOAK_S": "0",
    "TOUCHLINE_ROLLOUT__MIN_ROBOT_MINUTES": "0",
}


def run(options: ChaosConfig, args: argparse.Namespace) -> int:
    """Run it; 0 if every promise held, 1 if not, 130 if a person ended it and none was broken.

    Raises:
        ConfigError: the home is in use or somebody's, or the robots do not share out.
        TouchlineError: a process could not be started, or nothing was ever released.
    """
    out = Path(options.out)
    home, fleet = Home(args.home or out / "home"), _fleet(options, args)
    events: list[str] = []
    with (
        Service("chaos", drain_s=_DRAIN_S, logs_to_stderr=False) as frame,
        Supervisor(home, on_event=events.append, should_stop=frame.stopping.is_set) as supervisor,
        Line(fleet.gateway_port) as robot_line,
        Line(fleet.gateway_port) as operator_line,
    ):
        clear(home)
        lake = lake_of(LakeConfig(), home)
        watch = Watch(lake)
        with Screen(watch, options.minutes) as screen:
            chaos = Chaos(
                config=options,
                fleet=fleet,
                doors=load_doors(args.config),
                lines={ROBOT_LINE: robot_line, OPERATOR_LINE: operator_line},
                supervisor=supervisor,
                lake=lake,
                watch=watch,
                screen=screen,
                events=events,
                stopping=frame.stopping,
            )
            found = chaos.run()
            if found is None:
                screen.event("interrupted before anything was broken: no report")
                return _INTERRUPTED_CODE
            report.write(out, found)
            for line in report.summary(found, out):
                screen.event(line)
    if not found.promises_held:
        return 1
    return _INTERRUPTED_CODE if found.is_interrupted else 0


@dataclasses.dataclass(kw_only=True)
class Chaos:
    """One run's parts, and its clock."""

    config: ChaosConfig
    fleet: FleetConfig
    doors: Doors
    lines: Mapping[str, Line]
    supervisor: Supervisor
    lake: Lake
    watch: Watch
    screen: Screen
    events: list[str]
    """What the supervisor has said and nobody has shown yet."""
    stopping: threading.Event
    """Set by Ctrl-C; every wait ends, and what there is is counted."""

    def __post_init__(self) -> None:
        self._broken: list[Broken] = []
        self._told_s = time.monotonic()

    def run(self) -> Report | None:
        """Everything; None when stopped before the first fault."""
        with contextlib.suppress(StopAsked):
            self.screen.stage("starting the fleet")
            self._start()
            self.screen.stage("waiting for the first release")
            self._wait_for_release()
        if self.stopping.is_set():
            return None
        self.screen.stage("breaking things")
        started_s, started_ns = time.monotonic(), time.time_ns()
        self._break()
        wall_s = time.monotonic() - started_s
        is_interrupted = self.stopping.is_set()
        self.screen.stage("every record is counted")
        self._settle()
        return self._conclude(started_ns, wall_s, is_interrupted=is_interrupted)

    def _start(self) -> None:
        environ = {
            **_ENVIRON,
            "TOUCHLINE_LINK__URL": f"ws://{LOOPBACK}:{self.lines[ROBOT_LINE].port}/robot",
            "TOUCHLINE_OPERATOR__URL": f"ws://{LOOPBACK}:{self.lines[OPERATOR_LINE].port}/operator",
        }
        start_fleet(self.supervisor, self.fleet, self.doors, environ=environ)

    def _wait_for_release(self) -> None:
        deadline_s = time.monotonic() + _BASE_S
        while not any(row["event"] == "promote" for row in self.watch.releases):
            if self._look(_LOOK_S):
                return
            if time.monotonic() > deadline_s:
                raise TouchlineError(
                    "nothing was released; the ledger says why", ledger=[row["reason"] for row in self.watch.releases]
                )
        self._signs = Signs(self.supervisor, self.fleet, self.lake, self._registry())
        since_ns = time.time_ns()
        while self._signs.missing(since_ns) and not self._look(_LOOK_S):
            pass

    def _break(self) -> None:
        breaker = Breaker(self.supervisor, self.lines, self._signs, look=self._look, recover_s=self.config.recover_s)
        deadline_s = time.monotonic() + self.config.minutes * 60
        faults = schedule(
            self.supervisor.names, seed=self.config.seed, freeze_s=self.config.freeze_s, pause_s=self.config.pause_s
        )
        for number, fault in enumerate(faults, 1):
            broken = breaker.carry_out(fault)
            if broken is None:
                return
            self._broken.append(broken)
            self.screen.event(f"{number}: {_in_words(broken)}")
            if self.stopping.is_set() or time.monotonic() > deadline_s or number == self.config.faults:
                return

    def _settle(self) -> None:
        """Everybody who makes records ends; then the lake gets what the broker has."""
        self.supervisor.stop([name for name in self.supervisor.names if name not in _STAY])
        deadline_s = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(LakeError):
                if not any(balance.num_lost for _, balance in self._balances().values()):
                    break
            self._tend()
            time.sleep(_LOOK_S)  # also when a person ended the run: what there is is to be counted
        self.watch.refresh()

    def _balances(self) -> Mapping[str, tuple[promises.Journals, Audit]]:
        return promises.balances(self.lake, self.supervisor.home.spool)

    def _conclude(self, started_ns: int, wall_s: float, *, is_interrupted: bool) -> Report:
        wanted = f"control_mode != {sql_text(ControlMode.AUTONOMOUS)}"
        rows = self.lake.read(STEPS, promises.MOTION_COLUMNS, wanted).to_pylist()
        releases = [row for row in self.watch.releases if row["time_ns"] > started_ns]
        num = {event: sum(row["event"] == event for row in releases) for event in ("candidate", "reject")}
        return Report(
            config=self.config,
            fleet=dataclasses.asdict(self.fleet),
            wall_s=wall_s,
            is_interrupted=is_interrupted,
            faults=tuple(self._broken),
            balances=self._balances(),
            motion=promises.motion(rows, self._broken, promises.longest_age_ms()),
            releases={**num, "promote": promises.num_promotions(releases, started_ns)},
        )

    def _registry(self) -> PolicyRegistry:
        settings = self.supervisor.home.fleet()["settings"]["mlflow"]
        return connect.registry(MlflowConfig(**settings, request_timeout_s=_REGISTRY_TIMEOUT_S))

    def _look(self, wait_s: float) -> bool:
        """Tend the fleet, show what it said, wait; returns whether to stop."""
        self._tend()
        return self.stopping.wait(wait_s)

    def _tend(self) -> None:
        self.supervisor.tend()
        self.watch.refresh()
        while self.events:
            self.screen.event(self.events.pop(0))
        if time.monotonic() - self._told_s > _STATUS_S:
            self._told_s = time.monotonic()
            self.screen.status()


def _fleet(options: ChaosConfig, args: argparse.Namespace) -> FleetConfig:
    fleet = config.load("fleet", FleetConfig, file=args.config)
    if options.robots % fleet.num_actors:
        raise ConfigError(
            "chaos.robots must be a multiple of fleet.num_actors", robots=options.robots, num_actors=fleet.num_actors
        )
    return dataclasses.replace(
        fleet,
        robots_per_actor=options.robots // fleet.num_actors,
        gateway_port=fleet.gateway_port or free_port(),
    )


def _in_words(broken: Broken) -> str:
    how = f"recovered after {broken.recovery_s:.1f} s" if broken.recovered_ns else f"NOT recovered: {broken.missing}"
    return f"{broken.fault.in_words}{' while somebody drove' if broken.was_driven else ''}; {how}"
