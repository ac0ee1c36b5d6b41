"""What a producer was given and has not answered for, and since when.

A producer that neither delivers nor gives up (seen with kafka-python 3.0.12 after an outage on a busy
host) must be replaced, and what it had be sent again: who sends keeps one of these to notice. Not
safe for several threads: its owner locks, or has one thread.
"""

import math
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Unacknowledged(Generic[Key]):
    """Keys of what is on its way."""

    def __init__(self, stuck_after_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`stuck_after_s` without an answer for the oldest is too long."""
        self._stuck_after_s, self._clock_s = stuck_after_s, clock_s
        self._sent_s: dict[Key, float] = {}

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._sent_s)

    def sent(self, key: Key) -> None:
        """It was handed to the producer now."""
        self._sent_s[key] = self._clock_s()

    def answered(self, key: Key) -> bool:
        """It was delivered or failed; False for one that is not on its way."""
        return self._sent_s.pop(key, None) is not None

    @property
    def is_stuck(self) -> bool:
        """Whether the oldest waits too long."""
        return self._clock_s() - min(self._sent_s.values(), default=math.inf) > self._stuck_after_s

    def give_up(self) -> list[Key]:
        """Forget all of them, oldest first: they are to be sent again."""
        keys = list(self._sent_s)
        self._sent_s.clear()
        return keys
