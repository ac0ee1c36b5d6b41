"""What reads from Kafka: all partitions of a topic, or those that a consumer group deals to us.

Both start where the caller says; an offset that is no longer kept is an error, never a silent jump. A group only deals
partitions: no offset is ever committed to it.
"""

from collections.abc import Collection
from typing import Any

import kafka
from kafka import TopicPartition

from infra.access import group_id
from infra.bus import Begin, Message, Offsets
from infra.kafka_connection import Connection
from policy.errors import BusUnavailable

MAX_FETCH_BYTES = 32 << 20
"""Of one answer of the broker."""
_SILENCE_MS = 1000
"""How long a question waits at the broker while nothing comes; what comes is answered at once. Ingest reads eleven
topics, most of them silent: asked ten times a second they cost 9 % of a core, once a second 1 %. Half a request's
time-out at most, for a question that waits is a request that has to be answered."""


class _Reader:
    """Reads one topic; nothing is assigned to it yet."""

    def __init__(self, connection: Connection, topic: str, **group: Any) -> None:
        self._connection = connection
        self._topic = topic
        self._name = connection.config.topic_prefix + topic
        with connection.opening():
            self._client: Any = kafka.KafkaConsumer(
                **connection.settings(f"{topic}-consumer"),
                auto_offset_reset="none",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                fetch_max_bytes=MAX_FETCH_BYTES,
                max_partition_fetch_bytes=MAX_FETCH_BYTES // 4,
                fetch_max_wait_ms=min(_SILENCE_MS, int(connection.config.request_timeout_s * 500)),
                metrics_enabled=False,
                **group,
            )
        try:
            with connection.translated(topic):
                numbers = self._client.partitions_for_topic(self._name)
            if not numbers:
                raise connection.missing(topic)
        except BusUnavailable:
            self.close()
            raise
        self._all = [TopicPartition(self._name, number) for number in sorted(numbers)]

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time."""
        with self._connection.translated(self._topic):
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
        with self._connection.translated(self._topic):
            ends = self._client.end_offsets(list(self._client.assignment()))
        return {partition.partition: offset for partition, offset in ends.items()}

    def close(self) -> None:
        """Let go of the broker."""
        self._client.close(autocommit=False, timeout_ms=1000)

    def _start(self, offsets: Offsets) -> None:
        partitions = list(self._client.assignment())
        if offsets == "latest":
            start = self.end_offsets()
        else:
            with self._connection.translated(self._topic):
                beginnings = self._client.beginning_offsets(partitions)
            start = {found.partition: offset for found, offset in beginnings.items()}
            start |= {} if offsets == "earliest" else offsets
        for found in partitions:
            self.seek(found.partition, start[found.partition])


class KafkaConsumer(_Reader):
    """Reads all partitions of one topic from explicit offsets."""

    def __init__(self, connection: Connection, topic: str, offsets: Offsets) -> None:
        super().__init__(connection, topic)
        self._client.assign(self._all)
        try:
            self._start(offsets)
        except BusUnavailable:
            self.close()
            raise


class KafkaMember(_Reader):
    """Reads the partitions of one topic that its group deals to it."""

    def __init__(self, connection: Connection, topic: str, group: str, begin: Begin) -> None:
        config = connection.config
        super().__init__(
            connection,
            topic,
            group_id=group_id(config.topic_prefix, group, topic),
            session_timeout_ms=int(config.session_timeout_s * 1e3),
            heartbeat_interval_ms=int(config.session_timeout_s * 1e3 / 3),
        )
        self._begin = begin
        self._deal = _Deal(self._client)
        self._client.subscribe([self._name], listener=self._deal)

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time."""
        messages = super().poll(timeout_s, max_messages)
        if not self._deal.is_new:
            return messages
        self._deal.is_new = False
        self._start(self._begin(self.end_offsets()))
        self._client.resume(*self._client.assignment())
        return []


class _Deal(kafka.ConsumerRebalanceListener):  # type: ignore[misc]
    """Stands still on what was dealt until somebody has said where to begin."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.is_new = False

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # The client calls this in the middle of its own poll, so nothing is asked here, of nobody.
        for partition in assigned:
            self._client.seek(partition, 0)
        self._client.pause(*assigned)
        self.is_new = True

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing: what was read of them is dropped with the next deal."""
