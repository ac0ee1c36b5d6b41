"""Ingest: one topic, or the partitions of it that a group deals to us, into one table, each record exactly once.

    consume (from the table's offsets) -> decode + validate -> drop what was delivered -> buffer
                |                                |
                |                                `-> dead-letter topic, acknowledged before we go on
                `-- every flush_s or flush_bytes: one Delta commit = rows + offsets + delivered ranges

Whatever fails - broker away, store away, another writer, an unknown commit - is met in one way: drop
the buffer, recover from the table, read again from its offsets. Nothing is acknowledged anywhere else, so
that is always exact. The same happens when the group deals anew, so it need not be believed either: whoever
still holds rows of a partition that another has gone on with is refused by the table (`storage/writer.py`).
"""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Collection, Mapping

import pyarrow as pa

from infra import wire
from infra.backoff import Backoff
from infra.bus import Bus, Consumer, Message, Offsets
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

    group: str = ""
    """Name of the ingests that share the topics' partitions; empty for one that reads them all."""
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
        self.keeps_table = not config.group
        """Whether the table's upkeep is ours: of a group, whoever has the first partition looks after it."""
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
        with contextlib.closing(self._consumer()) as consumer:
            while not self._stopping.is_set():
                for message in consumer.poll(self._wait_s(), self._config.max_poll_messages):
                    self._take(message)
                if self._is_due():
                    self._commit()
                self._measure(consumer)
                self.problem = None
                backoff.reset()
            self._commit()

    def _consumer(self) -> Consumer:
        """A consumer that reads on where the table stands, now or when the group has dealt.

        Raises:
            LakeError: the topic is shorter than the table remembers.
            BusUnavailable: the broker does not answer.
        """
        if self._config.group:
            self._open_writer(())
            return self._bus.member(self.topic.name, self._config.group, self._begin)
        self._open_writer(None)
        consumer = self._bus.consumer(self.topic.name, self._next_offsets())
        try:
            self._refuse_another_broker(consumer.end_offsets())
        except BaseException:
            consumer.close()
            raise
        return consumer

    def _begin(self, ends: Mapping[int, int]) -> Offsets:
        """Go on with the partitions that are ours now; what is buffered is dropped, and read again by its reader."""
        self._open_writer(ends)
        self._refuse_another_broker(ends)
        return self._next_offsets()

    def _open_writer(self, partitions: Collection[int] | None) -> None:
        self._writer = TableWriter(self._lake, self.topic, partitions)
        self._buffered_since_s = None
        self.keeps_table = partitions is None or 0 in partitions
        num_partitions = self.topic.num_partitions if partitions is None else len(partitions)
        self._metrics.set("touchline_ingest_partitions", num_partitions, topic=self.topic.name)

    def _next_offsets(self) -> Offsets:
        # After a gap everything that is kept is read, and the ledger drops what it has.
        return "earliest" if self._has_gap else self._writer.next_offsets

    def _refuse_another_broker(self, ends: Mapping[int, int]) -> None:
        ahead = {p: offset for p, offset in self._writer.next_offsets.items() if offset > ends.get(p, 0)}
        if ahead:
            # A broker that has just restarted may need a moment; a topic that was deleted never comes back.
            raise LakeError(
                "the topic ends before the table's offsets: is this another broker's lake? "
                "Use that broker, or an empty lake.url",
                topic=self.topic.name,
                table_offsets=ahead,
                topic_ends={partition: ends.get(partition, 0) for partition in ahead},
            )

    def _take(self, message: Message) -> None:
        try:
            batch = self._opened(message)
            if self.topic is STEPS:
                self._guard.check(batch)
        except SchemaError as error:
            self._bury(message, str(error))
            self._writer.skip(message.partition, message.offset)
        else:
            batch = self._removals.cleaned(self.topic, batch)
            time_ns = max(0, message.time_ms) * 1_000_000
            num_new = self._writer.take(message.partition, message.offset, batch, time_ns)
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

    def _is_due(self) -> bool:
        return self._buffered_since_s is not None and (
            self._wait_s() == 0.0 or self._writer.num_bytes >= self._config.flush_bytes
        )

    def _commit(self) -> None:
        self._disk.refuse_when_full()
        started_s = time.monotonic()
        with self.lock:
            num_rows = self._writer.commit()
        self._removals.refresh()
        self._buffered_since_s = None
        self._committed_s = time.monotonic()
        self._metrics.count("touchline_ingested_records_total", num_rows, topic=self.topic.name)
        self._metrics.observe("touchline_delta_commit_seconds", self._committed_s - started_s, topic=self.topic.name)

    def _measure(self, consumer: Consumer) -> None:
        now_s = time.monotonic()
        self._metrics.set("touchline_delta_commit_age_seconds", now_s - self._committed_s, topic=self.topic.name)
        if now_s - self._lag_asked_s < _LAG_S:
            return
        self._lag_asked_s = now_s
        read = self._writer.next_offsets
        lag = sum(max(0, end - read.get(partition, 0)) for partition, end in consumer.end_offsets().items())
        self._metrics.set("touchline_kafka_lag_records", lag, topic=self.topic.name)
