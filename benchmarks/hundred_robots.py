"""A hundred robots through one broker and one ingest: `python -m benchmarks hundred_robots [--robots N] [--seconds S]`.

Each sends 20 steps a second with one 64x64 JPEG, six joints and 24 touch channels, four a message, signed. Broker,
ingest and a replay that follows the lake are processes of their own; the senders share this one, because what robots
cost is `sizes`. The lag is what was sent and is not in the table. A quarter of the robots comes first, then all:
a straight line through both tells what a stage takes by itself and what it takes for one step more, and with that what
a larger fleet needs, and what is full first: `docs/scale.md`.
"""

import argparse
import contextlib
import dataclasses
import functools
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, publish
from benchmarks.kafka_alone import Broker, kafka_alone
from benchmarks.lake_data import distinct, episode, pictures
from benchmarks.lake_reader import LakeReader
from benchmarks.processes import Slope, folder_bytes, scraped, usage
from benchmarks.replay_fleet import OWN_LAKE
from benchmarks.replay_robots import spec_of
from infra import connect, identity
from infra.bus import Producer
from infra.fleet import environ_of, service_launch
from infra.home import HOME_VARIABLE, Home
from infra.processes import running
from infra.signing import MessageSigner
from infra.topics import EPISODES, STEPS

SPEC = spec_of("hundred", num_cameras=1, side=64, rate_hz=20.0)
FLEETS = (100, 1_000, 10_000)
_STEPS_PER_MESSAGE = 4
_EPISODE_STEPS = 200
_REPLAY_STEPS = 50_000
ONE_CORE = ("ingest", "replay")
"""Stages that are one Python process; the broker uses all cores there are."""
_LOOK_S = 1.0
_FEWEST_LOOKS, _FEWEST_ROBOTS = 4, 4
_DRAIN_S = 60.0
_WARM_S = 5.0
_INGESTED = "touchline_ingested_records_total{steps}"
_DAY_S = 86_400


class Senders:
    """All robots, on one thread: recorded steps under their own names, at their own rate."""

    def __init__(self, producer: Producer, num_robots: int, boot: int) -> None:
        self._producer, self._boot = producer, boot
        self._steps, self._end = episode(0, _EPISODE_STEPS, pictures(), SPEC)
        self._steps = [dataclasses.replace(step, frames=step.frames[:1]) for step in self._steps]
        self._names = [f"robot-{number}" for number in range(num_robots)]
        self.num_sent = 0
        """Steps."""
        self.late_s = 0.0
        """How far behind its own clock the thread is: above a message's time, the senders are the limit."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Senders":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._producer.flush(_DRAIN_S)

    def _run(self) -> None:
        # Robots do not send at the same moment: each has its place within the period.
        period_s, started_s, number = _STEPS_PER_MESSAGE / SPEC.control_rate_hz, time.monotonic(), 0
        while not self._stopping.is_set():
            due_s = started_s + number * period_s / len(self._names)
            self.late_s = max(0.0, time.monotonic() - due_s)
            if due_s > time.monotonic() and self._stopping.wait(due_s - time.monotonic()):
                return
            turn, robot = divmod(number, len(self._names))
            self._send(self._names[robot], turn * _STEPS_PER_MESSAGE)
            number += 1

    def _send(self, name: str, first_seq: int) -> None:
        number, index = divmod(first_seq, _EPISODE_STEPS)
        told: dict[str, Any] = {"robot_id": name, "boot_id": f"{name}-{self._boot}"}
        told |= {"episode_id": f"{name}-{self._boot}-{number}"}
        steps = [
            dataclasses.replace(step, **told, seq=first_seq + i, time_ns=time.time_ns())
            for i, step in enumerate(self._steps[index : index + _STEPS_PER_MESSAGE])
        ]
        self._producer.send(STEPS, distinct(steps))
        self.num_sent += len(steps)
        if index + _STEPS_PER_MESSAGE == _EPISODE_STEPS:
            self._producer.send(EPISODES, [dataclasses.replace(self._end, **told, seq=number)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """So many robots for a while."""

    steps_per_s: float
    cores: Mapping[str, float]
    """That each stage took."""
    lags: Sequence[tuple[float, float]]
    """Seconds since the start, and steps that are not in the table yet."""
    late_s: float
    """How far the senders fell behind their clock."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """What one process takes."""

    name: str
    idle_cores: float
    """However few steps there are."""
    cost_s: float
    """Processor time of one step more."""

    @classmethod
    def of(cls, name: str, few: Phase, many: Phase) -> "Stage":
        """The line through two phases."""
        cost_s = (many.cores[name] - few.cores[name]) / (many.steps_per_s - few.steps_per_s)
        return cls(name=name, idle_cores=few.cores[name] - cost_s * few.steps_per_s, cost_s=cost_s)

    def cores(self, num_robots: float) -> float:
        """That a fleet takes here."""
        return self.idle_cores + num_robots * SPEC.control_rate_hz * self.cost_s

    @property
    def robots_per_core(self) -> float:
        """How many robots fill one core."""
        return (1 - self.idle_cores) / (self.cost_s * SPEC.control_rate_hz)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What was seen."""

    few: Phase
    many: Phase
    sent_bytes: float
    """Of one step in Kafka's log."""
    stored_bytes: float
    """Of one step in the lake."""

    @property
    def stages(self) -> list[Stage]:
        """Broker, ingest, replay."""
        return [Stage.of(name, self.few, self.many) for name in self.many.cores]


