"""TableWriter on a real Delta table: one commit holds rows, offsets and delivered ranges."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from infra import wire
from infra.topics import STEPS, TELEMETRY
from policy.errors import LakeError, OffsetConflict, SchemaError
from policy.schema import Step
from storage import writer as writers
from storage.maintenance import MaintenanceConfig, maintain
from storage.tables import Lake, table_schema
from storage.writer import LEDGER_KEY, TableWriter, app_id
from tests.lake_rig import delivered, make_step


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def batch(seqs: Sequence[int], boot_id: str = "b0") -> pa.RecordBatch:
    steps: list[Step] = [make_step(seq, boot_id=boot_id) for seq in seqs]
    return wire.decode(STEPS, wire.encode(steps))


def test_rows_come_back_as_they_were_sent(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    sent = batch(range(3))
    assert writer.take(2, 7, sent) == 3
    assert writer.commit() == 3
    rows = lake.read(STEPS)
    assert rows.schema.equals(table_schema(STEPS))
    assert (
        rows.select(sent.schema.names)
        .to_batches()[0]
        .drop_columns("command_delay_ms")
        .equals(sent.drop_columns("command_delay_ms"))
    )
    assert rows.column("kafka_offset").to_pylist() == [7] * 3
    assert rows.column("kafka_partition").to_pylist() == [2] * 3


def test_a_new_writer_goes_on_where_the_table_stands(lake: Lake) -> None:
    first = TableWriter(lake, STEPS)
    first.take(0, 0, batch([0, 1]))
    first.skip(1, 4)
    first.commit()
    first.take(0, 1, batch([2]))  # never committed: the crash
    second = TableWriter(lake, STEPS)
    assert second.next_offsets == {0: 1, 1: 5}
    assert second.take(0, 0, batch([0, 1])) == 0
    assert second.take(0, 1, batch([1, 2, 3])) == 2
    second.commit()
    assert delivered(lake) == [("b0", seq) for seq in range(4)]


def test_offsets_of_dropped_messages_are_stored_without_rows(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    writer.skip(0, 3)
    assert writer.commit() == 0
    assert TableWriter(lake, STEPS).next_offsets == {0: 4}
    assert not writer.has_news


def test_a_second_writer_is_refused(lake: Lake) -> None:
    ours, theirs = TableWriter(lake, STEPS), TableWriter(lake, STEPS)
    ours.take(0, 0, batch([0]))
    ours.commit()
    theirs.take(0, 0, batch([0]))
    with pytest.raises(OffsetConflict):
        theirs.commit()
    assert delivered(lake) == [("b0", 0)]


def test_writers_of_other_partitions_never_meet(lake: Lake) -> None:
    ours, theirs = TableWriter(lake, STEPS, {0, 1}), TableWriter(lake, STEPS, {2, 3})
    for offset in range(3):
        ours.take(0, offset, batch([offset]))
        theirs.take(2, offset, batch([offset], boot_id="b1"))
        assert (theirs.commit(), ours.commit()) == (1, 1)
    assert len(delivered(lake)) == 6
    with pytest.raises(LakeError, match="not ours"):
        ours.take(2, 9, batch([9]))


def test_a_writer_is_refused_though_its_own_commits_have_moved_its_handle_past_the_others(lake: Lake) -> None:
    stale, owner = TableWriter(lake, STEPS), TableWriter(lake, STEPS, {0})
    owner.take(0, 0, batch([0]))
    owner.commit()
    stale.take(1, 0, batch([0], boot_id="b1"))
    with pytest.raises(OffsetConflict):
        stale.commit()
    assert delivered(lake) == [("b0", 0)]


def test_a_partition_goes_from_one_writer_to_another_with_what_was_delivered(lake: Lake) -> None:
    first, other = TableWriter(lake, STEPS, {0, 1}), TableWriter(lake, STEPS, {2})
    first.take(0, 0, batch([0, 1]))
    first.take(1, 0, batch([0, 1], boot_id="b1"))
    first.commit()
    other.take(2, 0, batch([0], boot_id="b2"))
    other.commit()
    next_owner = TableWriter(lake, STEPS, {1, 2})
    assert next_owner.next_offsets == {1: 1, 2: 1}
    assert next_owner.take(1, 1, batch([1, 2], boot_id="b1")) == 1
    assert next_owner.take(2, 1, batch([0, 1], boot_id="b2")) == 1
    next_owner.commit()
    first.take(0, 1, batch([2]))
    with pytest.raises(OffsetConflict):  # it lost a partition, and has not heard of it
        first.commit()


def test_a_second_writer_is_seen_when_the_handle_is_opened_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "REOPEN_COMMITS", 1)
    writer = TableWriter(lake, STEPS)
    writer.take(0, 0, batch([0]))
    # What a stale writer could still do after refreshing: commit a lower offset over ours.
    rows = pa.Table.from_batches([], schema=table_schema(STEPS))

    def lower_offset() -> None:
        write_deltalake(
            lake.open(STEPS),
            rows,
            mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction(app_id(STEPS, 0), -5)]),
        )

    opened = lake.open

    def open_after_the_other(topic: object) -> object:
        monkeypatch.setattr(lake, "open", opened)
        lower_offset()
        return opened(STEPS)

    monkeypatch.setattr(lake, "open", open_after_the_other)
    with pytest.raises(OffsetConflict):
        writer.commit()


def test_many_commits_and_handles(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "REOPEN_COMMITS", 3)
    writer = TableWriter(lake, STEPS)
    for offset in range(8):
        writer.take(0, offset, batch([offset]))
        writer.commit()
    assert writer.num_commits == 8
    assert len(delivered(lake)) == 8


def test_without_a_ledger_ranges_are_recalled_from_the_rows(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    writer.take(0, 0, batch([0, 1, 5]))
    writer.take(0, 1, batch([0], boot_id="it's"))
    writer.commit()
    rows = pa.Table.from_batches([], schema=table_schema(STEPS))
    for number in range(25):  # more than are searched for a ledger
        write_deltalake(
            lake.open(STEPS),
            rows,
            mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction("somebody", number)]),
        )
    again = TableWriter(lake, STEPS)
    assert again.next_offsets == {0: 2}
    assert again.take(0, 2, batch([0, 1, 2, 5])) == 1
    assert again.take(0, 3, batch([0, 1], boot_id="it's")) == 1


def test_a_ledger_that_does_not_fit_the_offsets_is_not_believed(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    writer.take(0, 0, batch([0]))
    writer.commit()
    lying = Lake(lake.url).open(STEPS)
    write_deltalake(
        lying,
        pa.Table.from_batches([], schema=table_schema(STEPS)),
        mode="append",
        commit_properties=CommitProperties(
            custom_metadata={LEDGER_KEY: '{"offsets":{"0":99},"delivered":{},"is_whole":true}'}
        ),
    )
    again = TableWriter(lake, STEPS)
    assert again.next_offsets == {0: 1}
    assert again.take(0, 1, batch([0, 1])) == 1


def test_the_ledger_survives_maintenance(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    for offset in range(5):
        writer.take(0, offset, batch([offset]))
        writer.commit()
    maintain(lake, STEPS, MaintenanceConfig(), retention_h=0)
    assert TableWriter(lake, STEPS).take(0, 5, batch([3, 5])) == 1
    writer.take(0, 5, batch([3, 5]))  # the writer that went on is not disturbed
    assert writer.commit() == 1
    assert delivered(lake) == [("b0", seq) for seq in (0, 1, 2, 3, 4, 5)]


def test_a_store_that_fails_is_a_lake_error(lake: Lake) -> None:
    writer = TableWriter(lake, STEPS)
    writer.take(0, 0, batch([0]))
    folder = Path(lake.url) / STEPS.name
    folder.rename(folder.with_name("gone"))
    folder.write_text("not a folder")
    with pytest.raises(LakeError):
        writer.commit()


def test_a_table_of_another_release_is_refused_in_words(lake: Lake) -> None:
    other = table_schema(STEPS).remove(0).append(pa.field("surprise", pa.int64()))
    write_deltalake(f"{lake.url}/{STEPS.name}", other.empty_table())
    with pytest.raises(SchemaError, match="surprise"):
        lake.open(STEPS)


def test_what_is_not_kept_has_no_table(lake: Lake) -> None:
    with pytest.raises(LakeError, match="telemetry"):
        lake.open(TELEMETRY)
