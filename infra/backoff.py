"""Waiting longer after each failure, so that a dead neighbour is not hammered when it comes back."""

import random
import threading


class Backoff:
    """Exponential, with jitter, so that a fleet does not knock in step."""

    def __init__(self, *, initial_s: float = 0.2, max_s: float = 10.0, factor: float = 2.0) -> None:
        self._initial_s = initial_s
        self._max_s = max_s
        self._factor = factor
        self._next_s = initial_s

    def next_s(self) -> float:
        """How long to wait now; the next answer is longer, up to the maximum."""
        wait_s = self._next_s
        self._next_s = min(self._next_s * self._factor, self._max_s)
        return wait_s * random.uniform(0.75, 1.0)

    def wait(self, stopping: threading.Event) -> bool:
        """Wait that long; returns at once, and True, when the process is to stop."""
        return stopping.wait(self.next_s())

    def reset(self) -> None:
        """It worked: start again from the shortest wait."""
        self._next_s = self._initial_s