@contextlib.contextmanager
def running_site(home: Home) -> Iterator[tuple[Broker, int, int]]:
    """Broker and ingest: the broker, ingest's process id, and the port of its metrics."""
    identity.enrol_services(home.path)
    with kafka_alone(home) as kafka:
        settings = environ_of({"kafka": {"bootstrap_servers": kafka.config.bootstrap_servers}})
        launch = service_launch("ingest", ("ingest",), {**settings, **OWN_LAKE, HOME_VARIABLE: str(home.path)})
        with running(launch, home.logs) as ingest:
            yield kafka, ingest.pid, launch.metrics_port


class Site:
    """Broker, ingest and a replay that follows, all running."""

    def __init__(self, home: Home, stack: contextlib.ExitStack) -> None:
        self._home = home
        kafka, ingest_pid, self._port = stack.enter_context(running_site(home))
        bus = connect.bus(kafka.config)
        stack.callback(bus.close)
        signer = MessageSigner(functools.cache(functools.partial(identity.robot, home.path, is_simulated=True)))
        self._producer = bus.producer("bench", signer=signer)
        stack.callback(self._producer.close)
        self._reader = stack.enter_context(LakeReader(str(home.lake), SPEC, _REPLAY_STEPS))
        self._pids = {"broker": kafka.pid, "ingest": ingest_pid, "replay": self._reader.pid}
        self.num_sent = 0
        """Steps of the phases that are over."""

    def run(self, num_robots: int, duration_s: float, boot: int) -> Phase:
        """So many robots send, for a while."""
        with Senders(self._producer, num_robots, boot) as senders:
            self._look(senders, min(_WARM_S, duration_s))
            before, first, started_s = self._cpu_s(), senders.num_sent, time.monotonic()
            lags = self._look(senders, duration_s)
            took_s, num_steps = time.monotonic() - started_s, senders.num_sent - first
            cores = {name: (cpu_s - before[name]) / took_s for name, cpu_s in self._cpu_s().items()}
        self.num_sent += senders.num_sent
        return Phase(steps_per_s=num_steps / took_s, cores=cores, lags=lags, late_s=senders.late_s)

    def _look(self, senders: Senders, duration_s: float) -> list[tuple[float, float]]:
        """Once a second let the replay follow, and ask ingest what it has."""
        lags: list[tuple[float, float]] = []
        started_s = time.monotonic()
        while len(lags) < _FEWEST_LOOKS or time.monotonic() - started_s < duration_s:
            time.sleep(_LOOK_S)
            self._reader.refresh()
            num_sent = self.num_sent + senders.num_sent
            num_stored = scraped(self._port, self._home).values.get(_INGESTED, 0.0)
            lags.append((time.monotonic() - started_s, num_sent - num_stored))
        return lags

    def _cpu_s(self) -> dict[str, float]:
        return {name: usage(pid).cpu_s for name, pid in self._pids.items()}


