"""A commit that fails after its file is written was never made: its messages come again, and each row once."""

import os
from pathlib import Path

import pytest

from infra import wire
from infra.topics import STEPS
from policy.errors import LakeError
from storage.maintenance import clean_up
from storage.tables import Lake
from storage.writer import TableWriter
from tests.lake_rig import delivered, make_step


def take(writer: TableWriter, offset: int) -> int:
    return writer.take(0, offset, wire.decode(STEPS, wire.encode([make_step(offset)])))


def test_the_rows_come_once_and_the_file_of_the_failure_goes(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    writer = TableWriter(lake, STEPS)
    take(writer, 0)
    writer.commit()
    take(writer, 1)
    # The store takes the rows and refuses the log entry: something stands where it must go.
    obstacle = tmp_path / STEPS.name / "_delta_log" / f"{2:020}.json"
    obstacle.mkdir()
    with pytest.raises(LakeError):
        writer.commit()
    obstacle.rmdir()
    known = {Path(uri).name for uri in lake.open(STEPS).file_uris()}
    orphans = [file for file in (tmp_path / STEPS.name).glob("*.parquet") if file.name not in known]
    assert orphans
    assert delivered(lake) == [("b0", 0)]
    again = TableWriter(lake, STEPS)
    assert again.next_offsets == {0: 1}
    assert take(again, 1) == 1
    again.commit()
    assert delivered(lake) == [("b0", 0), ("b0", 1)]
    for file in orphans:
        os.utime(file, (0, 0))  # older than any commit under way
    clean_up(lake.open(STEPS))
    assert not any(file.exists() for file in orphans)
    assert delivered(lake) == [("b0", 0), ("b0", 1)]
