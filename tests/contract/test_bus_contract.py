"""The same promises from MemoryBus and from KafkaBus on a real broker."""

import queue
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from infra.bus import Bus, Consumer, Message, Offsets
from infra.memory_bus import MemoryBus
from infra.topics import DEAD_LETTERS, EPISODES, LABELS, STEPS, TELEMETRY, TOPICS
from infra.wire import decode, records
from policy.errors import BusError, BusUnavailable, RecordTooLarge, SchemaError
from policy.schema import Label, Telemetry
from tests.lake_rig import make_step

DEADLINE_S = 20.0


@pytest.fixture(params=["memory", "kafka"])
def bus(request: pytest.FixtureRequest) -> Bus:
    if request.param == "kafka":
        found: Bus = request.getfixturevalue("kafka_bus")
        return found
    memory = MemoryBus()
    memory.ensure_topics()
    return memory


def label(seq: int, episode_id: str = "e1", reason: str = "") -> Label:
    return Label(
        boot_id="b1", seq=seq, episode_id=episode_id, outcome="success", progress=0, reason=reason, author="a",
        time_ns=seq,
    )  # fmt: skip


def telemetry(robot_id: str, num_steps: int) -> Telemetry:
    return Telemetry(
        robot_id=robot_id, boot_id="b", time_ns=1, episode_id="", step_index=0, control_mode="autonomous",
        policy_version="1", num_steps=num_steps, num_episodes=0, spool_bytes=0, num_steps_dropped=0,
        num_steps_delivered=0,
    )  # fmt: skip


def take(consumer: Consumer, num_messages: int) -> list[Message]:
    found: list[Message] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < num_messages:
        assert time.monotonic() < deadline, f"{len(found)} of {num_messages} messages"
        found.extend(consumer.poll(0.5))
    return found


def labels_in(messages: list[Message]) -> list[Any]:
    return [record for message in messages for record in records(LABELS, decode(LABELS, message.value))]


def test_what_is_sent_is_read_in_order_with_its_headers(bus: Bus) -> None:
    producer = bus.producer("test")
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    for start in range(0, 10, 2):
        producer.send(LABELS, [label(start), label(start + 1)], on_delivery=outcomes.put)
    assert producer.flush(DEADLINE_S) == 0
    assert [outcomes.get(timeout=DEADLINE_S) for _ in range(5)] == [None] * 5
    consumer = bus.consumer(LABELS.name, "earliest")
    messages = take(consumer, 5)
    assert [record.seq for record in labels_in(messages)] == list(range(10))
    assert [message.offset for message in messages] == list(range(5))
    assert messages[0].headers["schema_version"] == b"1"
    assert messages[0].headers["record"] == b"Label"
    assert messages[0].key == b"e1"
    assert messages[0].topic == LABELS.name
    assert abs(messages[0].time_ms / 1e3 - time.time()) < 3600
    assert consumer.end_offsets() == {0: 5}
    consumer.close()
    producer.close()


def test_one_message_per_key_and_keys_keep_their_partition(bus: Bus) -> None:
    producer = bus.producer("test")
    producer.send(TELEMETRY, [telemetry("r1", 0), telemetry("r2", 0), telemetry("r1", 1)])
    producer.send(TELEMETRY, [telemetry("r1", 2)])
    consumer = bus.consumer(TELEMETRY.name, "earliest")
    messages = take(consumer, 3)
    of_r1 = [message for message in messages if message.key == b"r1"]
    assert len({message.partition for message in of_r1}) == 1
    counts = [r.num_steps for m in of_r1 for r in records(TELEMETRY, decode(TELEMETRY, m.value))]
    assert counts == [0, 1, 2]
    consumer.close()
    producer.close()


@pytest.mark.parametrize(("offsets", "expected"), [({0: 2}, [2, 3, 4]), ({}, [0, 1, 2, 3, 4]), ("latest", [4])])
def test_a_consumer_starts_where_it_is_told(bus: Bus, offsets: Offsets, expected: list[int]) -> None:
    producer = bus.producer("test")
    for seq in range(4):
        producer.send(LABELS, [label(seq)])
    assert producer.flush(DEADLINE_S) == 0
    consumer = bus.consumer(LABELS.name, offsets)
    producer.send(LABELS, [label(4)])
    assert [record.seq for record in labels_in(take(consumer, len(expected)))] == expected
    consumer.seek(0, 1)
    assert [record.seq for record in labels_in(take(consumer, 4))] == [1, 2, 3, 4]
    consumer.close()
    producer.close()


def test_an_offset_that_is_not_kept_is_an_error(bus: Bus) -> None:
    consumer = bus.consumer(LABELS.name, {0: 1000})
    with pytest.raises(BusError, match=r"offset is not kept.*labels"):
        take(consumer, 1)
    consumer.close()


