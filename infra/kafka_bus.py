"""KafkaBus: the only module that imports the Kafka client.

Delivery: acknowledged by all in-sync replicas, idempotent producer, so a retry neither doubles nor
reorders. Consumers are assigned to every partition of one topic and start where the caller says; an
offset that is no longer kept is an error, never a silent jump.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import kafka
from kafka import TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, OffsetOutOfRangeError, TopicAlreadyExistsError

from infra.bus import (
    KafkaConfig,
    Message,
    Offsets,
    OnDelivery,
    Outgoing,
    Signer,
    dead_letter_headers,
    messages_of,
    topic_layout,
)
from infra.in_flight import InFlight
from infra.topics import DEAD_LETTERS, Topic
from policy.errors import BusError, BusUnavailable, ConfigError

_OVERHEAD_BYTES = 64 << 10
"""What batch framing, key and headers may add to one message."""
_BATCH_BYTES = 256 << 10
"""Small messages share a request up to this size; above it the gain is gone."""
_MAX_FETCH_BYTES = 32 << 20
_RETRY_S = 0.2
_MAX_BLOCK_MS = 50
"""The client may wait for metadata at most this long inside `send`; it has it since connecting."""


class KafkaBus:
    """A Kafka cluster; nothing is contacted until a method needs it."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self._dead_letters: KafkaProducer | None = None

    def ensure_topics(self, timeout_s: float = 30.0) -> None:
        """Create what is missing of the topic table and the dead-letter topic; never alters."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with contextlib.closing(kafka.KafkaAdminClient(**_connection(self._config, "topics"))) as admin:
                    return self._create_missing(admin)
            except TopicAlreadyExistsError:
                continue  # somebody else creates them too: look again
            except KafkaError as error:
                if time.monotonic() > deadline:
                    raise _unavailable(self._config, error) from error
                time.sleep(_RETRY_S)

    def producer(self, client_id: str, *, wait_s: float = 5.0, signer: Signer | None = None) -> "KafkaProducer":
        """A new producer; waits for the broker at most `wait_s`, and goes on trying afterwards."""
        return KafkaProducer(self._config, client_id, wait_s, signer)

    def consumer(self, topic: str, offsets: Offsets) -> "KafkaConsumer":
        """A new consumer of one topic."""
        return KafkaConsumer(self._config, topic, offsets)

    def dead_letter(self, message: Message, reason: str, timeout_s: float = 10.0) -> None:
        """Keep a message that did not validate, byte for byte; returns when it is acknowledged."""
        if self._dead_letters is None:
            self._dead_letters = self.producer("dead-letters", wait_s=timeout_s)
        delivered = threading.Event()
        errors: list[Exception] = []

        def on_delivery(error: Exception | None) -> None:
            errors.extend([error] if error else [])
            delivered.set()

        headers = dead_letter_headers(message, reason)
        self._dead_letters.send_bytes(DEAD_LETTERS, [(message.key, message.value)], headers, on_delivery)
        if not delivered.wait(timeout_s) or errors:
            cause = str(errors[0]) if errors else "no answer in time"
            raise BusUnavailable("a dead letter was not acknowledged", cause=cause)

    def close(self) -> None:
        """Close the dead-letter producer."""
        if self._dead_letters is not None:
            self._dead_letters.close()

    def _create_missing(self, admin: Any) -> None:
        prefix, layout = self._config.topic_prefix, topic_layout()
        existing = set(admin.list_topics())
        for found in admin.describe_topics([prefix + name for name in layout if prefix + name in existing]):
            expected = layout[found["name"].removeprefix(prefix)][0]
            if len(found["partitions"]) != expected:
                raise ConfigError(
                    "the topic has another number of partitions; delete it, or set kafka.topic_prefix",
                    topic=found["name"],
                    found=len(found["partitions"]),
                    expected=expected,
                )
        missing = {
            prefix + name: {
                "num_partitions": num_partitions,
                "replication_factor": self._config.replication_factor,
                "configs": {
                    "retention.ms": str(retention_s * 1000),
                    "message.timestamp.type": "LogAppendTime",  # one clock for all; a robot's may be wrong
                    "max.message.bytes": str(max_message_bytes + _OVERHEAD_BYTES),
                },
            }
            for name, (num_partitions, retention_s, max_message_bytes) in layout.items()
            if prefix + name not in existing
        }
        if missing:
            admin.create_topics(missing, wait_for_metadata=True)


class KafkaProducer:
    """Connects on a thread of its own, so that a robot may start while the broker is away."""

    def __init__(self, config: KafkaConfig, client_id: str, wait_s: float, signer: Signer | None = None) -> None:
        self._config, self._client_id, self._signer = config, client_id, signer
        self._client: Any = None
        self._in_flight = InFlight(config.buffer_bytes)
        self._closing = threading.Event()
        self._connected = threading.Event()
        threading.Thread(target=self._connect, name=f"{client_id}-connect", daemon=True).start()
        self._connected.wait(wait_s)

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        """Hand records of the topic's type over, without waiting for the broker."""
        self._send(topic.name, messages_of(topic, records, self._signer), on_delivery)

    def send_bytes(
        self,
        topic: str,
        messages: Sequence[tuple[bytes | None, bytes]],
        headers: Mapping[str, bytes],
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """As `send`, with (key, value) pairs that are not ours to judge: dead letters, and tests.

        Raises:
            BusUnavailable: the buffer is full, or the broker has never answered.
        """
        self._send(topic, [Outgoing(key=key, value=value, headers=headers) for key, value in messages], on_delivery)

    def _send(self, topic: str, messages: Sequence[Outgoing], on_delivery: OnDelivery | None) -> None:
        if not self._connected.is_set():
            raise BusUnavailable("not connected yet", bootstrap_servers=self._config.bootstrap_servers)
        settles = self._in_flight.admit([len(message.value) for message in messages], on_delivery)
        for message, settle in zip(messages, settles, strict=True):
            try:
                future = self._client.send(
                    self._config.topic_prefix + topic,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers.items()),
                )
            except KafkaError as error:
                settle(error)
            else:
                future.add_callback(lambda _, settle=settle: settle(None))
                future.add_errback(settle)

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is acknowledged; returns the number of messages that are not."""
        return self._in_flight.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Flush, then let go; the client's daemon thread may try on until the process ends."""
        self._closing.set()
        if self._connected.is_set():
            self.flush(timeout_s)
            with contextlib.suppress(KafkaTimeoutError):
                self._client.close(timeout=1.0)

    def _connect(self) -> None:
        config = self._config
        while not self._closing.is_set():
            client: Any = None
            try:
                client = kafka.KafkaProducer(
                    **_connection(config, self._client_id),
                    linger_ms=config.linger_ms,
                    batch_size=_BATCH_BYTES,
                    max_block_ms=config.request_timeout_s * 1e3,
                    max_request_size=_MAX_FETCH_BYTES,
                    delivery_timeout_ms=int(config.delivery_timeout_s * 1e3),
                    allow_auto_create_topics=False,
                    metrics_enabled=False,
                )
                for name in topic_layout():
                    client.partitions_for(config.topic_prefix + name)
            except KafkaError:
                if client is not None:
                    client.close(timeout=0)
                self._closing.wait(_RETRY_S)
                continue
            client.config["max_block_ms"] = _MAX_BLOCK_MS
            self._client = client
            self._connected.set()
            return


