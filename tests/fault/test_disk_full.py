"""A full disk loses nothing acknowledged: ingest waits and goes on by itself; a robot counts what it must drop."""

import contextlib
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actor.spool import Spool
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.topics import STEPS
from policy.errors import ConfigError
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.ingest import IngestConfig, TopicIngest
from storage.removals import Removals
from storage.tables import Lake
from tests.lake_rig import delivered, make_step

DEADLINE_S = 60.0
NO_BOUNDS = DiskConfig(warn_free_bytes=0, min_free_bytes=0)


@contextlib.contextmanager
def no_room_for_files_over(num_bytes: int) -> Iterator[None]:
    """The kernel refuses to write any file of this process beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def ingesting(lake: Lake, bus: MemoryBus, bounds: DiskConfig) -> Iterator[TopicIngest]:
    stopping, metrics = threading.Event(), Metrics()
    ingest = TopicIngest(
        STEPS, lake, bus, config=IngestConfig(flush_s=0.02), metrics=metrics, stopping=stopping,
        guard=EmbodimentGuard(None), removals=Removals(lake), disk=LakeDisk(lake.url, bounds, metrics),
    )  # fmt: skip
    thread = threading.Thread(target=ingest.run)
    thread.start()
    try:
        yield ingest
    finally:
        stopping.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def bus() -> MemoryBus:
    bus = MemoryBus()
    bus.ensure_topics()
    return bus


def test_ingest_waits_while_the_lake_has_no_room_and_stores_each_step_once(lake: Lake, bus: MemoryBus) -> None:
    robot = bus.producer("robot")
    with ingesting(lake, bus, NO_BOUNDS) as ingest:
        robot.send(STEPS, [make_step(seq) for seq in range(20)])
        until(lambda: len(delivered(lake)) == 20)
        with no_room_for_files_over(4096):
            robot.send(STEPS, [make_step(seq) for seq in range(20, 60)])
            until(lambda: "failed" in (ingest.problem or ""))
        until(lambda: len(delivered(lake)) == 60)
        until(lambda: ingest.problem is None)
    assert delivered(lake) == [("b0", seq) for seq in range(60)]


def test_ingest_stops_before_the_disk_is_full_and_says_so(lake: Lake, bus: MemoryBus) -> None:
    free = LakeDisk(lake.url, NO_BOUNDS, Metrics()).free_bytes()
    assert free is not None
    bounds = DiskConfig(warn_free_bytes=4 * free, min_free_bytes=4 * free)
    bus.producer("robot").send(STEPS, [make_step(seq) for seq in range(5)])
    with ingesting(lake, bus, bounds) as ingest:
        until(lambda: "nearly full" in (ingest.problem or ""))
        assert delivered(lake) == []
    with ingesting(lake, bus, NO_BOUNDS):  # somebody made room
        until(lambda: len(delivered(lake)) == 5)


def test_little_room_is_said_before_it_is_none(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    free = LakeDisk(lake.url, NO_BOUNDS, Metrics()).free_bytes()
    assert free is not None
    metrics = Metrics()
    disk = LakeDisk(lake.url, DiskConfig(warn_free_bytes=4 * free, min_free_bytes=0), metrics)
    disk.refuse_when_full()
    disk.refuse_when_full()
    assert [record.getMessage() for record in caplog.records].count("the lake's disk has little room") == 1
    assert "that is little" in disk.words()
    assert metrics.value("touchline_lake_free_bytes") > 0
    assert LakeDisk("s3://bucket/lake", NO_BOUNDS, metrics).words() == "an object store"
    with pytest.raises(ConfigError, match="min_free_bytes"):
        DiskConfig(warn_free_bytes=1, min_free_bytes=2)


def test_a_robot_counts_what_its_full_disk_cannot_hold_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    told: Counter[bool] = Counter()
    spool = Spool(tmp_path, 1 << 30, lambda counts, is_precious: told.update({is_precious: sum(counts.values())}))
    stream = (STEPS.name, "r0", "b0")
    assert spool.add(STEPS, [make_step(0)], is_precious=False)
    with no_room_for_files_over(512):
        assert spool.add(STEPS, [make_step(1), make_step(2)], is_precious=True) is None
    entry = spool.add(STEPS, [make_step(3)], is_precious=False)
    assert entry is not None
    assert [record.seq for waiting in spool.unsent() for record in spool.records(waiting)] == [0, 3]
    assert (spool.recorded(stream), spool.dropped(stream)) == (4, 2)
    assert told == {True: 2}
    spool.close()
