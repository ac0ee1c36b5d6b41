"""Operators' labels on their way to the log, without anybody waiting for the broker.

    gateway --take()--> bounded queue --own thread--> bus, acknowledged --> forgotten

A label that is not acknowledged is sent again under the same (boot_id, seq), and ingest keeps one of
it. While the broker is away labels wait here; when the queue is full new ones are refused, in words,
rather than old ones dropped. They do not survive the gateway: the receipt says "taken", not "stored".
"""

import logging
import threading
import uuid
from collections.abc import Callable

from infra.bus import Bus, Producer
from infra.topics import LABELS
from policy.errors import BusError
from policy.schema import Label, Outcome

_LOG = logging.getLogger(__name__)
_RETRY_S = 1.0
_JOIN_S = 1.0
"""The thread may be inside a request to a broker that does not answer; it is a daemon."""


class LabelLog:
    """Sends labels; `take` may be called from any thread and never waits."""

    def __init__(self, connect: Callable[[], Bus], *, capacity: int = 10_000) -> None:
        self._connect = connect
        self._capacity = capacity
        self._boot_id = uuid.uuid4().hex
        self._seq = 0
        self._waiting: dict[int, Label] = {}
        """Not handed to the producer yet, or refused by it."""
        self._in_flight: dict[int, Label] = {}
        self._change = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="label-log", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        """Labels that the broker has not acknowledged."""
        with self._change:
            return len(self._waiting) + len(self._in_flight)

    def take(self, *, episode_id: str, outcome: Outcome, reason: str, author: str, time_ns: int) -> bool:
        """Queue one label; returns False when the queue is full and it was not taken."""
        with self._change:
            if len(self._waiting) + len(self._in_flight) >= self._capacity:
                return False
            self._waiting[self._seq] = Label(
                boot_id=self._boot_id,
                seq=self._seq,
                episode_id=episode_id,
                outcome=outcome,
                reason=reason,
                author=author,
                time_ns=time_ns,
            )
            self._seq += 1
            self._change.notify_all()
        return True

    def close(self, timeout_s: float = 4.0) -> int:
        """Send what can be sent in time; returns the number of labels lost."""
        with self._change:
            self._change.wait_for(lambda: not (self._waiting or self._in_flight), timeout_s)
            self._is_closing = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        if lost := self.num_waiting:
            _LOG.error("labels lost: the broker did not answer in time", extra={"num_labels": lost})
        return lost

    def _run(self) -> None:
        producer: Producer | None = None
        bus: Bus | None = None
        while self._wait_for_work():
            try:
                bus = bus or self._connect()
                producer = producer or bus.producer("gateway")
                self._send(producer)
            except BusError as error:
                _LOG.warning("labels wait for the broker", extra={"cause": str(error)})
                self._pause()
        if producer is not None:
            producer.close(1.0)
        if bus is not None:
            bus.close()

    def _wait_for_work(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: bool(self._waiting) or self._is_closing)
            return not self._is_closing

    def _pause(self) -> None:
        with self._change:
            self._change.wait_for(lambda: self._is_closing, _RETRY_S)

    def _send(self, producer: Producer) -> None:
        with self._change:
            seq = min(self._waiting)
            label = self._in_flight[seq] = self._waiting.pop(seq)
        try:
            producer.send(LABELS, [label], on_delivery=lambda error: self._delivered(seq, error))
        except BusError as error:
            self._delivered(seq, error)
            raise

    def _delivered(self, seq: int, error: Exception | None) -> None:
        with self._change:
            label = self._in_flight.pop(seq, None)
            if error is not None and label is not None:
                self._waiting[seq] = label
            self._change.notify_all()
