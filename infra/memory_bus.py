"""MemoryBus: the in-memory twin of `kafka_bus.KafkaBus`, kept honest by the same contract tests.

For tests and for one-process experiments. Nothing is retained beyond the process.
"""

import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Sequence

from infra.bus import (
    Begin,
    Headers,
    Message,
    Offsets,
    OnDelivery,
    Signer,
    dead_letter_headers,
    messages_of,
    topic_layout,
)
from infra.topics import DEAD_LETTERS, Topic
from policy.errors import BusError, BusUnavailable


class MemoryBus:
    """A cluster in a dictionary; threads may share it."""

    def __init__(self) -> None:
        self.is_available = True
        """Set to False to make everything raise BusUnavailable, as when the broker is away."""
        self._logs: dict[str, list[list[Message]]] = {}
        self._changed = threading.Condition()
        self._groups: defaultdict[tuple[str, str], MemoryGroup] = defaultdict(MemoryGroup)

    def ensure_topics(self, timeout_s: float = 30.0) -> None:
        """Create what is missing of the topic table."""
        self.refuse_if_unavailable()
        with self._changed:
            for name, (num_partitions, _, _) in topic_layout().items():
                self._logs.setdefault(name, [[] for _ in range(num_partitions)])

    def producer(self, client_id: str, *, wait_s: float = 5.0, signer: Signer | None = None) -> "MemoryProducer":
        """A new producer."""
        return MemoryProducer(self, signer)

    def consumer(self, topic: str, offsets: Offsets) -> "MemoryConsumer":
        """A new consumer of one topic."""
        return MemoryConsumer(self, topic, offsets)

    def member(self, topic: str, group: str, begin: Begin) -> "MemoryMember":
        """A new consumer of one topic that shares its partitions with the group's other members."""
        return MemoryMember(self, topic, self._groups[topic, group], begin)

    def dead_letter(self, message: Message, reason: str, timeout_s: float = 10.0) -> None:
        """Keep a message that did not validate, byte for byte."""
        self.append(DEAD_LETTERS, message.key, message.value, dead_letter_headers(message, reason))

    def close(self) -> None:
        """Nothing to let go of."""

    def append(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Append raw bytes to a topic; tests send what is not a record with it.

        Raises:
            BusUnavailable: `is_available` is False, or the topic does not exist.
        """
        with self._changed:
            log = self.log(topic)
            partition = zlib.crc32(key or b"") % len(log)
            log[partition].append(
                Message(
                    topic=topic,
                    partition=partition,
                    offset=len(log[partition]),
                    key=key,
                    value=value,
                    headers=headers,
                    time_ms=time.time_ns() // 1_000_000,
                )
            )
            self._changed.notify_all()

    def log(self, topic: str) -> list[list[Message]]:
        """The messages of a topic per partition.

        Raises:
            BusUnavailable: `is_available` is False, or the topic does not exist.
        """
        self.refuse_if_unavailable()
        if topic not in self._logs:
            raise BusUnavailable("the topic does not exist", topic=topic)
        return self._logs[topic]

    def wait_for_change(self, timeout_s: float) -> None:
        """Sleep until something is appended, or the time is over."""
        with self._changed:
            self._changed.wait(timeout_s)

    def refuse_if_unavailable(self) -> None:
        """Raise BusUnavailable while `is_available` is False."""
        if not self.is_available:
            raise BusUnavailable("the broker does not answer")


class MemoryProducer:
    """Appends at once, so that nothing is ever unacknowledged."""

    def __init__(self, bus: MemoryBus, signer: Signer | None) -> None:
        self._bus, self._signer = bus, signer

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        """Append the records and acknowledge them."""
        messages = messages_of(topic, records, self._signer)
        self._bus.log(topic.name)
        for message in messages:
            self._bus.append(topic.name, message.key, message.value, message.headers)
        if on_delivery is not None:
            on_delivery(None)

    def flush(self, timeout_s: float) -> int:
        """Nothing is ever unacknowledged."""
        return 0

    def close(self, timeout_s: float = 5.0) -> None:
        """Nothing to let go of."""


class MemoryConsumer:
    """Reads one topic from explicit offsets."""

    def __init__(self, bus: MemoryBus, topic: str, offsets: Offsets) -> None:
        self._bus = bus
        self._topic = topic
        ends = self.end_offsets()
        if offsets == "latest":
            self._next = ends
        elif offsets == "earliest":
            self._next = dict.fromkeys(ends, 0)
        else:
            self._next = {partition: offsets.get(partition, 0) for partition in ends}

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self._take(max_messages)
            remaining_s = deadline - time.monotonic()
            if found or remaining_s <= 0:
                return found
            # Short waits: a message may slip in between the look and the wait.
            self._bus.wait_for_change(min(remaining_s, 0.05))

    def seek(self, partition: int, offset: int) -> None:
        """Read the partition from this offset next."""
        self._next[partition] = offset

    def end_offsets(self) -> dict[int, int]:
        """The offset that the next message of each partition will get."""
        return {partition: len(messages) for partition, messages in enumerate(self._bus.log(self._topic))}

    def close(self) -> None:
        """Nothing to let go of."""

    def _take(self, max_messages: int) -> list[Message]:
        found: list[Message] = []
        for partition, start in list(self._next.items()):
            messages = self._bus.log(self._topic)[partition]
            if start > len(messages):
                raise BusError("the offset is not kept", topic=self._topic, partition=partition, offset=start)
            taken = messages[start : start + max_messages - len(found)]
            self._next[partition] = start + len(taken)
            found.extend(taken)
        return found


class MemoryMember(MemoryConsumer):
    """Reads the partitions that its group deals to it."""

    def __init__(self, bus: MemoryBus, topic: str, group: "MemoryGroup", begin: Begin) -> None:
        self._next = {}  # none until the group deals
        super().__init__(bus, topic, {})
        self._group, self._begin = group, begin
        self.dealt: list[int] | None = None
        """Partitions that wait for `begin`."""
        group.join(self, num_partitions=len(bus.log(topic)))

    def poll(self, timeout_s: float, max_messages: int = 1000) -> list[Message]:
        """Messages in order per partition; empty when none came in time."""
        dealt, self.dealt = self.dealt, None
        if dealt is not None:
            self._next = dict.fromkeys(dealt, 0)
            ends = self.end_offsets()
            start = self._begin(ends)
            self._next = ends if start == "latest" else self._next | ({} if start == "earliest" else dict(start))
        return super().poll(timeout_s, max_messages)

    def end_offsets(self) -> dict[int, int]:
        """The offset that the next message of each of its partitions will get."""
        return {partition: end for partition, end in super().end_offsets().items() if partition in self._next}

    def close(self) -> None:
        """Leave the group."""
        self._group.leave(self)


class MemoryGroup:
    """Deals a topic's partitions to its members, again whenever one comes or goes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: list[MemoryMember] = []
        self._num_partitions = 0

    def join(self, member: MemoryMember, num_partitions: int) -> None:
        """Deal to one more."""
        with self._lock:
            self._num_partitions = num_partitions
            self._members.append(member)
            self._deal()

    def leave(self, member: MemoryMember) -> None:
        """Deal to one less."""
        with self._lock:
            self._members.remove(member)
            self._deal()

    def _deal(self) -> None:
        for place, member in enumerate(self._members):
            member.dealt = list(range(place, self._num_partitions, len(self._members)))
