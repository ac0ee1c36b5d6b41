"""Wall time for records whose order counts: it follows the machine's clock, but never runs backwards.

The latest label wins by its time. A clock that is set back while a person judges must not make their
second word older than their first; so a process that stamps such records asks here.
"""

import threading
import time


class WallClock:
    """Nanoseconds since the epoch, each greater than the last one given."""

    def __init__(self) -> None:
        self._last_ns = 0
        self._change = threading.Lock()

    def __call__(self) -> int:
        """Now, or the next moment after what was said before."""
        with self._change:
            self._last_ns = max(self._last_ns + 1, time.time_ns())
            return self._last_ns
