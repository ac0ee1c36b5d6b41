"""Looking into a robot's process from afar: its settings, and the newest lines of its log.

    console (a service)  --Inspect-->  gateway  --Inspect, with who asked-->  robot process
                         <--Inspected--         <--Inspected--

Asked now and then, answered by the link's thread: no robot waits for it, and nothing is kept on the way.
"""

import dataclasses
from collections.abc import Callable
from typing import ClassVar

MAX_LOG_BYTES = 64 << 10
"""Of log lines in one answer, so that reports wait for milliseconds at most."""
MAX_LINE_CHARS = 4_000
"""Of a log line; the rest of a longer one is cut."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inspect:
    """Show me this robot's process."""

    TYPE: ClassVar[str] = "inspect"
    robot_id: str
    ticket: int
    """Comes back in the answer."""
    after_line: int = -1
    """Only log lines of higher numbers; -1 for all that are kept, and for a process that has fewer."""
    wants_lines: bool = True
    """False for its settings alone."""
    asked_by: int = 0
    """Filled in by the gateway."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inspected:
    """The answer."""

    TYPE: ClassVar[str] = "inspected"
    robot_id: str
    ticket: int
    asked_by: int
    settings: str
    """JSON: section to field to value, as resolved at the start of the process."""
    settings_before: str
    """The same of the start before; empty where there was none."""
    first_line: int
    """Number of the first line since the start of the process; where lines are missing it is above what was asked."""
    lines: tuple[str, ...]
    """Of its log, oldest first, each a JSON object."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class About:
    """What a process says of itself when it is asked."""

    settings: str = ""
    settings_before: str = ""
    lines: Callable[[int], tuple[int, tuple[str, ...]]] = lambda after_line: (0, ())
    """Log lines after a number, and the number of the first; any thread may ask."""

    def answer(self, asked: Inspect) -> Inspected:
        """The newest that fits into one message."""
        first, lines = self.lines(asked.after_line) if asked.wants_lines else (0, ())
        kept: list[str] = []
        room_bytes = MAX_LOG_BYTES
        for line in reversed(lines):
            cut = line[:MAX_LINE_CHARS]
            room_bytes -= len(cut.encode())
            if room_bytes < 0:
                break
            kept.append(cut)
        return Inspected(
            robot_id=asked.robot_id,
            ticket=asked.ticket,
            asked_by=asked.asked_by,
            settings=self.settings,
            settings_before=self.settings_before,
            first_line=first + len(lines) - len(kept),
            lines=tuple(reversed(kept)),
        )
