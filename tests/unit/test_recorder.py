"""The recorder: order, pictures, a broker that goes away, and counts that add up."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from actor.journal import read_counts
from actor.recorder import Recorder, RecorderConfig, encode
from infra import wire
from infra.bus import OnDelivery, Producer
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.topics import EPISODES, STEPS, TELEMETRY, Topic
from policy.errors import BusUnavailable, RecordTooLarge
from policy.schema import Episode, Telemetry
from tests.actor_rig import step, wait_for

FAST = RecorderConfig(flush_period_s=0.01)
FRAME = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)


def received(bus: MemoryBus, topic: Topic) -> list[Any]:
    messages = [message for partition in bus.log(topic.name) for message in partition]
    return [record for message in messages for record in wire.records(topic, wire.decode(topic, message.value))]


@pytest.fixture
def bus() -> MemoryBus:
    bus = MemoryBus()
    bus.ensure_topics()
    return bus


@pytest.fixture
def recorder(bus: MemoryBus, tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), FAST, Metrics())
    yield recorder
    recorder.close()


def test_steps_arrive_in_order_with_their_pictures(bus: MemoryBus, recorder: Recorder) -> None:
    for seq in range(50):
        recorder.put(STEPS, step(seq), (FRAME,))
    assert recorder.drain(10.0) == 0
    steps = received(bus, STEPS)
    assert [record.seq for record in steps] == list(range(50))
    picture = Image.open(io.BytesIO(steps[0].frames[0]))
    assert (picture.format, picture.size) == ("JPEG", (16, 16))


def test_raw_pixels_on_request() -> None:
    assert encode(FRAME, 0) == FRAME.tobytes()
    decoded = np.asarray(Image.open(io.BytesIO(encode(np.full((16, 16, 3), 90, np.uint8), 95))))
    assert np.abs(decoded.astype(int) - 90).max() <= 1


def test_while_the_broker_is_away_everything_waits_on_disk_and_then_arrives_once(
    bus: MemoryBus, recorder: Recorder, tmp_path: Path
) -> None:
    bus.is_available = False
    for seq in range(30):
        recorder.put(STEPS, step(seq, mode="correcting" if seq % 3 else "autonomous"), (FRAME,))
    wait_for(lambda: sum(counts.num_waiting for counts in read_counts(tmp_path)) == 30)
    bus.is_available = True
    assert recorder.drain(10.0) == 0
    assert sorted(record.seq for record in received(bus, STEPS)) == list(range(30))
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_delivered, counts.num_dropped) == (30, 30, 0)


def test_what_an_earlier_process_left_is_sent_first(bus: MemoryBus, tmp_path: Path) -> None:
    bus.is_available = False
    first = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), FAST, Metrics())
    first.put(STEPS, step(0, boot="old"), (FRAME,))
    assert first.close(timeout_s=0.0) == 1
    bus.is_available = True
    second = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), FAST, Metrics())
    second.put(STEPS, step(0, boot="new"), (FRAME,))
    assert second.close(10.0) == 0
    assert [(record.boot_id, record.seq) for record in received(bus, STEPS)] == [("old", 0), ("new", 0)]


def test_a_queue_that_is_full_gives_up_the_newest_and_counts_them(bus: MemoryBus, tmp_path: Path) -> None:
    config = RecorderConfig(flush_period_s=60.0, queue_steps=10)
    metrics = Metrics()
    recorder = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), config, metrics)
    for seq in range(14):
        assert recorder.is_behind == (seq > 5)
        recorder.put(STEPS, step(seq))
    recorder.close(timeout_s=0.0)
    assert [record.seq for record in received(bus, STEPS)] == list(range(10))
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_dropped) == (14, 4)
    assert metrics.value("touchline_steps_dropped_total", robot="r-0", kind="autonomous") == 4


class Refusing:
    """A producer that fails as it is told, then works."""

    def __init__(self, bus: MemoryBus, errors: Sequence[Exception]) -> None:
        self._producer, self._errors = bus.producer("actor"), list(errors)

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        error = self._errors.pop(0) if self._errors else None
        if isinstance(error, RecordTooLarge):
            raise error
        if error is not None and on_delivery is not None:
            on_delivery(error)
            return
        self._producer.send(topic, records, on_delivery=on_delivery)

    def flush(self, timeout_s: float) -> int:
        return 0

    def close(self, timeout_s: float = 5.0) -> None:
        pass


def test_a_delivery_that_failed_is_tried_again_from_disk(bus: MemoryBus, tmp_path: Path) -> None:
    producer = Refusing(bus, [BusUnavailable("not delivered"), BusUnavailable("again not")])
    recorder = Recorder(tmp_path / "actor", lambda: producer, FAST, Metrics())
    recorder.put(STEPS, step(0), (FRAME,))
    assert recorder.close(10.0) == 0
    assert [record.seq for record in received(bus, STEPS)] == [0]


def test_a_record_that_can_never_be_sent_is_dropped_and_counted(bus: MemoryBus, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "actor", lambda: Refusing(bus, [RecordTooLarge("too large")]), FAST, Metrics())
    recorder.put(STEPS, step(0))
    assert recorder.close(10.0) == 0
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_dropped, counts.num_delivered) == (1, 1, 0)


class Silent:
    """A producer that takes everything and never answers."""

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        self.on_delivery = on_delivery

    def flush(self, timeout_s: float) -> int:
        return 1

    def close(self, timeout_s: float = 5.0) -> None:
        if self.on_delivery is not None:
            self.on_delivery(BusUnavailable("closed"))


def test_a_producer_that_is_stuck_is_replaced_and_nothing_is_lost(bus: MemoryBus, tmp_path: Path) -> None:
    producers: list[Producer] = [Silent(), bus.producer("actor")]
    config = RecorderConfig(flush_period_s=0.01, stuck_after_s=0.05)
    recorder = Recorder(tmp_path / "actor", lambda: producers.pop(0), config, Metrics())
    recorder.put(STEPS, step(0), (FRAME,))
    assert recorder.close(10.0) == 0
    assert [record.seq for record in received(bus, STEPS)] == [0]
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_delivered, counts.num_dropped) == (1, 1, 0)


def test_an_episode_is_told_of_once_it_is_on_disk(bus: MemoryBus, tmp_path: Path) -> None:
    told: list[Episode] = []
    recorder = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), FAST, Metrics(), on_episode=told.append)
    bus.is_available = False
    recorder.put(EPISODES, episode(0))
    wait_for(lambda: told)
    assert sum(counts.num_waiting for counts in read_counts(tmp_path)) == 1
    bus.is_available = True
    assert recorder.close(10.0) == 0
    assert received(bus, EPISODES) == told


def test_telemetry_carries_the_counts_and_never_waits_on_disk(bus: MemoryBus, recorder: Recorder) -> None:
    recorder.put(STEPS, step(0), (FRAME,))
    assert recorder.drain(10.0) == 0
    recorder.put(TELEMETRY, telemetry())
    wait_for(lambda: received(bus, TELEMETRY))
    (told,) = received(bus, TELEMETRY)
    assert (told.num_steps, told.num_steps_delivered, told.num_steps_dropped, told.spool_bytes) == (1, 1, 0, 0)


def test_a_recorder_that_ended_says_so(tmp_path: Path, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), FAST, Metrics())
    assert recorder.problem() is None
    recorder.put(STEPS, "not a step")
    wait_for(recorder.problem)
    assert "the recorder ended" in (recorder.problem() or "")
    with pytest.raises(RuntimeError, match="the recorder ended"):
        recorder.put(STEPS, step(0))
    recorder.close(0.0)


def episode(seq: int) -> Episode:
    return Episode(
        spec_id="spec",
        robot_id="r-0",
        boot_id="boot",
        seq=seq,
        episode_id=f"e{seq}",
        source="rollout",
        scene_seed=seq,
        task_id="tiny",
        instruction="go right",
        policy_version="1",
        release_role="champion",
        started_ns=1,
        ended_ns=2,
        first_seq=0,
        num_steps=1,
        num_correction_steps=0,
        num_interventions=0,
        control_rate_hz=20.0,
        outcome="success",
        outcome_reason="",
        outcome_author="simulator",
    )


def telemetry() -> Telemetry:
    return Telemetry(
        robot_id="r-0",
        boot_id="boot",
        time_ns=1,
        episode_id="e",
        step_index=0,
        control_mode="autonomous",
        policy_version="1",
        num_steps=0,
        num_episodes=0,
        spool_bytes=0,
        num_steps_dropped=0,
        num_steps_delivered=0,
    )
