"""The message bus as everybody sees it; `kafka_bus.py` is the real one, `memory_bus.py` its twin.

    producer.send(topic, records)  one message per key, encoded by `wire`, signed, acknowledged later
    consumer.poll()                messages of one topic, from offsets that the caller chose
    bus.dead_letter(message, why)  what did not validate, safe before the caller goes on

    bus.member(...).poll()         the same, of those partitions that a group deals out to this member

A group says who reads which partition, never from where: whoever consumes knows its offsets (ingest keeps them
in the table) or wants only what comes from now on.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from infra import wire
from infra.topics import DEAD_LETTERS, TOPICS, Topic
from policy.errors import ConfigError, RecordTooLarge, SchemaError
from policy.schema import SCHEMA_VERSION

Offsets: TypeAlias = Mapping[int, int] | Literal["earliest", "latest"]
"""Next offset to read per partition; partitions that are not named start at the earliest kept."""

Begin: TypeAlias = Callable[[Mapping[int, int]], Offsets]
"""Told which partitions are the member's from now on, with the offset that the next message of each will get; says
where to read on. Called by `poll`, each time that the group deals, before any message of theirs is given."""

OnDelivery: TypeAlias = Callable[[Exception | None], None]
"""Called once per `send`, on the bus's own thread, so it must be quick: None when every message is
acknowledged, else the first error (then some messages may have arrived: sending again is safe,
because ingest drops what was delivered)."""

Headers: TypeAlias = Mapping[str, bytes]

SCHEMA_VERSION_HEADER = "schema_version"
RECORD_HEADER = "record"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Message:
    """One message as it came from the bus."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Headers
    time_ms: int
    """Wall time at which the broker got it, by the broker's clock; below 0 where it does not say."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KafkaConfig:
    """How to reach Kafka."""

    bootstrap_servers: str = ""
    """host:port[,host:port...]; empty starts a broker of our own on this machine."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    """PLAINTEXT on this machine only; SSL is TLS; SASL_SSL is TLS and an account for each member."""
    ca_file: str = ""
    """PEM file of the authorities whose certificates a broker may show; empty for the system's."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256"] = "SCRAM-SHA-512"
    """How an account proves that it knows its password, without sending it."""
    username: str = ""
    """Account at the broker, its password in TOUCHLINE_KAFKA_PASSWORD; empty logs in as the member that this is."""
    topic_prefix: str = ""
    """Put before every topic's name, for a shared cluster (and to keep tests apart)."""
    replication_factor: int = -1
    """Copies of each topic that we create; -1 is the cluster's default."""
    buffer_bytes: int = 64 << 20
    """Unacknowledged bytes a producer holds before `send` refuses with BusUnavailable."""
    request_timeout_s: float = 10.0
    """How long one request may take; also how long connecting may take."""
    delivery_timeout_s: float = 86_400.0
    """How long a message is retried before its delivery counts as failed. Longer than any outage: a
    kafka-python 3.0.12 producer whose batch runs out of it while the broker is away never sends again."""
    linger_ms: int = 5
    """How long a message waits for company."""
    session_timeout_s: float = 10.0
    """A member of a consumer group that is silent for this long loses its partitions to the others."""

    def __post_init__(self) -> None:
        if self.ca_file and self.security_protocol == "PLAINTEXT":
            raise ConfigError("kafka.ca_file needs kafka.security_protocol SASL_SSL or SSL", ca_file=self.ca_file)
        if self.ca_file and not Path(self.ca_file).is_file():
            raise ConfigError("kafka.ca_file names no file", path=self.ca_file)
        if self.delivery_timeout_s < self.request_timeout_s + self.linger_ms / 1e3:
            raise ConfigError(
                "kafka.delivery_timeout_s must be above kafka.request_timeout_s + kafka.linger_ms",
                delivery_timeout_s=self.delivery_timeout_s,
                request_timeout_s=self.request_timeout_s,
            )


class Signer(Protocol):
    """Says in a message's headers who sent it: `signing.MessageSigner`."""

    def headers(self, topic: Topic, key: str, value: bytes) -> Mapping[str, bytes]:
        """Headers that prove the sender of these bytes."""


