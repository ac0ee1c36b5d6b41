"""What a person sees while the demo runs: what is happening, who is how good, what has flowed."""

import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from demo import evidence
from demo.watch import Watch
from policy.schema import SceneSplit, Source

_NUM_EVENTS = 8
_BAR_WIDTH = 24
_REFRESHES_PER_S = 2


class Screen:
    """A live panel on a terminal; plain lines elsewhere. A context manager."""

    def __init__(self, watch: Watch, minutes: float, console: Console | None = None) -> None:
        self._watch = watch
        self._console = console or Console()
        self._events: deque[str] = deque(maxlen=_NUM_EVENTS)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(_BAR_WIDTH),
            TimeElapsedColumn(),
            TextColumn(f"of {minutes:g} min"),
        )
        self._task = self._bar.add_task("starting", total=minutes * 60)
        self._started_s = time.monotonic()
        self._live = Live(
            get_renderable=self._render, console=self._console, refresh_per_second=_REFRESHES_PER_S, transient=False
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def stage(self, text: str) -> None:
        """What is happening now."""
        self._bar.update(self._task, description=text)
        self.event(text)

    def event(self, text: str) -> None:
        """Something happened; the last few stay in sight."""
        line = f"{time.strftime('%H:%M:%S')}  {text}"
        self._events.append(line)
        if not self._console.is_terminal:
            self._console.print(line, highlight=False, soft_wrap=True)

    def stay(self, text: str) -> None:
        """Something to keep in sight: printed above the live panel, in one piece, so that it can be copied."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def status(self) -> None:
        """Print the figures in one line, where there is no live panel."""
        if not self._console.is_terminal:
            self._console.print(f"          {self._figures()}", highlight=False, soft_wrap=True)

    def _figures(self) -> str:
        watch = self._watch
        champion = next((v for v, role in evidence.roles(watch.releases).items() if role == "champion"), "-")
        return (
            f"champion v{champion}, {len(watch.episodes)} episodes, {watch.num_steps(Source.ROLLOUT):,} robot steps, "
            f"{watch.num_correction_steps:,} corrected, {len(watch.interventions)} interventions"
        )

    def _render(self) -> RenderableType:
        self._bar.update(self._task, completed=time.monotonic() - self._started_s)
        return Group(self._bar, self._versions(), Text(self._figures()), Text("\n".join(self._events), style="dim"))

    def _versions(self) -> Table:
        table = Table("version", "role", "success without help [95 %]", "", "episodes", box=None, pad_edge=False)
        for version, role in evidence.roles(self._watch.releases).items():
            interval, number = self._watch.success(version, SceneSplit.REPORT)
            if not number:
                interval, number = self._watch.success(version, SceneSplit.GATE)
            filled = round(_BAR_WIDTH * interval.estimate) if number else 0
            bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
            words = f"{interval.estimate:.0%} [{interval.low:.0%}, {interval.high:.0%}]" if number else "not tried yet"
            table.add_row(f"v{version}", role, words, bar, str(number))
        return table
