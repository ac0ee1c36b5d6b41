"""What people say waits for the broker, arrives once and in order, and holds nobody up."""

import threading
from collections.abc import Sequence
from typing import Any

from corrections.record_log import RecordLog
from infra.bus import OnDelivery, Producer, Signer
from infra.memory_bus import MemoryBus
from infra.topics import LABELS, MARKS, Topic
from policy.errors import BusUnavailable
from policy.schema import MarkKind, Outcome
from tests.corrections_rig import logged


class AwayThenBack:
    """A bus whose broker is away for the first attempts."""

    def __init__(self, num_failures: int) -> None:
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.num_failures = num_failures
        self.reached = threading.Event()

    def __call__(self) -> MemoryBus:
        self.num_failures -= 1
        if self.num_failures >= 0:
            raise BusUnavailable("away")
        self.reached.set()
        return self.bus


class Deaf:
    """A producer that takes everything and never answers, until it is closed."""

    def __init__(self) -> None:
        self.waiting: list[OnDelivery | None] = []

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        self.waiting.append(on_delivery)

    def flush(self, timeout_s: float) -> int:
        return len(self.waiting)

    def close(self, timeout_s: float = 5.0) -> None:
        for on_delivery in self.waiting:
            assert on_delivery is not None
            on_delivery(BusUnavailable("closed"))


def take(log: RecordLog, number: int) -> bool:
    return log.take(
        LABELS, episode_id=f"e{number}", outcome=Outcome.SUCCESS, progress=0, reason="", author="ann", time_ns=number
    )


def test_records_wait_for_the_broker_and_arrive_once_in_order_numbered_by_topic() -> None:
    broker = AwayThenBack(1)
    log = RecordLog(broker)
    assert all(take(log, number) for number in range(5))
    assert log.take(MARKS, episode_id="e", step_index=3, kind=MarkKind.MOMENT, note="", author="ann", time_ns=1)
    assert log.num_waiting == 6
    log.start()
    assert broker.reached.wait(10)
    assert log.close(10) == 0
    assert [(item.episode_id, item.seq) for item in logged(broker.bus, LABELS)] == [(f"e{n}", n) for n in range(5)]
    (mark,) = logged(broker.bus, MARKS)
    assert (mark.seq, mark.kind, mark.boot_id) == (0, "moment", logged(broker.bus, LABELS)[0].boot_id)


def test_a_full_queue_refuses_new_records_and_close_says_what_is_lost() -> None:
    log = RecordLog(AwayThenBack(1_000_000), capacity=2)
    log.start()
    assert [take(log, number) for number in range(3)] == [True, True, False]
    assert log.close(0.05) == 2


def test_a_record_that_no_topic_takes_is_dropped_and_does_not_stop_the_others() -> None:
    broker = AwayThenBack(0)
    log = RecordLog(broker)
    assert log.take(MARKS, episode_id="e", step_index="three", kind="moment", note="", author="ann", time_ns=1)
    take(log, 0)
    log.start()
    assert log.close(10) == 0
    assert [item.episode_id for item in logged(broker.bus, LABELS)] == ["e0"]
    assert logged(broker.bus, MARKS) == []


def test_a_producer_that_is_stuck_is_replaced_and_what_it_had_is_sent_again() -> None:
    bus, deaf = AwayThenBack(0).bus, Deaf()
    producers: list[Producer] = [deaf, bus.producer("gateway")]

    class Bus(MemoryBus):
        def producer(self, client_id: str, *, wait_s: float = 5.0, signer: Signer | None = None) -> Any:
            return producers.pop(0)

    log = RecordLog(Bus, stuck_after_s=0.05)
    take(log, 0)
    take(log, 1)
    log.start()
    assert log.close(10) == 0
    assert len(deaf.waiting) == 2
    assert [(item.episode_id, item.seq) for item in logged(bus, LABELS)] == [("e0", 0), ("e1", 1)]
