"""Staging: whole episodes come out in order, repeats count once, and waiting is bounded."""

from typing import Any

import pyarrow as pa

from infra import wire
from infra.topics import STEPS
from storage.staging import Staging
from tests.lake_rig import make_step


def piece(indices: list[int], offset: int, partition: int = 0) -> pa.RecordBatch:
    batch = wire.decode(STEPS, wire.encode([make_step(index) for index in indices]))
    origin: list[Any] = [
        pa.array([partition] * len(indices), pa.int32()),
        pa.array([offset] * len(indices), pa.int64()),
    ]
    names = [*batch.schema.names, "kafka_partition", "kafka_offset"]
    return pa.RecordBatch.from_arrays([*batch.columns, *origin], names=names)


def test_whole_when_every_step_is_here() -> None:
    staging = Staging()
    staging.add("e", piece([2, 3], 1))
    assert staging.whole("e", 4) is None
    staging.add("e", piece([2, 0], 2))
    assert staging.whole("e", 4) is None  # four rows, three steps
    staging.add("e", piece([1], 3))
    whole = staging.whole("e", 4)
    assert whole is not None
    assert whole.column("step_index").to_pylist() == [0, 1, 2, 3]
    staging.drop("e")
    assert "e" not in staging


def test_a_restart_reads_from_before_the_first_staged_step() -> None:
    staging = Staging()
    staging.add("e", piece([0], 7, partition=1))
    staging.add("e", piece([1], 9, partition=1))
    assert staging.resume_offsets({0: 5, 1: 9}) == {0: 5, 1: 6}


def test_the_oldest_are_given_up_beyond_the_bound() -> None:
    first = piece([0], 0)
    staging = Staging(max_bytes=2 * first.nbytes)
    for name in "abc":
        staging.add(name, first)
    assert list(staging) == ["b", "c"]
    assert staging.num_given_up == 1
