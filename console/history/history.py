"""Follows the lake on one thread and publishes a `Snapshot` whenever something came."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable

from console.history.snapshot import Snapshot
from console.history.tables import Tables
from policy.errors import ConfigError, LakeError
from storage.removals import Removals
from storage.tables import Lake

_LOG = logging.getLogger(__name__)
_JOIN_S = 5.0
_REST = 4.0
"""Times its own processor time that a look is followed by rest: what came is brought to all that was there, so looks
take longer as the lake grows, but never more than a fifth of a core."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HistoryConfig:
    """How the console follows the lake."""

    poll_s: float = 1.0
    """Least pause between looks at the tables."""
    cache_bytes: int = 128 << 20
    """Steps and pictures of episodes that were opened last."""

    def __post_init__(self) -> None:
        if not self.poll_s > 0 or not self.cache_bytes > 0:
            raise ConfigError("poll_s and cache_bytes must be above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Freshness:
    """How far what is shown can be trusted to be current."""

    as_of_ns: int
    """When every table was last read; 0 before the first time."""
    away: str
    """Why the lake cannot be read now; empty where it can."""


class History:
    """The lake as requests see it; `start` follows it, `refresh` looks once."""

    def __init__(
        self, lake: Lake, *, config: HistoryConfig | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._config, self._now_ns = config or HistoryConfig(), now_ns
        self._lake, self._removals = lake, Removals(lake)
        self._tables = Tables(lake, self._removals)
        self._snapshot: Snapshot | None = None
        self.freshness = Freshness(as_of_ns=0, away="")
        """How old the snapshot is, and why."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following; what was read can still be asked for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def snapshot(self) -> Snapshot:
        """What is known now.

        Raises:
            LakeError: nothing was read yet.
        """
        found = self._snapshot
        if found is None:
            raise LakeError(self.freshness.away or "the lake is being read for the first time; try again in a moment")
        return found

    def refresh(self) -> None:
        """Look once at every table; an unreadable lake shows in `freshness`."""
        problem = self._look()
        if problem and problem != self.freshness.away:
            _LOG.warning("the lake cannot be read: %s", problem)
        self._snapshot = self._tables.snapshot() or self._snapshot
        as_of_ns = self.freshness.as_of_ns if problem else self._now_ns()
        self.freshness = Freshness(as_of_ns=as_of_ns, away=problem)

    def _run(self) -> None:
        while not self._stopping.is_set():
            started_s = time.thread_time()
            try:
                self.refresh()
            except Exception as error:  # data that nobody foresaw must show on the pages, not end the thread
                _LOG.exception("the lake's data cannot be shown")
                self.freshness = dataclasses.replace(self.freshness, away=f"the console failed on the data: {error}")
            self._stopping.wait(max(self._config.poll_s, _REST * (time.thread_time() - started_s)))

    def _look(self) -> str:
        """Read what came; returns why that was not possible, in words, or nothing."""
        try:
            self._removals.refresh()
        except LakeError as error:
            return str(error)
        if self._tables.num_removals != len(self._removals.lines):
            # All over again, as at a start: rows are never taken out of a snapshot, and the last one stands meanwhile.
            self._tables = Tables(self._lake, self._removals)
        return self._tables.read()
