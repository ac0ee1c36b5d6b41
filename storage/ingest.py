"""Ingest: one topic into one table, each record exactly once.

    consume (from the table's offsets) -> decode + validate -> drop what was delivered -> buffer
                |                                |
                |                                `-> dead-letter topic, acknowledged before we go on
                `-- every flush_s or flush_bytes: one Delta commit = rows + offsets + delivered ranges

Whatever fails - broker away, store away, another writer, an unknown commit - is met in one way: drop
the buffer, recover from the table, read again from its offsets. Nothing is acknowledged anywhere else, so
that is always exact.
"""

import contextlib
import dataclasses
import logging
import threading
import time

import pyarrow as pa

from infra import wire
from infra.backoff import Backoff
from infra.bus import Bus, Consumer, Message
from infra.metrics import Metrics
from infra.topics import STEPS, Topic
from policy.errors import BusError, BusUnavailable, ConfigError, LakeError, SchemaError
from storage.disk import LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.provenance import Provenance
from storage.removals import Removals
from storage.tables import Lake
from storage.writer import TableWriter

_LOG = logging.getLogger(__name__)
_LAG_S = 5.0
"""How often the broker is asked how far behind we are."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """How often rows are committed."""

    accept_unsigned: bool = False
    """Store messages without a signature too, while robots of an older version are being replaced."""
    flush_s: float = 0.5
    """Longest wait of a row in the buffer: fresher data against smaller files."""
    flush_bytes: int = 32 << 20
    """A fuller buffer is committed at once; bounds the memory per topic."""
    max_poll_messages: int = 500
    """Messages taken between two looks at the clock."""
    dead_letter_timeout_s: float = 10.0
    """How long the dead-letter topic may take to acknowledge."""
    specs_dir: str = ""
    """Folder of embodiment specs (JSON) that steps are checked against; empty for <home>/specs."""

    def __post_init__(self) -> None:
        for name in ("flush_s", "flush_bytes", "max_poll_messages", "dead_letter_timeout_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"ingest.{name} must be above 0", value=getattr(self, name))


class TopicIngest:
    """One topic's stream; `run` it on a thread of its own."""

    def __init__(
        self,
        topic: Topic,
        lake: Lake,
        bus: Bus,
        *,
        config: IngestConfig,
        metrics: Metrics,
        stopping: threading.Event,
        guard: EmbodimentGuard,
        removals: Removals,
        disk: LakeDisk,
        provenance: Provenance | None = None,
    ) -> None:
        """Nothing is read before `run`; without a `provenance` nobody asks who sent a message (tests)."""
        self.topic = topic
        self.problem: str | None = "not started"
        """Why the stream waits, in words; None while it flows."""
        self.lock = threading.Lock()
        """Held during a commit; a sweep of the same table takes it (`storage/sweep.py`)."""
        self._lake = lake
        self._bus = bus
        self._config = config
        self._metrics = metrics
        self._stopping = stopping
        self._guard = guard
        self._removals = removals
        self._disk = disk
        self._provenance = provenance
        self._has_gap = False
        self._buffered_since_s: float | None = None
        self._committed_s = time.monotonic()
        self._lag_asked_s = 0.0

    def run(self) -> None:
        """Stream until `stopping` is set; then commit what was read."""
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._stream(backoff)
            except (BusError, LakeError) as error:
                self.problem = str(error)
                _LOG.warning("stream restarts", extra={"topic": self.topic.name, "reason": str(error)})
                # Retention was faster than we: what is gone is gone, the rest must not wait for it.
                self._has_gap = isinstance(error, BusError) and not isinstance(error, BusUnavailable)
                backoff.wait(self._stopping)

    def _stream(self, backoff: Backoff) -> None:
        self._disk.refuse_when_full()
        self._removals.refresh()
        writer = TableWriter(self._lake, self.topic)
        self._buffered_since_s = None
        with contextlib.closing(self._consumer_at(writer.next_offsets)) as consumer:
            while not self._stopping.is_set():
                for message in consumer.poll(self._wait_s(), self._config.max_poll_messages):
                    self._take(writer, message)
                if self._is_due(writer):
                    self._commit(writer)
                self._measure(writer, consumer)
                self.problem = None
                backoff.reset()
            self._commit(writer)

    def _consumer_at(self, offsets: dict[int, int]) -> Consumer:
        """A consumer that reads on where the table stands.

        Raises:
            LakeError: the topic is shorter than the table remembers.
            BusUnavailable: the broker does not answer.
        """
        # After a gap everything that is kept is read, and the ledger drops what it has.
        consumer = self._bus.consumer(self.topic.name, "earliest" if self._has_gap else offsets)
        ends = consumer.end_offsets()
        ahead = {p: offset for p, offset in offsets.items() if offset > ends.get(p, 0)}
        if ahead:
            consumer.close()
            # A broker that has just restarted may need a moment; a topic that was deleted never comes back.
            raise LakeError(
                "the topic ends before the table's offsets: is this another broker's lake? "
                "Use that broker, or an empty lake.url",
                topic=self.topic.name,
                table_offsets=ahead,
                topic_ends={partition: ends.get(partition, 0) for partition in ahead},
            )
        return consumer

    def _take(self, writer: TableWriter, message: Message) -> None:
        try:
            batch = self._opened(message)
            if self.topic is STEPS:
                self._guard.check(batch)
        except SchemaError as error:
            self._bury(message, str(error))
            writer.skip(message.partition, message.offset)
        else:
            batch = self._removals.cleaned(self.topic, batch)
            num_new = writer.take(message.partition, message.offset, batch, max(0, message.time_ms) * 1_000_000)
            if num_new < batch.num_rows:
                self._metrics.count("touchline_duplicates_total", batch.num_rows - num_new, topic=self.topic.name)
        if self._buffered_since_s is None:
            self._buffered_since_s = time.monotonic()

    def _opened(self, message: Message) -> pa.RecordBatch:
        """The records of a message of a known sender; the sender is asked before the bytes are decoded.

        Raises:
            SchemaError: it is not signed by whom it must be, or is no message of this topic.
        """
        if self._provenance is None:
            return wire.decode(self.topic, message.value)
        signer = self._provenance.signer_of(self.topic, message.headers, message.value)
        batch = wire.decode(self.topic, message.value)
        self._provenance.check(signer, batch)
        return batch

    def _bury(self, message: Message, reason: str) -> None:
        """Keep a bad message; the offset moves past it only when that is acknowledged.

        Raises:
            BusUnavailable: it was not; the message comes again.
        """
        self._bus.dead_letter(message, reason, self._config.dead_letter_timeout_s)
        self._metrics.count("touchline_dead_letters_total", topic=self.topic.name)
        _LOG.warning(
            "dead letter",
            extra={
                "topic": message.topic,
                "partition": message.partition,
                "offset": message.offset,
                "reason": reason,
            },
        )

    def _wait_s(self) -> float:
        if self._buffered_since_s is None:
            return self._config.flush_s
        return max(0.0, self._buffered_since_s + self._config.flush_s - time.monotonic())

    def _is_due(self, writer: TableWriter) -> bool:
        return self._buffered_since_s is not None and (
            self._wait_s() == 0.0 or writer.num_bytes >= self._config.flush_bytes
        )

    def _commit(self, writer: TableWriter) -> None:
        self._disk.refuse_when_full()
        started_s = time.monotonic()
        with self.lock:
            num_rows = writer.commit()
        self._removals.refresh()
        self._buffered_since_s = None
        self._committed_s = time.monotonic()
        self._metrics.count("touchline_ingested_records_total", num_rows, topic=self.topic.name)
        self._metrics.observe("touchline_delta_commit_seconds", self._committed_s - started_s, topic=self.topic.name)

    def _measure(self, writer: TableWriter, consumer: Consumer) -> None:
        now_s = time.monotonic()
        self._metrics.set("touchline_delta_commit_age_seconds", now_s - self._committed_s, topic=self.topic.name)
        if now_s - self._lag_asked_s < _LAG_S:
            return
        self._lag_asked_s = now_s
        read = writer.next_offsets
        lag = sum(max(0, end - read.get(partition, 0)) for partition, end in consumer.end_offsets().items())
        self._metrics.set("touchline_kafka_lag_records", lag, topic=self.topic.name)
