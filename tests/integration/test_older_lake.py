"""A lake that an earlier release wrote, without the columns that came since: readers read it, ingest writes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from console.history.history import History
from infra import wire
from infra.topics import EPISODES, LABELS, STEPS, Topic
from storage.episode_index import EpisodeIndex
from storage.maintenance import MaintenanceConfig, maintain
from storage.replay import Replay
from storage.tables import KEPT_TOPICS, TIME_COLUMN, Lake, table_defaults, table_schema
from storage.tail import Tail
from storage.writer import LEDGER_KEY, TableWriter, app_id
from tests.lake_rig import Filler, delivered, make_episode, make_run, make_step, toy_spec


def aged(lake: Lake, topic: Topic) -> None:
    """Make one table again without the columns that have a default, as an earlier release wrote it."""
    newer = sorted(table_defaults(topic))
    rows = lake.read(topic).drop_columns(newer)
    ledger = next((commit[LEDGER_KEY] for commit in lake.open(topic).history() if LEDGER_KEY in commit), None)
    uri = f"{lake.url}/{topic.name}"
    shutil.rmtree(uri)
    schema = pa.schema([field for field in table_schema(topic) if field.name not in newer])
    table = DeltaTable.create(uri, schema, configuration={"delta.enableChangeDataFeed": "true"})
    if ledger is not None:
        offsets: dict[str, int] = json.loads(ledger)["offsets"]
        written = [Transaction(app_id(topic, int(partition)), offset) for partition, offset in offsets.items()]
        properties = CommitProperties(custom_metadata={LEDGER_KEY: ledger}, app_transactions=written)
        write_deltalake(table, pa.table(rows, schema=schema), mode="append", commit_properties=properties)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    filler = Filler(lake)
    for number in range(3):
        filler.put_run(number, 4)
    filler.put_label(0, "b0/e1", "failure", 5)
    for topic in KEPT_TOPICS:
        aged(lake, topic)
    return lake


def test_every_reader_reads_it(lake: Lake, tmp_path: Path) -> None:
    assert lake.read(LABELS, ["progress"]).column("progress").to_pylist() == [0]
    assert lake.read(STEPS, ["seq", TIME_COLUMN]).column(TIME_COLUMN).to_pylist() == [0] * 12
    index = EpisodeIndex(lake)
    index.refresh()
    assert [index.outcome(name) for name in sorted(index.episodes)] == ["success", "failure", "success"]
    replay = Replay(lake, tmp_path / "replay", toy_spec(), 100)
    assert replay.refresh() == 3
    assert replay.view().gather(np.arange(4), 2).state[:, 0].tolist() == [0, 1, 2, 3]
    replay.close()
    history = History(lake)
    history.refresh()
    assert history.freshness.away == ""
    assert len(history.snapshot().episodes.episode_id) == 3


def test_ingest_writes_on_and_a_reader_that_follows_sees_each_row_once(lake: Lake) -> None:
    tail = Tail(lake, STEPS, ["seq", TIME_COLUMN])
    assert sum(batch.num_rows for batch in tail.read()) == 12
    writer = TableWriter(lake, STEPS)
    steps, _ = make_run(3, 4)
    again = wire.decode(STEPS, wire.encode([make_step(2001), *steps]))
    offset = writer.next_offsets[0]
    assert writer.take(0, offset, again, kafka_time_ns=7_000_000) == 4  # 2001 is there
    writer.commit()
    assert [row for batch in tail.read() for row in batch.column(TIME_COLUMN).to_pylist()] == [7_000_000] * 4
    maintain(lake, STEPS, MaintenanceConfig())
    assert len(delivered(lake)) == 16
    times = np.sort(lake.read(STEPS, [TIME_COLUMN]).column(TIME_COLUMN).to_numpy())
    assert times.tolist() == [0] * 12 + [7_000_000] * 4
    TableWriter(lake, EPISODES).take(0, 99, wire.decode(EPISODES, wire.encode([make_episode(9, 1)])))
