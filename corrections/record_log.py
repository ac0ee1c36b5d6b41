"""What people said and did on its way to the log, without anybody waiting for the broker.

    gateway --take()--> bounded queue --own thread--> bus, acknowledged --> forgotten

Labels, marks, requests for help and their answers, audit entries: each topic counts its own `seq`.
A record that is not acknowledged is sent again under the same (boot_id, seq), and ingest keeps one of
it. While the broker is away records wait here; when the queue is full new ones are refused, in words,
rather than old ones dropped. They do not survive the process: a receipt says "taken", not "stored".
"""

import collections
import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from infra.bus import Bus, Producer, Signer
from infra.topics import Topic
from infra.unacknowledged import Unacknowledged
from policy.errors import BusError, RecordTooLarge, SchemaError

_LOG = logging.getLogger(__name__)
_RETRY_S = 1.0
_JOIN_S = 1.0
"""The thread may be inside a request to a broker that does not answer; it is a daemon."""


class RecordLog:
    """Sends records; `take` may be called from any thread and never waits."""

    def __init__(
        self,
        connect: Callable[[], Bus],
        *,
        client_id: str = "gateway",
        signer: Signer | None = None,
        capacity: int = 10_000,
        stuck_after_s: float = 150.0,
    ) -> None:
        """`stuck_after_s` without a single acknowledgement, the producer is replaced."""
        self._connect, self._client_id, self._signer, self._capacity = connect, client_id, signer, capacity
        self._boot_id = uuid.uuid4().hex
        self._seqs: collections.Counter[str] = collections.Counter()
        self._num_taken = 0
        self._records: dict[int, tuple[Topic, Any]] = {}
        """Everything that is not acknowledged, by the order in which it was taken."""
        self._waiting: set[int] = set()
        """Not handed to the producer yet, or refused by it."""
        self._in_flight: Unacknowledged[int] = Unacknowledged(stuck_after_s)
        self._generation = 0
        """Grows with every producer, so that the answers of an old one are known."""
        self._change = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="record-log", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        """Records that the broker has not acknowledged."""
        with self._change:
            return len(self._records)

    def take(self, topic: Topic, **fields: object) -> bool:
        """Queue one record; returns False when the queue is full and it was not taken.

        Args:
            topic: where it goes.
            fields: of the topic's record, but `boot_id` and `seq`.
        """
        with self._change:
            if len(self._records) >= self._capacity:
                return False
            record = topic.record(boot_id=self._boot_id, seq=self._seqs[topic.name], **fields)
            self._seqs[topic.name] += 1
            self._records[self._num_taken] = (topic, record)
            self._waiting.add(self._num_taken)
            self._num_taken += 1
            self._change.notify_all()
        return True

    def close(self, timeout_s: float = 4.0) -> int:
        """Send what can be sent in time; returns the number of records lost."""
        with self._change:
            self._change.wait_for(lambda: not self._records, timeout_s)
            self._is_closing = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        if lost := self.num_waiting:
            _LOG.error("records lost: the broker did not answer in time", extra={"num_records": lost})
        return lost

    def _run(self) -> None:
        producer: Producer | None = None
        bus: Bus | None = None
        while self._wait_for_work():
            if producer is not None and self._is_stuck():
                self._give_up(producer)
                producer = None
            try:
                while self._has_work():
                    bus = bus or self._connect()
                    producer = producer or bus.producer(self._client_id, signer=self._signer)
                    self._send(producer)
            except BusError as error:
                _LOG.warning("records wait for the broker", extra={"cause": str(error)})
                self._pause()
        if producer is not None:
            producer.close(1.0)
        if bus is not None:
            bus.close()

    def _wait_for_work(self) -> bool:
        """Wait for a record to send, or long enough to look at those under way; False at the end."""
        with self._change:
            self._change.wait_for(lambda: bool(self._waiting) or self._is_closing, _RETRY_S)
            return not self._is_closing

    def _has_work(self) -> bool:
        with self._change:
            return bool(self._waiting) and not self._is_closing

    def _pause(self) -> None:
        with self._change:
            self._change.wait_for(lambda: self._is_closing, _RETRY_S)

    def _is_stuck(self) -> bool:
        with self._change:
            return self._in_flight.is_stuck

    def _give_up(self, producer: Producer) -> None:
        """What the producer had is to be sent again; whatever it still says does not count."""
        with self._change:
            again = self._in_flight.give_up()
            self._waiting.update(again)
            self._generation += 1
        _LOG.error("the producer is stuck; making a new one", extra={"num_records": len(again)})
        producer.close(0.0)

    def _send(self, producer: Producer) -> None:
        with self._change:
            number, generation = min(self._waiting), self._generation
            topic, record = self._records[number]
            self._waiting.remove(number)
            self._in_flight.sent(number)
        try:
            producer.send(topic, [record], on_delivery=lambda error: self._answered(number, generation, error))
        except (RecordTooLarge, SchemaError) as error:
            _LOG.error("a record cannot be sent", extra={"topic": topic.name, "cause": str(error)})
            self._answered(number, generation, None)
        except BusError as error:
            self._answered(number, generation, error)
            raise

    def _answered(self, number: int, generation: int, error: Exception | None) -> None:
        with self._change:
            if generation != self._generation or not self._in_flight.answered(number):
                return
            if error is None:
                del self._records[number]
            else:
                self._waiting.add(number)
            self._change.notify_all()