class Producer(Protocol):
    """Sends records; one per process is enough, and any thread may call it."""

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        """Hand records of the topic's type over, without waiting for the broker.

        All are taken or none is. Records of one key keep their order.

        Raises:
            RecordTooLarge: one record alone exceeds the topic's limit.
            BusUnavailable: the buffer is full, or the broker has never answered; try again later.
            SchemaError: a field's value does not fit.
        """

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is acknowledged; returns the number of messages that are not."""

    def close(self, timeout_s: float = 5.0) -> None:
        """Flush, then let go; what is still unacknowledged fails."""


class Consumer(Protocol):
    """Reads one topic, all its partitions or those dealt to it, from explicit offsets; one thread at a time."""

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time.

        Raises:
            BusError: an offset is not, or no longer, kept.
            BusUnavailable: the broker refuses; one that is merely silent gives an empty list.
        """

    def seek(self, partition: int, offset: int) -> None:
        """Read the partition from this offset next."""

    def end_offsets(self) -> dict[int, int]:
        """The offset that the next message of each partition will get."""

    def close(self) -> None:
        """Let go of the broker."""


class Bus(Protocol):
    """A cluster."""

    def ensure_topics(self, timeout_s: float = 30.0) -> None:
        """Create what is missing of the topic table and the dead-letter topic; never alters.

        Raises:
            ConfigError: a topic exists with another number of partitions.
            BusUnavailable: the broker does not answer.
        """

    def producer(self, client_id: str, *, wait_s: float = 5.0, signer: Signer | None = None) -> Producer:
        """A new producer; waits for the broker at most `wait_s`, and goes on trying afterwards.

        A robot passes 0: its `send` raises BusUnavailable until the broker has answered once. Without a
        `signer` messages leave unsigned, and ingest sets them aside.
        """

    def consumer(self, topic: str, offsets: Offsets) -> Consumer:
        """A new consumer of one topic, all of it."""

    def member(self, topic: str, group: str, begin: Begin) -> Consumer:
        """A new consumer of one topic that shares its partitions with the group's other members.

        Each partition is dealt to one member. One that is gone, or silent for `kafka.session_timeout_s`, loses its
        partitions to the others and learns of it with its next `poll`: what it took until then it may still hold.
        """

    def dead_letter(self, message: Message, reason: str, timeout_s: float = 10.0) -> None:
        """Keep a message that did not validate, byte for byte; returns when it is acknowledged.

        Raises:
            BusUnavailable: it was not acknowledged in time.
        """

    def close(self) -> None:
        """Close what the bus itself opened; producers and consumers are their owners' to close."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message on its way to the bus."""

    key: bytes | None
    value: bytes
    headers: Headers


def messages_of(topic: Topic, records: Sequence[object], signer: Signer | None = None) -> list[Outgoing]:
    """Encode records as messages, split so that each fits the topic, and sign them.

    Raises:
        RecordTooLarge: one record alone exceeds the topic's limit.
        SchemaError: a record of another type, or a value that does not fit.
    """
    groups: dict[str, list[object]] = {}
    for record in records:
        if type(record) is not topic.record:
            raise SchemaError("not a record of this topic", topic=topic.name, found=type(record).__name__)
        groups.setdefault(getattr(record, topic.key), []).append(record)
    return [
        Outgoing(key=key.encode(), value=value, headers=_headers(topic, key, value, signer))
        for key, group in groups.items()
        for value in _values_that_fit(topic, group)
    ]


def dead_letter_headers(message: Message, reason: str) -> dict[str, bytes]:
    """The message's own headers, then where it came from and why it is here."""
    return {
        **message.headers,
        "origin_topic": message.topic.encode(),
        "origin_partition": str(message.partition).encode(),
        "origin_offset": str(message.offset).encode(),
        "reason": reason.encode(),
    }


def topic_layout() -> dict[str, tuple[int, int, int]]:
    """(partitions, retention in seconds, message limit in bytes) of every topic to create."""
    layout = {topic.name: (topic.num_partitions, topic.retention_s, topic.max_message_bytes) for topic in TOPICS}
    widest = max(num_bytes for _, _, num_bytes in layout.values())
    longest = max(retention_s for _, retention_s, _ in layout.values())
    return {**layout, DEAD_LETTERS: (1, longest, 2 * widest)}


def _headers(topic: Topic, key: str, value: bytes, signer: Signer | None) -> Headers:
    signature = signer.headers(topic, key, value) if signer else {}
    record = topic.record.__name__.encode()
    return {SCHEMA_VERSION_HEADER: str(SCHEMA_VERSION).encode(), RECORD_HEADER: record, **signature}


def _values_that_fit(topic: Topic, records: list[object]) -> list[bytes]:
    value = wire.encode(records)
    if len(value) <= topic.max_message_bytes:
        return [value]
    if len(records) == 1:
        raise RecordTooLarge(
            "a record over its topic's limit",
            topic=topic.name,
            num_bytes=len(value),
            max_message_bytes=topic.max_message_bytes,
        )
    middle = len(records) // 2
    halves = (records[:middle], records[middle:])
    return list(itertools.chain.from_iterable(_values_that_fit(topic, half) for half in halves))
