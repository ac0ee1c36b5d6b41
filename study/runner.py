"""Runs the cells of a study in parallel processes, each as soon as its parents are there.

A cell that fails is said and left; what does not need it goes on. Finished cells are kept at once, so a
study that is stopped anywhere goes on where it was.
"""

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO

from study.cell import Cell, Finding
from study.store import Store

_POLL_S = 0.2
_LOG = "log.txt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Running:
    """A cell that is being computed."""

    cell: Cell
    process: "subprocess.Popen[str]"
    log: IO[str]
    started_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failed:
    """A cell that could not be computed."""

    cell: Cell
    reason: str
    """The last line that its process wrote."""


class Runner:
    """One run over a study's cells."""

    def __init__(self, store: Store, wanted: Sequence[Cell], *, num_jobs: int, keeps_artefacts: bool = False) -> None:
        self._store, self._num_jobs, self._keeps_artefacts = store, num_jobs, keeps_artefacts
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
                for one in [one for one in self._running if one.process.poll() is not None]:
                    self._running.remove(one)
                    self._finish(one, on_finding)
        finally:
            for one in self._running:
                one.process.terminate()
                one.process.wait()
                one.log.close()

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
        log = (folder / _LOG).open("w")
        command = [sys.executable, "-m", "study.work", str(self._store.artefacts)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        assert process.stdin is not None
        process.stdin.write(cell.to_json())
        process.stdin.close()
        return Running(cell=cell, process=process, log=log, started_s=time.monotonic())

    def _finish(self, one: Running, on_finding: Callable[[Cell, Finding, float], None]) -> None:
        one.log.close()
        if one.process.returncode:
            lines = (self._store.artefacts / one.cell.id / _LOG).read_text().strip().splitlines()
            reason = lines[-1] if lines else f"exit code {one.process.returncode}"
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
