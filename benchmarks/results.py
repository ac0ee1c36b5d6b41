"""The table of all figures: machine, commit, command, goal, met or what bounds it.

Written anew after every benchmark, so that a run that is cut short leaves what it has.
"""

import dataclasses
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure


@dataclasses.dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and when the figures were taken."""

    processor: str
    num_cores: int
    memory_gib: float
    python: str
    commit: str
    """With + where the tree had changes that were not committed."""
    day: str

    @classmethod
    def here(cls) -> "Machine":
        """This one, now."""
        commit = _said_by("git", "rev-parse", "--short", "HEAD")
        is_changed = bool(_said_by("git", "status", "--porcelain", "--untracked-files=no"))
        return cls(
            processor=_processor(),
            num_cores=os.cpu_count() or 1,
            memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30),
            python=platform.python_version(),
            commit=(commit or "unknown") + ("+" if is_changed else ""),
            day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.num_cores} cores, {self.memory_gib:.0f} GiB, Python {self.python}, "
            f"commit {self.commit}, {self.day}"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What one command gave."""

    name: str
    command: str
    duration_s: float
    load_before: float
    """Load average of the last minute when it began: on a quiet machine near 0."""
    exit_code: int
    figures: Sequence[Figure]
    output: str
    """All that it printed."""


def write(folder: Path, machine: Machine, results: Sequence[Result]) -> None:
    """`results.md` and `results.json` in the folder."""
    rows = [
        {"name": result.name, "command": result.command, **dataclasses.asdict(figure), "is_met": figure.is_met}
        for result in results
        for figure in result.figures
    ]
    runs = [
        {k: v for k, v in dataclasses.asdict(result).items() if k not in ("figures", "output")} for result in results
    ]
    content = {"machine": dataclasses.asdict(machine), "runs": runs, "figures": rows}
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "results.md").write_text(_page(machine, results))


def _page(machine: Machine, results: Sequence[Result]) -> str:
    lines = [
        "# Results",
        "",
        "Written by `python -m benchmarks all`. A figure is a median; in brackets are the quartiles of repetitions.",
        "",
        str(machine),
        "",
        "| figure | measured | against | goal | | command |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        lines += [
            f"| {figure.what} | {figure.measured} | {figure.against or '-'} | {figure.goal or '-'} "
            f"| {figure.verdict} | `{result.command}` |"
            for figure in result.figures
        ]
    for result in results:
        how = f"{result.duration_s:.0f} s, load average {result.load_before:.1f} before"
        failed = "" if result.exit_code == 0 else f", **failed with exit code {result.exit_code}**"
        lines += ["", f"## {result.name}", "", f"`{result.command}`: {how}{failed}", "", "```"]
        lines += [result.output.strip(), "```"]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    models = [line for line in _cpuinfo() if line.startswith("model name")]
    return models[0].partition(":")[2].strip() if models else platform.machine()


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def _said_by(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
