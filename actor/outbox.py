"""From the spool to the broker: what is sent, what waits, what is settled.

Used by the recorder thread only; the producer's acknowledgements come in on its own thread and are
taken up at the next `settle`. A broker that refuses is asked again after a growing pause, and until
then everything stays on disk. A producer that neither delivers nor gives up is replaced, and what it had is
sent again: ingest keeps one.
"""

import contextlib
import logging
import queue
import time
from collections.abc import Callable
from typing import Any

from actor.journal import EntryInfo
from actor.spool import Spool, topic_of
from infra.backoff import Backoff
from infra.bus import Producer
from infra.metrics import Metrics
from infra.topics import STEPS
from infra.unacknowledged import Unacknowledged
from policy.errors import BusUnavailable, RecordTooLarge, SchemaError, WireError

_LOG = logging.getLogger(__name__)

_Result = tuple[Producer, EntryInfo, Exception | None]


class Outbox:
    """Sends the entries of a spool, oldest first."""

    def __init__(
        self,
        spool: Spool,
        connect: Callable[[], Producer],
        *,
        in_flight_bytes: int,
        stuck_after_s: float,
        metrics: Metrics,
    ) -> None:
        self._spool, self._connect, self._metrics = spool, connect, metrics
        self._in_flight_bytes = in_flight_bytes
        self.producer = connect()
        """The present one; it may be another after the next `settle`."""
        self._unacknowledged: Unacknowledged[int] = Unacknowledged(stuck_after_s)
        self._results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        self._backoff = Backoff(initial_s=0.1, max_s=5.0)
        self._retry_at = 0.0

    def send(self, fresh: dict[int, list[Any]]) -> None:
        """Hand over what the producer can take now.

        Args:
            fresh: records of entries that were written a moment ago, so that they are not read back.
        """
        if time.monotonic() < self._retry_at:
            return
        for entry in self._spool.unsent():
            room = self._in_flight_bytes - self._spool.in_flight_bytes
            if room < entry.num_bytes and room < self._in_flight_bytes:
                return
            try:
                self._send(entry, fresh.get(entry.index))
            except BusUnavailable:
                self._wait(entry)
                return
            except WireError as error:
                _LOG.error("records cannot be read back", extra={"topic": entry.topic, "cause": str(error)})
                self._spool.set_aside(entry)
            except (RecordTooLarge, SchemaError, OSError) as error:
                _LOG.error("records cannot be sent", extra={"topic": entry.topic, "cause": str(error)})
                self._spool.drop(entry)

    def settle(self) -> None:
        """Take up what became of entries since the last call."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._take(self._results.get_nowait())
        if self._unacknowledged.is_stuck:
            self._replace_producer()

    def close(self) -> None:
        """Let go of the producer; what it did not deliver is on disk."""
        self.producer.close(timeout_s=0.0)

    def _take(self, result: _Result) -> None:
        producer, entry, error = result
        if producer is not self.producer or not self._unacknowledged.answered(entry.index):
            return  # of a producer that was replaced: its entries were sent again
        if error is not None:
            _LOG.warning("records not delivered; trying again", extra={"cause": str(error)})
            self._wait(entry)
            return
        self._backoff.reset()
        self._spool.deliver(entry)
        for (topic, robot_id, _), num in entry.counts.items():
            if topic == STEPS.name:
                self._metrics.count("touchline_steps_delivered_total", num, robot=robot_id)

    def _send(self, entry: EntryInfo, records: list[Any] | None) -> None:
        records = self._spool.records(entry) if records is None else records
        producer = self.producer
        self._spool.hold(entry)
        self._unacknowledged.sent(entry.index)
        try:
            producer.send(
                topic_of(entry), records, on_delivery=lambda error: self._results.put((producer, entry, error))
            )
        except Exception:
            self._unacknowledged.answered(entry.index)
            raise

    def _replace_producer(self) -> None:
        _LOG.error("the producer is stuck; making a new one", extra={"num_entries": len(self._unacknowledged)})
        self.producer.close(timeout_s=0.0)
        self.producer = self._connect()
        for index in self._unacknowledged.give_up():
            self._spool.fail(index)

    def _wait(self, entry: EntryInfo) -> None:
        self._spool.fail(entry.index)
        self._retry_at = time.monotonic() + self._backoff.next_s()