def measure(home: Home, num_robots: int, duration_s: float) -> Run:
    """A quarter of them, then all; and before, what nobody counts: a JVM compiles in its first minute."""
    with contextlib.ExitStack() as stack:
        site = Site(home, stack)
        site.run(num_robots, duration_s / 2, boot=0)
        num_before = site.num_sent
        before = [folder_bytes(folder) for folder in (home.kafka, home.lake)]
        few = site.run(max(1, num_robots // 4), duration_s, boot=1)
        many = site.run(num_robots, duration_s, boot=2)
        after = [folder_bytes(folder) for folder in (home.kafka, home.lake)]
    sent_bytes, stored_bytes = ((b - a) / (site.num_sent - num_before) for a, b in zip(before, after, strict=True))
    return Run(few=few, many=many, sent_bytes=sent_bytes, stored_bytes=stored_bytes)


def figures_of(run: Run, num_robots: int) -> list[Figure]:
    """The rows, and what is full first."""
    many = run.many
    slope = Slope.of(*zip(*many.lags, strict=True))
    first = min((stage for stage in run.stages if stage.name in ONE_CORE), key=lambda stage: stage.robots_per_core)
    return [
        Figure(
            what=f"{num_robots} robots: steps sent",
            value=many.steps_per_s,
            unit="steps/s",
            at_least=0.98 * num_robots * SPEC.control_rate_hz,
            bounded_by=f"the senders, {many.late_s:.1f} s behind their clock",
        ),
        Figure.of("in the table later by", [lag / many.steps_per_s for _, lag in many.lags], unit="s"),
        Figure(
            what="growth of that, lower end of its 95 % interval",
            value=slope.low / many.steps_per_s,
            unit="s/s",
            at_most=0.0,
            bounded_by=f"ingest takes {many.cores['ingest']:.0%} of a core",
        ),
        *(Figure(what=f"{name}", value=cores, unit="cores") for name, cores in many.cores.items()),
        *(Figure(what=f"{stage.name}, a step more", value=1e6 * stage.cost_s, unit="us") for stage in run.stages),
        Figure(what="a step in Kafka's log", value=run.sent_bytes, unit="B"),
        Figure(what="a step in the lake, before compaction", value=run.stored_bytes, unit="B"),
        Figure(what=f"one core of {first.name} is full first, at", value=first.robots_per_core, unit="robots"),
    ]


def table(run: Run) -> str:
    """What fleets of several sizes need."""
    rate_hz = SPEC.control_rate_hz
    lines = [
        f"cores = idle + robots x {rate_hz:g} Hz x cost of a step; bytes = robots x {rate_hz:g} Hz x bytes of a step",
        f"{'':<34}" + "".join(f"{num:>15,} robots" for num in FLEETS),
    ]
    for stage in run.stages:
        name = f"{stage.name}: {stage.idle_cores:.2f} + {1e6 * stage.cost_s:.0f} us"
        lines.append(f"{name:<34}" + "".join(f"{stage.cores(num):>16.2f} cores" for num in FLEETS))
    for name, num_bytes in (("Kafka", run.sent_bytes), ("lake", run.stored_bytes)):
        rates = [num * rate_hz * num_bytes for num in FLEETS]
        lines.append(f"{f'{name}: {num_bytes:.0f} B':<34}" + "".join(f"{rate / 1e6:>17.1f} MB/s" for rate in rates))
        lines.append(f"{'':<34}" + "".join(f"{rate * _DAY_S / 1e12:>15.2f} TB/day" for rate in rates))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures, and the table of larger fleets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=100, help="robots that send")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to look at each of the two numbers")
    parser.add_argument("--quick", action="store_true", help="four robots, three seconds: to see that it works")
    args = parser.parse_args(argv)
    if args.robots < _FEWEST_ROBOTS:
        parser.error(f"--robots must be at least {_FEWEST_ROBOTS}: a quarter of them comes first")
    num_robots, duration_s = (4, 3.0) if args.quick else (args.robots, args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        run = measure(Home(Path(folder)), num_robots, duration_s)
    publish(figures_of(run, num_robots))
    print(f"\n{table(run)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