class KafkaConsumer:
    """Reads all partitions of one topic from explicit offsets."""

    def __init__(self, config: KafkaConfig, topic: str, offsets: Offsets) -> None:
        self._config = config
        self._topic = topic
        self._name = config.topic_prefix + topic
        with _translated(config, topic):
            self._client: Any = kafka.KafkaConsumer(
                **_connection(config, f"{topic}-consumer"),
                auto_offset_reset="none",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                fetch_max_bytes=_MAX_FETCH_BYTES,
                max_partition_fetch_bytes=_MAX_FETCH_BYTES // 4,
                fetch_max_wait_ms=100,
                metrics_enabled=False,
            )
            self._start(offsets)

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time."""
        with _translated(self._config, self._topic):
            found = self._client.poll(timeout_ms=int(timeout_s * 1e3), max_records=max_messages)
        return [
            Message(
                topic=self._topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
                value=record.value or b"",
                headers=dict(record.headers),
                time_ms=record.timestamp,
            )
            for batch in found.values()
            for record in batch
        ]

    def seek(self, partition: int, offset: int) -> None:
        """Read the partition from this offset next."""
        self._client.seek(TopicPartition(self._name, partition), offset)

    def end_offsets(self) -> dict[int, int]:
        """The offset that the next message of each partition will get."""
        with _translated(self._config, self._topic):
            ends = self._client.end_offsets(list(self._client.assignment()))
        return {partition.partition: offset for partition, offset in ends.items()}

    def close(self) -> None:
        """Let go of the broker."""
        self._client.close(autocommit=False, timeout_ms=1000)

    def _start(self, offsets: Offsets) -> None:
        numbers = self._client.partitions_for_topic(self._name)
        if not numbers:
            self.close()
            raise BusUnavailable("the topic does not exist", topic=self._name)
        partitions = [TopicPartition(self._name, number) for number in sorted(numbers)]
        self._client.assign(partitions)
        if offsets == "latest":
            start = self.end_offsets()
        else:
            start = {found.partition: offset for found, offset in self._client.beginning_offsets(partitions).items()}
            start |= {} if offsets == "earliest" else offsets
        for number in numbers:
            self.seek(number, start[number])


def _connection(config: KafkaConfig, client_id: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": config.bootstrap_servers.split(","),
        "client_id": f"touchline-{client_id}",
        "request_timeout_ms": int(config.request_timeout_s * 1e3),
        "bootstrap_timeout_ms": int(config.request_timeout_s * 1e3),
        "reconnect_backoff_max_ms": 1000,
    }


@contextlib.contextmanager
def _translated(config: KafkaConfig, topic: str) -> Iterator[None]:
    try:
        yield
    except OffsetOutOfRangeError as error:
        raise BusError("an offset is not kept", topic=topic, cause=str(error)) from error
    except KafkaError as error:
        raise _unavailable(config, error) from error


def _unavailable(config: KafkaConfig, error: KafkaError) -> BusUnavailable:
    return BusUnavailable("Kafka does not answer", bootstrap_servers=config.bootstrap_servers, cause=str(error))
