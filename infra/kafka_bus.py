"""KafkaBus: with `kafka_connection`, `kafka_producer` and `kafka_consumer`, all that imports the Kafka client."""

import contextlib
import threading
import time
from typing import Any

import kafka

from infra.bus import Begin, Message, Offsets, Signer, dead_letter_headers, topic_layout
from infra.kafka_connection import Connection
from infra.kafka_consumer import KafkaConsumer, KafkaMember
from infra.kafka_producer import KafkaProducer
from infra.topics import DEAD_LETTERS
from policy.errors import BusRefused, BusUnavailable, ConfigError

_OVERHEAD_BYTES = 64 << 10
"""What batch framing, key and headers may add to one message."""
_RETRY_S = 0.2


class KafkaBus:
    """A Kafka cluster; nothing is contacted until a method needs it."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._config = connection, connection.config
        self._dead_letters: KafkaProducer | None = None

    def ensure_topics(self, timeout_s: float = 30.0) -> None:
        """Create what is missing of the topic table and the dead-letter topic; never alters."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with self._connection.opening(), self._admin() as admin:
                    return self._create_missing(admin)
            except BusRefused:
                raise
            except BusUnavailable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY_S)  # it is away, or somebody else creates topics too: look again

    def producer(self, client_id: str, *, wait_s: float = 5.0, signer: Signer | None = None) -> KafkaProducer:
        """A new producer; waits for the broker at most `wait_s`, and goes on trying afterwards."""
        return KafkaProducer(self._connection, client_id, wait_s, signer)

    def consumer(self, topic: str, offsets: Offsets) -> KafkaConsumer:
        """A new consumer of one topic, all of it."""
        return KafkaConsumer(self._connection, topic, offsets)

    def member(self, topic: str, group: str, begin: Begin) -> KafkaMember:
        """A new consumer of one topic that shares its partitions with the group's other members."""
        return KafkaMember(self._connection, topic, group, begin)

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
            if errors and isinstance(errors[0], BusRefused):
                raise errors[0]
            cause = str(errors[0]) if errors else "no answer in time"
            raise BusUnavailable("a dead letter was not acknowledged", cause=cause)

    def close(self) -> None:
        """Close the dead-letter producer."""
        if self._dead_letters is not None:
            self._dead_letters.close()

    def _admin(self) -> contextlib.closing[Any]:
        return contextlib.closing(kafka.KafkaAdminClient(**self._connection.settings("topics")))

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
