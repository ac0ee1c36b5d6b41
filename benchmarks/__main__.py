"""`python -m benchmarks` lists the benchmarks; `python -m benchmarks NAME [ARGUMENT ...]` runs one, `all` each in turn.

Each runs in a process of its own, as by its own command, so that none inherits another's threads or caches.
"""

import argparse
import dataclasses
import subprocess
import sys
from collections.abc import Sequence

EVERYTHING = "all"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One row of the table."""

    command: tuple[str, ...]
    """A module, and the arguments that it always gets."""
    figure: str
    """What it measures, and against what."""


BENCHMARKS = {
    "robot_speed": Benchmark(command=("benchmarks.robot_speed",), figure="control steps/s of one core"),
    "busybox": Benchmark(
        command=("benchmarks.busybox",), figure="who can do BusyBox: expert, demonstrator, numb fingers (minutes)"
    ),
    "toolbox": Benchmark(
        command=("benchmarks.toolbox",), figure="who can pack the toolbox: expert, demonstrator, numb hands (minutes)"
    ),
    "ingest": Benchmark(
        command=("benchmarks.ingest",), figure="steps/s into the lake exactly once, against a plain append"
    ),
    "replay": Benchmark(
        command=("benchmarks.replay",), figure="batches from the ring, against the same from the Delta table"
    ),
    "fuzz": Benchmark(
        command=("benchmarks.fuzz",), figure="damaged inputs at every decoder: faults, longest, heaviest (--inputs N)"
    ),
    "critic_freshness": Benchmark(
        command=("benchmarks.critic_freshness",), figure="age of live values on a page, 4 robots (a minute)"
    ),
    "console_queries": Benchmark(
        command=("benchmarks.console_queries",),
        figure="p50 and p95 of every route over the lake, a million steps in 5,000 episodes (minutes)",
    ),
    "console_browser": Benchmark(
        command=("benchmarks.console_browser",),
        figure="Drive in Chromium: pictures drawn, round trips with pictures and without, a chart's first paint",
    ),
    "spread": Benchmark(
        command=("benchmarks.spread",), figure="whether a policy's own spread tells failures, and its cost (minutes)"
    ),
}


def run(name: str, arguments: Sequence[str] = ()) -> int:
    """Run one benchmark as a process; returns its exit code."""
    return subprocess.run([sys.executable, "-m", *BENCHMARKS[name].command, *arguments], check=False).returncode


def listing() -> str:
    """Names and figures."""
    width = max(map(len, BENCHMARKS)) + 2
    return "\n".join(f"{name:<{width}}{benchmark.figure}" for name, benchmark in BENCHMARKS.items())


def main(argv: Sequence[str] | None = None) -> int:
    """List, or run; returns 0 where all went well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures, one command each.")
    parser.add_argument("name", nargs="?", choices=(*BENCHMARKS, EVERYTHING), help="which; none lists them")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the one benchmark; --help shows them")
    args = parser.parse_args(argv)
    if args.name is None:
        print(listing())
        return 0
    if args.name != EVERYTHING:
        return run(args.name, args.arguments)
    if args.arguments:
        parser.error(f"arguments are for one benchmark, not for {EVERYTHING}")
    code = 0
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        code = run(name) or code
    return code


if __name__ == "__main__":
    sys.exit(main())
