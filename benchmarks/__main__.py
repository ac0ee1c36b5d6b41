"""`python -m benchmarks` lists the benchmarks; `python -m benchmarks NAME [ARGUMENT ...]` runs one.

`all` runs each in turn and writes `results.md` and `results.json` beside this file; stopped, it goes on where it was,
as long as the commit is the same. `all NAME ...` measures some anew and leaves the rest of the table; `all --quick`
tries every one that has a small size, and writes nothing. Each runs in a process of its own, as by its own command, so
that none inherits another's threads or caches.
"""

import argparse
import dataclasses
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import figures, results
from benchmarks.results import Machine, Result

EVERYTHING = "all"
_INTERRUPTED_CODE = 130


@dataclasses.dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One row of the list."""

    command: tuple[str, ...]
    """A module, and the arguments that it always gets."""
    figure: str
    """What it measures, and against what."""
    quick: str = ""
    """Arguments of a size for trying it out, seconds; empty where there is none."""
    is_in_all: bool = True


BENCHMARKS = {
    "control_tick": Benchmark(
        command=("benchmarks.control_tick",),
        figure="a robot's control tick with recording, against the same tick without; missed ticks",
        quick="--quick",
    ),
    "ingest": Benchmark(
        command=("benchmarks.ingest",),
        figure="steps/s into the lake exactly once, against ready batches; what signatures cost",
        quick="--quick",
    ),
    "replay": Benchmark(
        command=("benchmarks.replay",),
        figure="batches from the replay, against other buffers that are installed, and the table",
        quick="--quick",
    ),
    "large_lake": Benchmark(
        command=("benchmarks.large_lake",),
        figure="replay over a million steps: memory, and how long it takes to start (minutes)",
        quick="--quick",
    ),
    "learner_step": Benchmark(
        command=("benchmarks.learner_step",),
        figure="the learner's update, against the same in a bare torch loop; RLlib's beside it",
        quick="--quick",
    ),
    "weights": Benchmark(
        command=("benchmarks.weights",),
        figure="a 780 MB checkpoint, from release to the robot's disk, verified",
        quick="--quick",
    ),
    "hundred_robots": Benchmark(
        command=("benchmarks.hundred_robots",),
        figure="100 robots through one broker and one ingest: lag, CPU, what saturates first at 1,000 and 10,000",
        quick="--quick",
    ),
    "sizes": Benchmark(
        command=("benchmarks.sizes",),
        figure="memory and CPU of each service, and per robot (minutes)",
        quick="--quick",
    ),
    "soak": Benchmark(
        command=("benchmarks.soak",),
        figure="the highest rate this machine holds, for --minutes M: memory, files, latency of each process",
        is_in_all=False,
    ),
    "follow": Benchmark(
        command=("benchmarks.follow",),
        figure="processor time of following a fleet's steps; a picture through the codec, against Pillow",
        quick="--quick",
    ),
    "latency": Benchmark(
        command=("benchmarks.latency",), figure="a step until it is in the replay; a release until robots act on it"
    ),
    "correction": Benchmark(
        command=("benchmarks.correction",),
        figure="end of a correction until a canary robot acts on weights that saw it, stage by stage (minutes)",
    ),
    "robot_speed": Benchmark(command=("benchmarks.robot_speed",), figure="control steps/s of one core"),
    "busybox": Benchmark(
        command=("benchmarks.busybox",), figure="who can do BusyBox: expert, demonstrator, numb fingers (minutes)"
    ),
    "toolbox": Benchmark(
        command=("benchmarks.toolbox",), figure="who can pack the toolbox: expert, demonstrator, numb hands (minutes)"
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
    "base": Benchmark(
        command=("benchmarks.base",),
        figure="what a --task's base makes of it: success, sub-goals where it ends, named parts (minutes)",
        quick="--demonstrations 10 --updates 2 --scenes 4",
        is_in_all=False,
    ),
    "joint": Benchmark(
        command=("benchmarks.joint",),
        figure="one policy for all tasks' bodies, against one per task (half an hour)",
        quick="--demonstrations 3 --updates 2 --episodes 2",
        is_in_all=False,
    ),
}


def command_of(name: str, arguments: Sequence[str]) -> list[str]:
    """What runs one benchmark."""
    return [sys.executable, "-m", *BENCHMARKS[name].command, *arguments]


def run(name: str, arguments: Sequence[str] = ()) -> int:
    """Run one benchmark as a process; returns its exit code."""
    return subprocess.run(command_of(name, arguments), check=False).returncode


def measure(name: str, arguments: Sequence[str] = ()) -> Result:
    """Run one as `run` does, and keep what it prints and measures."""
    started_s, load_before = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        environ = {**os.environ, figures.FILE_VARIABLE: str(file), "PYTHONUNBUFFERED": "1"}
        exit_code, output = _shown(command_of(name, arguments), environ)
        return Result(
            name=name,
            machine=Machine.here(),
            command=shlex.join(["python", "-m", "benchmarks", name, *arguments]),
            duration_s=time.monotonic() - started_s,
            load_before=load_before,
            exit_code=exit_code,
            figures=figures.read(file),
            output=output,
        )


def _shown(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and standard output of a command, which is shown as it comes."""
    lines = []
    with subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def run_all(folder: Path, names: Sequence[str]) -> int:
    """Some benchmarks at their full size, or all that the table does not have yet; returns 0 where all went well."""
    found, here = results.read(folder), Machine.here()
    if not names:
        done = {name for name, result in found.items() if result.exit_code == 0 and result.machine.is_same_code(here)}
        names = [name for name, benchmark in BENCHMARKS.items() if benchmark.is_in_all and name not in done]
    for number, name in enumerate(names, start=1):
        print(f"\n== {name} ({number} of {len(names)})", flush=True)
        found[name] = measure(name)
        results.write(folder, [found[known] for known in BENCHMARKS if known in found])
    print(f"\nwritten: {folder / 'results.md'}")
    return int(any(found[name].exit_code for name in names))


def try_all() -> int:
    """Every benchmark that has a small size; returns 0 where all went well."""
    code = 0
    for name, benchmark in BENCHMARKS.items():
        if benchmark.quick:
            print(f"\n== {name} {benchmark.quick}", flush=True)
            code = run(name, benchmark.quick.split()) or code
    return code


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
    try:
        if args.name != EVERYTHING:
            return run(args.name, args.arguments)
        if args.arguments == ["--quick"]:
            return try_all()
        if unknown := [word for word in args.arguments if word not in BENCHMARKS]:
            parser.error(
                f"{EVERYTHING} takes --quick or names, not {unknown[0]}; other arguments are for one benchmark"
            )
        return run_all(Path(__file__).parent, args.arguments)
    except KeyboardInterrupt:
        if args.name == EVERYTHING and not args.arguments:  # what is named, or quick, begins anew
            print("interrupted; the same command goes on from here")
        return _INTERRUPTED_CODE


if __name__ == "__main__":
    sys.exit(main())
