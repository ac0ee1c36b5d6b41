"""Runs the cells of a study in parallel processes, here or on a cluster, each as soon as its parents are there.

A cell that fails is said and left; what does not need it goes on. Finished cells are kept at once, so a
study that is stopped anywhere goes on where it was.
"""

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from study.cell import Cell, Finding
from study.store import Store

_POLL_S = 0.2
_LOG = "log.txt"


class Job(Protocol):
    """A process that computes one cell, wherever it runs; `subprocess.Popen` is one."""

    @property
    def returncode(self) -> int | None:
        """None until `poll` or `wait` has seen its end."""

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def terminate(self) -> None:
        """Ask it to end."""

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""


Start = Callable[[Sequence[str], str, Path], Job]
"""Starts Python with some arguments and some text as its input; what it says goes to the file."""


def start_here(arguments: Sequence[str], text: str, log: Path) -> Job:
    """A process on this machine."""
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=sink, stderr=sink, text=True
        )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    return process


@dataclasses.dataclass(frozen=True, kw_only=True)
class Running:
    """A cell that is being computed."""

    cell: Cell
    job: Job
    started_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failed:
    """A cell that could not be computed."""

    cell: Cell
    reason: str
    """The last line that its process wrote."""


class Runner:
    """One run over a study's cells."""

    def __init__(
        self,
        store: Store,
        wanted: Sequence[Cell],
        *,
        num_jobs: int,
        keeps_artefacts: bool = False,
        start: Start = start_here,
    ) -> None:
        self._store, self._num_jobs, self._keeps_artefacts = store, num_jobs, keeps_artefacts
        self._start_job = start
        self._wanted = list({cell.id: cell for cell in wanted}.values())
        self._waiting = self._missing()
        self._running: list[Running] = []
        self.failed: list[Failed] = []

    @property
    def num_left(self) -> int:
        """Cells that are neither found nor failed."""
        return len(self._waiting) + len(self._running)

    @property
    def to_do(self) -> Sequence[Cell]:
        """Cells that nobody has begun, parents first."""
        return list(self._waiting)

    @property
    def running(self) -> Sequence[Cell]:
        """Cells that are being computed."""
        return [one.cell for one in self._running]

    def run(self, on_finding: Callable[[Cell, Finding, float], None], on_tick: Callable[[], None]) -> None:
        """Compute everything; `on_finding` hears each cell with its seconds, `on_tick` is called all the time."""
        try:
            while self._waiting or self._running:
                self._start_ready()
                on_tick()
                time.sleep(_POLL_S)
                for one in [one for one in self._running if one.job.poll() is not None]:
                    self._running.remove(one)
                    self._finish(one, on_finding)
        finally:
            for one in self._running:
                one.job.terminate()
                one.job.wait()

    def _missing(self) -> list[Cell]:
        """Cells to compute: those without a finding, and those whose files such a one needs."""
        missing: dict[str, Cell] = {}

        def need(cell: Cell, *, needs_files: bool) -> None:
            done = self._store.has_artefacts(cell) if needs_files else self._store.finding(cell) is not None
            if cell.id in missing or done:
                return
            for parent in cell.parents:
                need(parent, needs_files=True)
            missing[cell.id] = cell

        for cell in self._wanted:
            need(cell, needs_files=False)
        return list(missing.values())

    def _start_ready(self) -> None:
        for cell in list(self._waiting):
            if len(self._running) >= self._num_jobs:
                return
            parents = {parent.id for parent in cell.parents}
            lost = next((failed for failed in self.failed if failed.cell.id in parents), None)
            if lost:
                self._waiting.remove(cell)
                self.failed.append(Failed(cell=cell, reason=f"needs {lost.cell.id}, which failed"))
            elif all(self._store.has_artefacts(parent) for parent in cell.parents):
                self._waiting.remove(cell)
                self._running.append(self._start(cell))

    def _start(self, cell: Cell) -> Running:
        folder = self._store.artefacts / cell.id
        folder.mkdir(parents=True, exist_ok=True)
        arguments = ("-m", "study.work", str(self._store.artefacts.resolve()))
        job = self._start_job(arguments, cell.to_json(), (folder / _LOG).resolve())
        return Running(cell=cell, job=job, started_s=time.monotonic())

    def _finish(self, one: Running, on_finding: Callable[[Cell, Finding, float], None]) -> None:
        if one.job.returncode:
            lines = (self._store.artefacts / one.cell.id / _LOG).read_text().strip().splitlines()
            reason = lines[-1] if lines else f"exit code {one.job.returncode}"
            self.failed.append(Failed(cell=one.cell, reason=reason))
            return
        on_finding(one.cell, self._store.keep(one.cell), time.monotonic() - one.started_s)
        if not self._keeps_artefacts:
            self._drop_unneeded()

    def _drop_unneeded(self) -> None:
        """Throw away files that no cell to come will read: a collection is half a gigabyte."""
        to_come = [*self._waiting, *(one.cell for one in self._running)]
        needed = {parent.id for cell in to_come for parent in cell.parents} | {cell.id for cell in to_come}
        for cell in {cell.id: cell for wanted in self._wanted for cell in wanted.with_ancestors()}.values():
            if cell.id not in needed:
                self._store.drop(cell)
