"""What a process takes from its machine: processor time, memory, handles; its children counted with it."""

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import psutil
from scipy.stats import t as student

from infra import scrape
from infra.home import Home

_TIMEOUT_S = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Usage:
    """At one moment."""

    cpu_s: float = 0.0
    """Processor time since its start."""
    pss_bytes: int = 0
    """Memory; what is shared with other processes counts in parts."""
    anonymous_bytes: int = 0
    """Memory that no file backs: what cannot be given back."""
    num_handles: int = 0
    num_threads: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return Usage(**{name: mine[name] + theirs[name] for name in mine})


def usage(pid: int) -> Usage:
    """Of a process and its children now; nothing of those that have ended."""
    total = Usage()
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
                total += _of_one(member)
    return total


def _of_one(process: psutil.Process) -> Usage:
    memory = {}
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        memory[name] = int(value.split()[0]) << 10
    return Usage(
        cpu_s=sum(process.cpu_times()[:2]),
        pss_bytes=memory["Pss"],
        anonymous_bytes=memory["Pss_Anon"],
        num_handles=process.num_fds(),
        num_threads=process.num_threads(),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scrape:
    """What a process says of itself."""

    values: Mapping[str, float]
    """Sums over labels of counters and gauges, by the sample's name."""
    took_s: float
    """How long it took to answer: a process that chokes answers late."""


def scraped(port: int, home: Home) -> Scrape:
    """Read /metrics of a process.

    Raises:
        OSError: nobody answers.
    """
    started_s = time.monotonic()
    families = scrape.metrics(port, home.path, timeout_s=_TIMEOUT_S)
    took_s, values = time.monotonic() - started_s, {}
    for family in families:
        for sample in family.samples:
            values[_key(sample.name, sample.labels)] = sample.value
            values[sample.name] = values.get(sample.name, 0.0) + sample.value if sample.labels else sample.value
    return Scrape(values=values, took_s=took_s)


def _key(name: str, labels: Mapping[str, str]) -> str:
    """As NAME{topic}: the one label that benchmarks ask for."""
    return f"{name}{{{labels['topic']}}}" if set(labels) == {"topic"} else f"{name}{dict(labels)}"


def folder_bytes(folder: Path) -> int:
    """Of all files below it; those that go away meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slope:
    """A straight line's, with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, x: "np.typing.ArrayLike", y: "np.typing.ArrayLike") -> "Slope":
        """Through the means of up to 20 blocks, because neighbouring samples say the same; at least three points."""
        num_blocks = min(20, len(np.asarray(x)))
        bx, by = (
            np.array([block.mean() for block in np.array_split(np.asarray(v, float), num_blocks)]) for v in (x, y)
        )
        centred = bx - bx.mean()
        spread = float((centred**2).sum())
        value = float((centred * by).sum() / spread)
        rest = by - by.mean() - value * centred
        error = float(np.sqrt((rest**2).sum() / (num_blocks - 2) / spread))
        reach = float(student.ppf(0.975, num_blocks - 2)) * error
        return cls(value=value, low=value - reach, high=value + reach)
