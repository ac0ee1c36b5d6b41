"""What a person sees of a running study: how far it is, what is computed, what was found last."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Screen:
    """A progress bar on a terminal; plain lines elsewhere. A context manager."""

    def __init__(self, title: str, *, num_cells: int, console: Console | None = None) -> None:
        self._console = console or Console()
        self._num_done, self._num_cells = 0, num_cells
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._title = title
        self._task = self._bar.add_task(title, total=num_cells)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, running: Sequence[str]) -> None:
        """What is being computed."""
        self._bar.update(self._task, description=f"{self._title}: {', '.join(running)}")

    def done(self, text: str, took_s: float) -> None:
        """A cell was found."""
        self._num_done += 1
        self._bar.advance(self._task)
        self.event(f"[{self._num_done}/{self._num_cells}] {text} ({took_s:.0f} s)")

    def event(self, text: str) -> None:
        """Something happened."""
        self._console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True, markup=False)
