"""One topic into one table: each record once, bad messages set aside, whatever happens to broker and store."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from infra.bus import Message, Offsets
from infra.memory_bus import MemoryBus, MemoryConsumer
from infra.metrics import Metrics
from infra.topics import DEAD_LETTERS, STEPS
from infra.wire import encode
from policy.errors import BusError, BusUnavailable
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.ingest import IngestConfig, TopicIngest
from storage.removals import Removals
from storage.tables import Lake
from storage.writer import TableWriter
from tests.lake_rig import delivered, make_step, raw, toy_spec

DEADLINE_S = 20.0


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def bus() -> MemoryBus:
    bus = MemoryBus()
    bus.ensure_topics()
    return bus


class Rig:
    """An ingest on a thread, and what it did."""

    def __init__(self, lake: Lake, bus: MemoryBus, specs_dir: Path | None = None, group: str = "") -> None:
        self.metrics = Metrics()
        self.stopping = threading.Event()
        self.ingest = TopicIngest(
            STEPS,
            lake,
            bus,
            config=IngestConfig(flush_s=0.02, group=group),
            metrics=self.metrics,
            stopping=self.stopping,
            guard=EmbodimentGuard(specs_dir),
            removals=Removals(lake),
            disk=LakeDisk(lake.url, DiskConfig(warn_free_bytes=0, min_free_bytes=0), self.metrics),
        )


@contextlib.contextmanager
def ingesting(lake: Lake, bus: MemoryBus, specs_dir: Path | None = None, group: str = "") -> Iterator[Rig]:
    rig = Rig(lake, bus, specs_dir, group)
    thread = threading.Thread(target=rig.ingest.run)
    thread.start()
    try:
        yield rig
    finally:
        rig.stopping.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def send(bus: MemoryBus, first: int, count: int, **fields: object) -> None:
    bus.producer("robot").send(STEPS, [make_step(seq, **fields) for seq in range(first, first + count)])


def dead_letters(bus: MemoryBus) -> list[Message]:
    return [message for log in bus.log(DEAD_LETTERS) for message in log]


def test_steps_reach_the_table_once(lake: Lake, bus: MemoryBus) -> None:
    with ingesting(lake, bus) as rig:
        for first in range(0, 50, 5):
            send(bus, first, 5)
        send(bus, 20, 10)  # once more
        until(lambda: rig.metrics.value("touchline_duplicates_total", topic="steps") == 10)
        until(lambda: len(delivered(lake)) == 50)
        assert rig.ingest.problem is None
    assert delivered(lake) == [("b0", seq) for seq in range(50)]
    assert rig.metrics.value("touchline_ingested_records_total", topic="steps") == 50


def test_a_stop_commits_what_was_read(lake: Lake, bus: MemoryBus) -> None:
    send(bus, 0, 10)
    with ingesting(lake, bus) as rig:
        until(lambda: rig.ingest.problem is None)
    with ingesting(lake, bus):
        send(bus, 10, 10)
        until(lambda: len(delivered(lake)) == 20)
    assert delivered(lake) == [("b0", seq) for seq in range(20)]


def test_bad_messages_are_set_aside_with_their_reason_and_the_stream_goes_on(
    lake: Lake, bus: MemoryBus, tmp_path: Path
) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "toy.json").write_text(toy_spec().to_json())
    (specs / "broken.json").write_text("{")
    send(bus, 0, 1)
    bad = {
        b"\x00garbage": "Arrow",
        b"": "Arrow",
        encode([make_step(1)])[:-9]: "",
        encode([make_step(2, schema_version=99)]): "schema version",
        encode([make_step(3, state=np.zeros(7, np.float32))]): "embodiment",
        encode([make_step(4, frames=(raw(0),))]): "embodiment",
        encode([make_step(5, spec_id="x"), make_step(6, spec_id="x", tactile=np.zeros(9, np.float32))]): "embodiment",
        b"x" * (STEPS.max_message_bytes + 1): "limit",
    }
    for value in bad:
        bus.append(STEPS.name, b"r0", value, {"traceparent": b"t"})
    send(bus, 7, 1)
    with ingesting(lake, bus, specs) as rig:
        until(lambda: len(delivered(lake)) == 2)
        assert rig.metrics.value("touchline_dead_letters_total", topic="steps") == len(bad)
    assert delivered(lake) == [("b0", 0), ("b0", 7)]
    letters = dead_letters(bus)
    assert [letter.value for letter in letters] == list(bad)
    for letter, reason in zip(letters, bad.values(), strict=True):
        assert reason in letter.headers["reason"].decode()
        assert letter.headers["origin_topic"] == b"steps"
        assert letter.headers["traceparent"] == b"t"
    with ingesting(lake, bus, specs):  # the offset is past them: none is set aside again
        send(bus, 8, 1)
        until(lambda: len(delivered(lake)) == 3)
    assert len(dead_letters(bus)) == len(bad)


def test_the_offset_waits_for_the_dead_letter(lake: Lake, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = threading.Event()

    def refuse(message: Message, reason: str, timeout_s: float) -> None:
        refused.set()
        raise BusUnavailable("not acknowledged")

    monkeypatch.setattr(bus, "dead_letter", refuse)
    bus.append(STEPS.name, b"r0", b"bad", {})
    send(bus, 0, 3)
    with ingesting(lake, bus) as rig:
        assert refused.wait(DEADLINE_S)
        until(lambda: "not acknowledged" in (rig.ingest.problem or ""))
        assert TableWriter(lake, STEPS).next_offsets == {}
        monkeypatch.undo()
        until(lambda: len(delivered(lake)) == 3)
    assert len(dead_letters(bus)) == 1


def test_waits_while_the_broker_is_away(lake: Lake, bus: MemoryBus) -> None:
    with ingesting(lake, bus) as rig:
        send(bus, 0, 5)
        until(lambda: len(delivered(lake)) == 5)
        bus.is_available = False
        until(lambda: "does not answer" in (rig.ingest.problem or ""))
        bus.is_available = True
        send(bus, 5, 5)
        until(lambda: len(delivered(lake)) == 10)
        until(lambda: rig.ingest.problem is None)


def test_two_ingests_of_one_topic_store_each_record_once(lake: Lake, bus: MemoryBus) -> None:
    with ingesting(lake, bus), ingesting(lake, bus):
        for first in range(0, 200, 10):
            send(bus, first, 10)
        until(lambda: len(delivered(lake)) >= 200)
    assert delivered(lake) == [("b0", seq) for seq in range(200)]


def test_a_group_shares_a_topic_and_hands_over(lake: Lake, bus: MemoryBus) -> None:
    with ingesting(lake, bus, group="ingest") as first:
        with ingesting(lake, bus, group="ingest") as second:
            until(lambda: [partitions_of(rig) for rig in (first, second)] == [2, 2])
            assert [rig.ingest.keeps_table for rig in (first, second)].count(True) == 1
            for number in range(20):
                send(bus, number, 1, robot_id=f"r{number}", boot_id=f"b{number:02}")
            until(lambda: len(delivered(lake)) == 20)
        until(lambda: partitions_of(first) == 4 and first.ingest.keeps_table)
        for number in range(20):  # the same once more, and what comes next
            send(bus, number, 2, robot_id=f"r{number}", boot_id=f"b{number:02}")
        until(lambda: len(delivered(lake)) >= 40)
    assert delivered(lake) == [(f"b{number:02}", seq) for number in range(20) for seq in (number, number + 1)]


def partitions_of(rig: Rig) -> float:
    return rig.metrics.value("touchline_ingest_partitions", topic="steps")


def test_another_brokers_topic_is_refused_in_words(lake: Lake, bus: MemoryBus) -> None:
    send(bus, 0, 5)
    send(bus, 5, 5)
    with ingesting(lake, bus):
        until(lambda: len(delivered(lake)) == 10)
    other = MemoryBus()
    other.ensure_topics()
    with ingesting(lake, other) as rig:
        until(lambda: "another broker" in (rig.ingest.problem or ""))
    assert len(delivered(lake)) == 10


class Pruned(MemoryBus):
    """Retention was faster than ingest: the table's offsets are not kept any more."""

    def consumer(self, topic: str, offsets: Offsets) -> MemoryConsumer:
        if offsets != "earliest":
            raise BusError("an offset is not kept", topic=topic)
        return super().consumer(topic, offsets)


def test_after_messages_were_deleted_the_rest_is_read(lake: Lake) -> None:
    bus = Pruned()
    bus.ensure_topics()
    send(bus, 0, 5)
    with ingesting(lake, bus):
        until(lambda: len(delivered(lake)) == 5)
    send(bus, 5, 5)
    with ingesting(lake, bus):
        until(lambda: len(delivered(lake)) == 10)
    assert delivered(lake) == [("b0", seq) for seq in range(10)]
