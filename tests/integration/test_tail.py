"""Tail: every row once, by the log or, when the clean-up was faster, by the snapshot."""

from pathlib import Path
from typing import Any

import pytest

from infra.topics import STEPS
from storage import tail as tails
from storage.maintenance import MaintenanceConfig, maintain
from storage.tables import Lake
from storage.tail import Tail
from tests.lake_rig import Filler, make_step


@pytest.fixture
def filler(tmp_path: Path) -> Filler:
    return Filler(Lake(str(tmp_path / "lake")))


def read(tail: Tail) -> list[int]:
    """The seqs of new rows, sorted."""
    found: list[int] = []
    for batch in tail.read():
        seqs: list[Any] = batch.column("seq").to_pylist()
        found += seqs
    return sorted(found)


def put(filler: Filler, first: int, count: int, partition: int = 0) -> None:
    filler.put(STEPS, [make_step(seq) for seq in range(first, first + count)], partition)


def test_snapshot_first_and_then_the_log(filler: Filler) -> None:
    put(filler, 0, 3)
    tail = Tail(filler.lake, STEPS, ["seq"])
    assert read(tail) == [0, 1, 2]
    assert read(tail) == []
    put(filler, 3, 2)
    put(filler, 5, 2, partition=1)
    assert read(tail) == [3, 4, 5, 6]
    assert tail.num_snapshot_reads == 1
    assert tail.offsets == {0: 1, 1: 0}


def test_compaction_brings_nothing_twice(filler: Filler) -> None:
    for index in range(4):
        put(filler, index, 1)
    tail = Tail(filler.lake, STEPS, ["seq"])
    assert read(tail) == [0, 1, 2, 3]
    put(filler, 4, 1)
    maintain(filler.lake, STEPS, MaintenanceConfig())
    put(filler, 5, 1)
    assert read(tail) == [4, 5]


def test_behind_the_clean_up_the_snapshot_has_the_rows(filler: Filler) -> None:
    put(filler, 0, 2)
    tail = Tail(filler.lake, STEPS, ["seq"])
    assert read(tail) == [0, 1]
    for index in range(2, 8):
        put(filler, index, 1)
    maintain(filler.lake, STEPS, MaintenanceConfig(), retention_h=0)
    assert read(tail) == [2, 3, 4, 5, 6, 7]
    assert tail.num_snapshot_reads == 2
    put(filler, 8, 1)
    assert read(tail) == [8]


def test_a_fresh_handle_now_and_then_changes_nothing(filler: Filler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "REOPEN_READS", 2)
    tail = Tail(filler.lake, STEPS, ["seq"])
    for index in range(7):
        put(filler, index, 1)
        assert read(tail) == [index]
    assert tail.num_snapshot_reads == 1


def test_begins_after_and_ends_at_given_offsets(filler: Filler) -> None:
    for index in range(6):
        put(filler, index, 1)
    tail = Tail(filler.lake, STEPS, ["seq"], offsets={0: 1}, until={0: 3})
    assert read(tail) == [2, 3]
    put(filler, 6, 1)
    assert read(tail) == []
