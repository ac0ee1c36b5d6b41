"""A fleet at the highest rate that this machine holds, for long: `python -m benchmarks soak [--minutes M]`.

A whole fleet with robots that replay (`replay_fleet.py`), simulated, so their clocks may run faster than real time.
First the rate: higher and higher, each for a while, until robots fall behind it or the table falls behind robots. Then
the highest that was held, for --minutes. Every few seconds each process says what memory (that no file backs), handles
and threads it has, and how long it took to answer; files and lag are counted. At the end a straight line through each,
with its interval: what leaks has a slope. The report goes to `soak.md` and `soak.json` in --out. An hour takes some ten
gigabytes of disk.
"""

import argparse
import dataclasses
import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import results
from benchmarks.figures import Figure, publish
from benchmarks.processes import Slope
from benchmarks.replay_fleet import ReplayFleet, replay_fleet
from infra.home import Home
from policy.errors import TouchlineError

TASK = "benchmarks.replay_robots:PlugRobot"
RATES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""Multiples of the robots' 20 Hz."""
_RATE_HZ = 20.0
_HELD_SHARE = 0.95
_MAX_LAG_S = 3.0
_TRIAL_S = 20.0
_SETTLE_SHARE = 0.1
"""Of the time, at the start, that no line goes through: caches fill."""
_NUM_SAMPLES = 360
_LAG = "touchline_kafka_lag_records{steps}"
_FLAT_SHARE_H = 0.05
"""Of its mean, that memory may be growing by in an hour at least before it counts as growing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """Everything at one moment."""

    time_s: float
    columns: Mapping[str, Mapping[str, float]]
    """By process: memory_mb, handles, threads, answer_ms; of the whole: files, lag_records, steps."""


def look(fleet: ReplayFleet, started_s: float) -> Sample:
    """Ask everybody."""
    columns: dict[str, dict[str, float]] = {}
    for name, used in fleet.usages().items():
        columns[name] = {
            "memory_mb": used.anonymous_bytes / 1e6,
            "handles": used.num_handles,
            "threads": used.num_threads,
        }
    scrapes = fleet.scrapes()
    for name, said in scrapes.items():
        columns[name]["answer_ms"] = 1e3 * said.took_s
    ingest = scrapes.get("ingest")
    columns["fleet"] = {
        "files": sum(1 for path in fleet.home.path.rglob("*") if path.is_file()),
        "lag_records": ingest.values.get(_LAG, 0.0) if ingest else math.nan,
        "steps": fleet.num_recorded(),
    }
    return Sample(time_s=time.monotonic() - started_s, columns=columns)


def watch(fleet: ReplayFleet, duration_s: float, period_s: float) -> list[Sample]:
    """Look every so often."""
    samples: list[Sample] = []
    started_s = time.monotonic()
    while not samples or samples[-1].time_s < duration_s:
        samples.append(look(fleet, started_s))
        fleet.tend()
        time.sleep(period_s)
    return samples


def steps_per_s(samples: Sequence[Sample]) -> float:
    """That robots recorded between the first look and the last."""
    first, last = samples[0], samples[-1]
    return (last.columns["fleet"]["steps"] - first.columns["fleet"]["steps"]) / (last.time_s - first.time_s)


def highest_rate(fleet: ReplayFleet, num_robots: int, num_processes: int, trial_s: float) -> float:
    """The highest multiple of the robots' own rate that is held.

    Raises:
        TouchlineError: not even the lowest is.
    """
    held = 0.0
    for rate in RATES:
        fleet.start_robots(num_robots, rate, num_processes)
        samples = watch(fleet, trial_s, trial_s / 5)[1:]  # the first look still finds some of them starting
        fleet.stop_robots()
        found, asked = steps_per_s(samples), rate * num_robots * _RATE_HZ
        lag_s = samples[-1].columns["fleet"]["lag_records"] / (num_robots / 0.2)
        is_held = found >= _HELD_SHARE * asked and lag_s <= _MAX_LAG_S
        print(f"{rate:>5g} x: {found:,.0f} of {asked:,.0f} steps/s, lag {lag_s:.1f} s: {'' if is_held else 'not '}held")
        if not is_held:
            break
        held = rate
    if not held:
        raise TouchlineError("this machine does not hold the robots' own rate; try fewer --robots", robots=num_robots)
    return held


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trend:
    """One column of one process over the time."""

    process: str
    column: str
    mean: float
    slope: Slope
    """An hour."""

    @property
    def is_growing(self) -> bool:
        """Whether it surely grows, and by as much as matters."""
        return self.slope.low > 0 and self.slope.value > _FLAT_SHARE_H * abs(self.mean)


def trends_of(samples: Sequence[Sample]) -> list[Trend]:
    """Lines through all columns, the start left out."""
    rest = samples[int(_SETTLE_SHARE * len(samples)) :]
    found = []
    for process, columns in samples[-1].columns.items():
        for column in columns.keys() - {"steps"}:
            points = [(sample.time_s / 3600, sample.columns.get(process, {}).get(column, math.nan)) for sample in rest]
            hours, values = zip(*[point for point in points if math.isfinite(point[1])], strict=True)
            mean = sum(values) / len(values)
            found.append(Trend(process=process, column=column, mean=mean, slope=Slope.of(hours, values)))
    return sorted(found, key=lambda trend: (trend.process, trend.column))


def page(heading: str, trends: Sequence[Trend]) -> str:
    """The report."""
    lines = [
        "# Soak",
        "",
        heading,
        "",
        "| process | what | mean | an hour adds, 95 % interval | |",
        "|---|---|---|---|---|",
    ]
    for trend in trends:
        s = trend.slope
        grows = "grows" if trend.is_growing else ""
        lines.append(
            f"| {trend.process} | {trend.column} | {trend.mean:,.1f} "
            f"| {_signed(s.value)} [{_signed(s.low)}, {_signed(s.high)}] | {grows} |"
        )
    return "\n".join(lines) + "\n"


def _signed(value: float) -> str:
    return f"{round(value, 1) + 0.0:+,.1f}"  # no minus before zero


def run(home: Home, out: Path, args: argparse.Namespace) -> list[Figure]:
    """Find the rate, hold it, write the report."""
    duration_s = 60 * args.minutes
    trial_s = min(_TRIAL_S, duration_s / 4)
    with replay_fleet(home, TASK) as fleet:
        rate = args.rate or highest_rate(fleet, args.robots, args.processes, trial_s)
        fleet.start_robots(args.robots, rate, args.processes)
        samples = watch(fleet, duration_s, duration_s / _NUM_SAMPLES)
    trends, held = trends_of(samples), steps_per_s(samples)
    machine = results.Machine.here()
    heading = (
        f"{machine}\n\n`python -m benchmarks soak --minutes {args.minutes:g} --robots {args.robots} "
        f"--processes {args.processes}`: {rate:g} times real time, {held:,.0f} steps/s, {len(samples)} looks"
    )
    (out / "soak.md").write_text(page(heading, trends))
    content = {
        "machine": dataclasses.asdict(machine),
        "rate": rate,
        "steps_per_s": held,
        "trends": [dataclasses.asdict(trend) for trend in trends],
        "samples": [dataclasses.asdict(sample) for sample in samples],
    }
    (out / "soak.json").write_text(json.dumps(content, indent=1) + "\n")
    growing = [trend for trend in trends if trend.is_growing and trend.column != "files"]
    asked = rate * args.robots * _RATE_HZ
    return [
        Figure(what=f"steps/s held for {args.minutes:g} minutes", value=held, at_least=_HELD_SHARE * asked),
        Figure(
            what="columns of processes that grow",
            value=len(growing),
            at_most=0,
            bounded_by=", ".join(f"{trend.process}'s {trend.column}" for trend in growing),
        ),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, and say where the report is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="at the highest rate")
    parser.add_argument("--robots", type=int, default=8, help="robots; a multiple of --processes")
    parser.add_argument("--processes", type=int, default=1, help="that they share")
    parser.add_argument("--rate", type=float, default=0.0, help="multiple of real time; 0 finds the highest that holds")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the report")
    args = parser.parse_args(argv)
    if args.robots < 1 or args.processes < 1 or args.robots % args.processes:
        parser.error("--robots must be a multiple of --processes")
    if not args.minutes > 0:
        parser.error("--minutes must be above 0")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Home(Path(folder)), args.out, args)
    publish(figures)
    print(f"report: {args.out / 'soak.md'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
