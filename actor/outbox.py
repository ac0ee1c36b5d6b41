"""From the spool to the broker: what is sent, what waits, what is settled.

Used by the recorder thread only; the producer's acknowledgements come in on its own thread and are
taken up at the next `settle`. A broker that refuses is asked again after a growing pause, and until
then everything stays on disk.
"""

import contextlib
import logging
import queue
import time
from typing import Any

from actor.journal import EntryInfo
from actor.spool import Spool, topic_of
from infra.backoff import Backoff
from infra.bus import Producer
from infra.metrics import Metrics
from infra.topics import STEPS
from policy.errors import BusUnavailable, RecordTooLarge, SchemaError

_LOG = logging.getLogger(__name__)


class Outbox:
    """Sends the entries of a spool, oldest first."""

    def __init__(self, spool: Spool, producer: Producer, in_flight_bytes: int, metrics: Metrics) -> None:
        self._spool, self._producer, self._metrics = spool, producer, metrics
        self._in_flight_bytes = in_flight_bytes
        self._results: queue.SimpleQueue[tuple[EntryInfo, Exception | None]] = queue.SimpleQueue()
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
            except (RecordTooLarge, SchemaError, OSError) as error:
                _LOG.error("records cannot be sent", extra={"topic": entry.topic, "cause": str(error)})
                self._spool.drop(entry)

    def settle(self) -> None:
        """Take up what became of entries since the last call."""
        with contextlib.suppress(queue.Empty):
            while True:
                entry, error = self._results.get_nowait()
                if error is not None:
                    _LOG.warning("records not delivered; trying again", extra={"cause": str(error)})
                    self._wait(entry)
                    continue
                self._backoff.reset()
                self._spool.deliver(entry)
                for (topic, robot_id, _), num in entry.counts.items():
                    if topic == STEPS.name:
                        self._metrics.count("touchline_steps_delivered_total", num, robot=robot_id)

    def _send(self, entry: EntryInfo, records: list[Any] | None) -> None:
        records = self._spool.records(entry) if records is None else records
        self._spool.hold(entry)
        self._producer.send(topic_of(entry), records, on_delivery=lambda error: self._results.put((entry, error)))

    def _wait(self, entry: EntryInfo) -> None:
        self._spool.fail(entry)
        self._retry_at = time.monotonic() + self._backoff.next_s()
