"""Maintenance under load: readers and the writer never notice, and the table stays small."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.metrics import Metrics
from infra.topics import STEPS, Topic
from policy.errors import ConfigError
from storage.figures import summary
from storage.maintenance import MaintenanceConfig, is_due, keep_maintained, maintain
from storage.tables import Lake, LakeConfig
from storage.tail import Tail
from tests.lake_rig import Filler, delivered, make_step

NUM_COMMITS = 60


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def repeated(work: Callable[[], None], done: threading.Event, errors: list[Exception]) -> None:
    try:
        while not done.is_set():
            work()
    except Exception as error:
        errors.append(error)


def test_compaction_under_a_writer_and_two_kinds_of_readers(lake: Lake) -> None:
    filler = Filler(lake)
    filler.put(STEPS, [make_step(0)])
    done = threading.Event()
    errors: list[Exception] = []
    tail = Tail(lake, STEPS, ["seq"])
    tailed: list[int] = []

    def follow() -> None:
        for batch in tail.read():
            seqs: list[Any] = batch.column("seq").to_pylist()
            tailed.extend(seqs)

    def look() -> None:
        seqs = [seq for _, seq in delivered(lake)]
        assert seqs == list(range(len(seqs)))

    def tidy() -> None:
        # No retention at all: replaced files go while others may still read them.
        maintain(lake, STEPS, MaintenanceConfig(), retention_h=0)

    threads = [threading.Thread(target=repeated, args=(work, done, errors)) for work in (follow, look, tidy)]
    for thread in threads:
        thread.start()
    for seq in range(1, NUM_COMMITS):
        filler.put(STEPS, [make_step(seq)])
    done.set()
    for thread in threads:
        thread.join()
    follow()
    assert errors == []
    assert sorted(tailed) == list(range(NUM_COMMITS))
    assert delivered(lake) == [("b0", seq) for seq in range(NUM_COMMITS)]


def test_due_by_the_number_of_small_files(lake: Lake) -> None:
    filler = Filler(lake)
    config = MaintenanceConfig(min_small_files=3, interval_s=0.01)
    for seq in range(2):
        filler.put(STEPS, [make_step(seq)])
    assert not is_due(lake, STEPS, config)
    filler.put(STEPS, [make_step(2)])
    assert is_due(lake, STEPS, config)
    metrics, stopping = Metrics(), threading.Event()
    thread = threading.Thread(target=keep_maintained, args=(lake, config, metrics, stopping, [STEPS]))
    thread.start()
    while summary(lake, STEPS).num_files > 1:
        assert not stopping.wait(0.01)
    stopping.set()
    thread.join()
    assert summary(lake, STEPS).num_rows == 3


def test_a_table_is_left_alone_while_its_upkeep_is_anothers(lake: Lake) -> None:
    filler = Filler(lake)
    for seq in range(3):
        filler.put(STEPS, [make_step(seq)])
    config = MaintenanceConfig(min_small_files=2, interval_s=0.01)
    stopping, num_asked = threading.Event(), 0

    def is_ours(topic: Topic) -> bool:
        nonlocal num_asked
        num_asked += 1
        if num_asked == 3:
            stopping.set()
        return False

    keep_maintained(lake, config, Metrics(), stopping, [STEPS], is_ours=is_ours)
    assert summary(lake, STEPS).num_files == 3


def test_the_log_goes_when_its_time_is_over(tmp_path: Path) -> None:
    def num_left(log_retention_h: float) -> int:
        lake = Lake(str(tmp_path / f"{log_retention_h}"), config=LakeConfig(log_retention_h=log_retention_h))
        filler = Filler(lake)
        for seq in range(NUM_COMMITS):
            filler.put(STEPS, [make_step(seq)])
        threading.Event().wait(1.5)
        maintain(lake, STEPS, MaintenanceConfig())
        assert delivered(lake) == [("b0", seq) for seq in range(NUM_COMMITS)]
        return len(list(Path(lake.uri(STEPS.name), "_delta_log").glob("*.json")))

    assert num_left(1 / 3600) < 10
    assert num_left(0.5) > NUM_COMMITS


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="log_retention_h"):
        LakeConfig(log_retention_h=0.0)
    with pytest.raises(ConfigError, match="min_small_files"):
        MaintenanceConfig(min_small_files=1)
    with pytest.raises(ConfigError, match="interval_s"):
        MaintenanceConfig(interval_s=0.0)
