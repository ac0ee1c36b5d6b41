"""What a producer has handed to the broker and not yet seen acknowledged: bounded, and answered once."""

import threading
from collections.abc import Callable

from infra.bus import OnDelivery
from policy.errors import BusRefused, BusUnavailable

Settle = Callable[[Exception | None], None]
"""One message is acknowledged (None) or has failed."""


class InFlight:
    """Counts messages and bytes between `send` and acknowledgement."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._num_messages = 0
        self._num_bytes = 0
        self._changed = threading.Condition()

    def admit(self, sizes: list[int], on_delivery: OnDelivery | None) -> list[Settle]:
        """Take the messages of one `send`, given their sizes in bytes; one callback each to settle them.

        Raises:
            BusUnavailable: they do not fit beside what is unacknowledged.
        """
        with self._changed:
            if self._num_bytes and self._num_bytes + sum(sizes) > self._limit_bytes:
                raise BusUnavailable("too much is unacknowledged", num_bytes=self._num_bytes)
            self._num_messages += len(sizes)
            self._num_bytes += sum(sizes)
        if not sizes and on_delivery is not None:
            on_delivery(None)
        answer = _Answer(len(sizes), on_delivery)
        return [self._settle(size, answer) for size in sizes]

    def wait(self, timeout_s: float) -> int:
        """Wait until all are settled; returns how many are not."""
        with self._changed:
            self._changed.wait_for(lambda: self._num_messages == 0, timeout_s)
            return self._num_messages

    def _settle(self, size: int, answer: "_Answer") -> Settle:
        def settle(error: Exception | None) -> None:
            with self._changed:
                self._num_messages -= 1
                self._num_bytes -= size
                self._changed.notify_all()
            answer.settle(error)

        return settle


class _Answer:
    """Calls back once for the several messages of one `send`, with the first error."""

    def __init__(self, num_messages: int, on_delivery: OnDelivery | None) -> None:
        self._num_open = num_messages
        self._on_delivery = on_delivery
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def settle(self, error: Exception | None) -> None:
        with self._lock:
            self._num_open -= 1
            self._error = self._error or error
            is_last, cause = self._num_open == 0, self._error
        if is_last and self._on_delivery is not None:
            named = cause if isinstance(cause, BusRefused) else BusUnavailable("not delivered", cause=str(cause))
            self._on_delivery(named if cause else None)
