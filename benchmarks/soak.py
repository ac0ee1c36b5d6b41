"""A fleet at the highest rate that this machine holds, for long: `python -m benchmarks soak [--minutes M]`.

A whole fleet with robots that replay (`replay_fleet.py`), simulated, so their clocks may run faster than real time.
First the rate: higher and higher, each for a while, until robots fall behind it or the table falls behind robots. Then
the highest that was held, for --minutes. Every few seconds each process says what memory (that no file backs), handles,
threads and processor time it takes, and how long it took to answer; files and lag are counted. At the end a straight
line through each, with its interval: what leaks has a slope, and in each third of the time, where a pool or a cache
fills up once. What a process keeps of each step on purpose is taken off. The report goes to `soak.md` and `soak.json`
in --out; `--again` writes it anew from there. An hour takes some ten gigabytes of disk.
"""

import argparse
import dataclasses
import itertools
import json
import math
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.figures import Figure, publish
from benchmarks.processes import Slope
from benchmarks.replay_fleet import ReplayFleet, replay_fleet
from infra.home import Home
from policy.errors import TouchlineError

TASK = "benchmarks.replay_robots:PlugRobot"
RATES = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
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
"""Of its mean, that a column may be growing by in an hour at least before it counts as growing."""
_FLAT_BUSY_PERCENT_H = 2.0
"""Of a core, for busy_percent."""
_NUM_PARTS = 3
_KEPT_BYTES = {"console": 40.0, "judge": 10.0, "learner": 10.0}
"""Of memory for each step in the lake, until `touchline data retain` lets it go: for the console values and modes of
steps (`console/history/README.md`), for the others the episodes' rows."""
_ENVIRON = {"TOUCHLINE_LAKE__FILE_RETENTION_H": "0.25"}
"""Files that compaction replaced go while somebody looks: kept for an hour, they could only grow in an hour."""
_SUMS = ("steps", "cpu_s")
"""Columns that only add up."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """Everything at one moment."""

    time_s: float
    columns: Mapping[str, Mapping[str, float]]
    """By process: memory_mb, handles, threads, cpu_s, answer_ms; of the whole: files, lag_records, steps."""


def look(fleet: ReplayFleet, started_s: float) -> Sample:
    """Ask everybody."""
    columns: dict[str, dict[str, float]] = {}
    for name, used in fleet.usages().items():
        columns[name] = {
            "memory_mb": used.anonymous_bytes / 1e6,
            "handles": used.num_handles,
            "threads": used.num_threads,
            "cpu_s": used.cpu_s,
        }
    scrapes = fleet.scrapes()
    for name, said in scrapes.items():
        columns[name]["answer_ms"] = 1e3 * said.took_s
    ingest = scrapes.get("ingest")
    columns["fleet"] = {
        "files": sum(len(names) for _, _, names in os.walk(fleet.home.path)),
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
        samples = watch(fleet, trial_s, trial_s / 5)
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
    parts: Sequence[Slope]
    """The same of each third of the time."""
    kept: float = 0.0
    """An hour, that it keeps on purpose."""

    @property
    def is_growing(self) -> bool:
        """Whether it surely grows all the time, and by as much as matters."""
        flat = _FLAT_BUSY_PERCENT_H if self.column == "busy_percent" else _FLAT_SHARE_H * abs(self.mean)
        return all(s.low > self.kept and s.value - self.kept > flat for s in (self.slope, *self.parts))


def trends_of(samples: Sequence[Sample]) -> list[Trend]:
    """Lines through all columns, the start left out."""
    rest = busy(samples)[int(_SETTLE_SHARE * len(samples)) :]
    steps_h = 3600 * steps_per_s(rest)
    found = []
    for process, columns in rest[-1].columns.items():
        for column in columns.keys() - set(_SUMS):
            points = [(sample.time_s / 3600, sample.columns.get(process, {}).get(column, math.nan)) for sample in rest]
            finite = np.array([point for point in points if math.isfinite(point[1])])
            kept = _KEPT_BYTES.get(process, 0.0) * steps_h / 1e6 if column == "memory_mb" else 0.0
            found.append(
                Trend(
                    process=process,
                    column=column,
                    mean=float(finite[:, 1].mean()),
                    slope=Slope.of(*finite.T),
                    parts=[Slope.of(*part.T) for part in np.array_split(finite, _NUM_PARTS)],
                    kept=kept,
                )
            )
    return sorted(found, key=lambda trend: (trend.process, trend.column))


def busy(samples: Sequence[Sample]) -> list[Sample]:
    """The same but the first, with the share of a core that each process took since the look before, busy_percent."""
    found = []
    for before, now in itertools.pairwise(samples):
        columns = {name: dict(own) for name, own in now.columns.items()}
        for name, own in columns.items():
            if "cpu_s" in own:
                spent_s = own["cpu_s"] - before.columns.get(name, {}).get("cpu_s", math.nan)
                own["busy_percent"] = 100 * spent_s / (now.time_s - before.time_s)
        found.append(Sample(time_s=now.time_s, columns=columns))
    return found


def page(heading: str, trends: Sequence[Trend]) -> str:
    """The report."""
    lines = [
        "# Soak",
        "",
        heading,
        "",
        "| process | what | mean | an hour adds, 95 % interval | all the time, beyond what it keeps on purpose |",
        "|---|---|---|---|---|",
    ]
    for trend in trends:
        s = trend.slope
        kept = f"keeps {trend.kept:,.0f}" if trend.kept else ""
        grows = "grows" if trend.is_growing else kept
        lines.append(
            f"| {trend.process} | {trend.column} | {trend.mean:,.1f} "
            f"| {_signed(s.value)} [{_signed(s.low)}, {_signed(s.high)}] | {grows} |"
        )
    return "\n".join(lines) + "\n"


def _signed(value: float) -> str:
    return f"{round(value, 1) + 0.0:+,.1f}"  # no minus before zero


def run(home: Home, out: Path, args: argparse.Namespace) -> None:
    """Find the rate, hold it, write down what was seen."""
    duration_s = 60 * args.minutes
    trial_s = min(_TRIAL_S, duration_s / 4)
    with replay_fleet(home, TASK, _ENVIRON) as fleet:
        rate = args.rate or highest_rate(fleet, args.robots, args.processes, trial_s)
        fleet.start_robots(args.robots, rate, args.processes)
        samples = watch(fleet, duration_s, duration_s / _NUM_SAMPLES)
    content = {
        "machine": dataclasses.asdict(results.Machine.here()),
        "minutes": args.minutes,
        "robots": args.robots,
        "processes": args.processes,
        "rate": rate,
        "options": f" --rate {args.rate:g}" if args.rate else "",
        "samples": [dataclasses.asdict(sample) for sample in samples],
    }
    (out / "soak.json").write_text(json.dumps(content) + "\n")


def report(out: Path) -> list[Figure]:
    """Write the page of what was seen."""
    seen = json.loads((out / "soak.json").read_text())
    samples = [Sample(**sample) for sample in seen["samples"]]
    trends, held, minutes = trends_of(samples), steps_per_s(samples), seen["minutes"]
    heading = (
        f"{results.Machine(**seen['machine'])}\n\n`python -m benchmarks soak --minutes {minutes:g} "
        f"--robots {seen['robots']} --processes {seen['processes']}{seen['options']}`: "
        f"{seen['rate']:g} times real time, {held:,.0f} steps/s, {len(samples)} looks"
    )
    (out / "soak.md").write_text(page(heading, trends))
    growing = [trend for trend in trends if trend.is_growing]
    asked = seen["rate"] * seen["robots"] * _RATE_HZ
    return [
        Figure(what=f"steps/s held for {minutes:g} minutes", value=held, at_least=_HELD_SHARE * asked),
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
    parser.add_argument("--again", action="store_true", help="only the report, of what --out holds")
    args = parser.parse_args(argv)
    if args.robots < 1 or args.processes < 1 or args.robots % args.processes:
        parser.error("--robots must be a multiple of --processes")
    if not args.minutes > 0:
        parser.error("--minutes must be above 0")
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.again:
        with tempfile.TemporaryDirectory() as folder:
            run(Home(Path(folder)), args.out, args)
    publish(report(args.out))
    print(f"report: {args.out / 'soak.md'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
