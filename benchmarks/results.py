"""The table of all figures: machine, commit, command, goal, met or what bounds it.

Written anew after every benchmark, so that a run that is cut short leaves what it has, and each says where and when
it was taken.
"""

import dataclasses
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

_NO_CODE = tuple(f":(exclude)benchmarks/{name}" for name in ("results.md", "results.json"))
"""What benchmarks write is no change of what they measure."""


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
        is_changed = bool(_said_by("git", "status", "--porcelain", "--untracked-files=no", "--", ".", *_NO_CODE))
        return cls(
            processor=_processor(),
            num_cores=os.cpu_count() or 1,
            memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30),
            python=platform.python_version(),
            commit=(commit or "unknown") + ("+" if is_changed else ""),
            day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )

    def is_same_code(self, other: "Machine") -> bool:
        """Whether both ran one commit, without changes to it."""
        return self.commit == other.commit and not self.commit.endswith("+")

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
    machine: Machine
    duration_s: float
    load_before: float
    """Load average of the last minute when it began: on a quiet machine near 0."""
    exit_code: int
    figures: Sequence[Figure]
    output: str
    """All that it printed."""


def write(folder: Path, results: Sequence[Result]) -> None:
    """`results.md` and `results.json` in the folder."""
    content = [
        {
            **dataclasses.asdict(result),
            "figures": [{**dataclasses.asdict(figure), "is_met": figure.is_met} for figure in result.figures],
        }
        for result in results
    ]
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "results.md").write_text(_page(results))


def read(folder: Path) -> dict[str, Result]:
    """What `write` left, by name; nothing where it left nothing."""
    file = folder / "results.json"
    content = json.loads(file.read_text()) if file.exists() else []
    return {fields["name"]: _result(fields) for fields in content}


def _result(fields: Mapping[str, Any]) -> Result:
    figures = [Figure.from_dict({k: v for k, v in row.items() if k != "is_met"}) for row in fields["figures"]]
    return Result(**{**fields, "machine": Machine(**fields["machine"]), "figures": figures})


def _page(results: Sequence[Result]) -> str:
    lines = [
        "# Results",
        "",
        "Written by `python -m benchmarks all`. A figure is a median; in brackets are the quartiles of repetitions.",
        "",
        "| figure | measured | against | goal | | command | commit |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines += [
            f"| {figure.what} | {figure.measured} | {figure.against or '-'} | {figure.goal or '-'} "
            f"| {figure.verdict} | `{result.command}` | {result.machine.commit} |"
            for figure in result.figures
        ]
    for result in results:
        how = f"{result.duration_s:.0f} s, load average {result.load_before:.1f} before"
        failed = "" if result.exit_code == 0 else f", **failed with exit code {result.exit_code}**"
        lines += ["", f"## {result.name}", "", f"`{result.command}`: {how}{failed}; {result.machine}", "", "```"]
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
