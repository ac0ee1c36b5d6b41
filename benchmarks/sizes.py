"""What each service takes, and what each robot adds: `python -m benchmarks sizes [--robots N ...] [--seconds S]`.

A whole fleet on this machine (`replay_fleet.py`) with robots of two 64x64 cameras at 20 Hz in real time: first one,
then more, each number for a while. Memory is the proportional share (PSS): what processes share is counted once, and
pages of mapped files count while the system keeps them: the learner's ring, up to `learner.replay_steps`. The learner
has trained a base before and follows the lake; while it trains, it takes a core more.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, publish
from benchmarks.processes import Usage
from benchmarks.replay_fleet import ReplayFleet, replay_fleet
from infra.home import Home

TASK = "benchmarks.replay_robots:PlugRobot"
_RATE_HZ = 20.0
_WARM_S = 10.0

Sizes = Mapping[int, Mapping[str, tuple[float, float]]]
"""By number of robots, by process: share of a core, and megabytes."""


def measure(home: Home, numbers: Sequence[int], duration_s: float) -> tuple[Sizes, dict[int, float]]:
    """Sizes, and the steps a second that robots recorded."""
    sizes, rates = {}, {}
    with replay_fleet(home, TASK) as fleet:
        for number in numbers:
            fleet.start_robots(number)
            time.sleep(min(_WARM_S, duration_s))
            sizes[number], rates[number] = _look(fleet, duration_s)
            fleet.stop_robots()
    return sizes, rates


def _look(fleet: ReplayFleet, duration_s: float) -> tuple[dict[str, tuple[float, float]], float]:
    before, num_before, started_s = fleet.usages(), fleet.num_recorded(), time.monotonic()
    time.sleep(duration_s)
    after, num_after, took_s = fleet.usages(), fleet.num_recorded(), time.monotonic() - started_s
    found = {name: _size(before[name], after[name], took_s) for name in after}
    return found, (num_after - num_before) / took_s


def _size(before: Usage, after: Usage, took_s: float) -> tuple[float, float]:
    return (after.cpu_s - before.cpu_s) / took_s, after.pss_bytes / 1e6


def slope(sizes: Sizes, name: str, column: int) -> float:
    """What one more robot adds to a process, by least squares."""
    numbers = np.array(list(sizes), float)
    values = np.array([sizes[number][name][column] for number in sizes])
    centred = numbers - numbers.mean()
    return float((centred * values).sum() / (centred**2).sum())


def table(sizes: Sizes) -> str:
    """A line for each process."""
    heads = "".join(f"{f'{number} robots':>18}" for number in sizes)
    lines = [
        f"{'':<10}{heads}{'a robot adds':>20}",
        f"{'':<10}" + f"{'core':>9}{'MB':>9}" * len(sizes) + f"{'core':>11}{'MB':>9}",
    ]
    for name in next(iter(sizes.values())):
        cells = "".join(f"{by_name[name][0]:>9.3f}{by_name[name][1]:>9.0f}" for by_name in sizes.values())
        lines.append(f"{name:<10}{cells}{slope(sizes, name, 0):>11.4f}{slope(sizes, name, 1):>9.1f}")
    return "\n".join(lines)


def figures_of(sizes: Sizes, rates: Mapping[int, float]) -> list[Figure]:
    """Sums, and what a robot adds to them."""
    sums = {n: tuple(sum(size[column] for size in by.values()) for column in (0, 1)) for n, by in sizes.items()}
    whole: Sizes = {number: {"all": (cores, megabytes)} for number, (cores, megabytes) in sums.items()}
    most = max(sizes)
    return [
        Figure(
            what=f"steps/s recorded, {most} robots",
            value=rates[most],
            at_least=0.98 * most * _RATE_HZ,
            bounded_by="this machine's processor: the sizes are of a fleet that could not keep its rate",
        ),
        Figure(
            what="all processes, one robot" if min(sizes) == 1 else "all processes, fewest robots",
            value=sums[min(sizes)][1],
            unit="MB",
        ),
        Figure(what="a robot adds, all processes", value=slope(whole, "all", 1), unit="MB"),
        Figure(what="a robot adds, all processes, processor", value=slope(whole, "all", 0), unit="cores"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--robots", type=int, nargs="+", default=[1, 4, 8], help="numbers of robots, one after the other"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each number is watched")
    parser.add_argument("--quick", action="store_true", help="one and two robots, two seconds: to see that it works")
    args = parser.parse_args(argv)
    numbers, duration_s = ([1, 2], 2.0) if args.quick else (args.robots, args.seconds)
    if len(set(numbers)) < 2:
        parser.error("--robots: what a robot adds takes two different numbers at least")
    with tempfile.TemporaryDirectory() as folder:
        sizes, rates = measure(Home(Path(folder)), numbers, duration_s)
    print(f"{table(sizes)}\n")
    publish(figures_of(sizes, rates))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