class Member:
    """A member of a group, and the offsets of what it read since it was dealt something."""

    def __init__(self, bus: Bus) -> None:
        self.ends: dict[int, int] = {}
        self.seen: list[tuple[int, int]] = []
        self.consumer = bus.member(STEPS.name, "readers", self._begin)

    def _begin(self, ends: Mapping[int, int]) -> Offsets:
        self.ends, self.seen = dict(ends), []
        return {partition: 1 for partition in ends}

    def poll(self) -> None:
        self.seen += [(message.partition, message.offset) for message in self.consumer.poll(0.1)]


def poll_until(members: list[Member], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, [member.ends for member in members]
        for member in members:
            member.poll()


def test_a_group_deals_every_partition_to_one_member_and_deals_again_when_one_goes(bus: Bus) -> None:
    everything = set(range(STEPS.num_partitions))
    producer = bus.producer("test")
    names = [f"r{number}" for number in range(40)]  # enough for two messages in each partition
    for name in names:
        producer.send(STEPS, [make_step(robot_id=name)])
    assert producer.flush(DEADLINE_S) == 0
    producer.close()
    first = Member(bus)
    poll_until([first], lambda: set(first.ends) == everything and len(first.seen) == len(names) - len(everything))
    assert sorted(first.seen) == [(p, o) for p in sorted(everything) for o in range(1, first.ends[p])]
    assert first.consumer.end_offsets() == first.ends
    second = Member(bus)
    poll_until([first, second], lambda: bool(second.ends) and set(first.ends) | set(second.ends) == everything)
    assert not set(first.ends) & set(second.ends)
    first.consumer.close()
    poll_until([second], lambda: set(second.ends) == everything)
    second.consumer.close()


def test_poll_returns_empty_after_its_time_and_no_more_than_asked(bus: Bus) -> None:
    producer = bus.producer("test")
    consumer = bus.consumer(LABELS.name, "earliest")
    assert consumer.poll(0.01) == []
    for seq in range(5):
        producer.send(LABELS, [label(seq)])
    assert producer.flush(DEADLINE_S) == 0
    found: list[Message] = []
    while len(found) < 5:
        batch = consumer.poll(DEADLINE_S, max_messages=2)
        assert 1 <= len(batch) <= 2
        found.extend(batch)
    consumer.close()
    producer.close()


def test_records_are_split_to_fit_and_one_too_large_is_refused_before_anything_is_sent(bus: Bus) -> None:
    producer = bus.producer("test")
    half = "x" * (LABELS.max_message_bytes // 2)
    with pytest.raises(RecordTooLarge, match="max_message_bytes"):
        producer.send(LABELS, [label(0), label(1, reason=half * 2, episode_id="e2")])
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    producer.send(LABELS, [label(seq, reason=half) for seq in range(3)], on_delivery=outcomes.put)
    assert outcomes.get(timeout=DEADLINE_S) is None
    consumer = bus.consumer(LABELS.name, "earliest")
    assert [record.seq for record in labels_in(take(consumer, 3))] == [0, 1, 2]
    assert outcomes.empty()
    consumer.close()
    producer.close()


def test_records_of_another_topic_are_refused(bus: Bus) -> None:
    producer = bus.producer("test")
    with pytest.raises(SchemaError, match="Label"):
        producer.send(EPISODES, [label(0)])
    producer.close()


def test_nothing_to_send_is_delivered_at_once(bus: Bus) -> None:
    producer = bus.producer("test")
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    producer.send(LABELS, [], on_delivery=outcomes.put)
    assert outcomes.get_nowait() is None
    producer.close()


def test_a_dead_letter_keeps_bytes_origin_and_reason(bus: Bus) -> None:
    message = Message(
        topic="steps", partition=2, offset=7, key=b"r1", value=b"\x00rubbish", headers={"h": b"v"}, time_ms=1
    )
    bus.dead_letter(message, "not an Arrow stream", DEADLINE_S)
    consumer = bus.consumer(DEAD_LETTERS, "earliest")
    (kept,) = take(consumer, 1)
    assert (kept.key, kept.value) == (b"r1", b"\x00rubbish")
    assert kept.headers == {
        "h": b"v",
        "origin_topic": b"steps",
        "origin_partition": b"2",
        "origin_offset": b"7",
        "reason": b"not an Arrow stream",
    }
    consumer.close()


def test_topics_have_their_partitions_and_making_them_again_is_fine(bus: Bus) -> None:
    bus.ensure_topics()
    consumers = {topic: bus.consumer(topic.name, "earliest") for topic in (STEPS, *TOPICS[1:])}
    for topic, consumer in consumers.items():
        assert sorted(consumer.end_offsets()) == list(range(topic.num_partitions))
        consumer.close()


def test_a_topic_that_does_not_exist_is_named(bus: Bus) -> None:
    with pytest.raises(BusUnavailable, match="no_such_topic"):
        bus.consumer("no_such_topic", "earliest")
