"""The writer of one table, or of some of its partitions: commits new rows together with the ledger.

    take(message) -> rows not delivered before, into the buffer
    commit()      -> rows + application transactions + ledger, one Delta commit

A commit that fails, or whose fate is unknown, leaves the writer unusable: open a new one, which
recovers the ledger from the table, and read again from its offsets.

A commit names every partition of its writer, those that did not move included. Delta refuses it when anybody else
has committed one of them since our handle was opened, so of two writers of a partition, whoever they believe they
are, the first goes on and the other begins again where the first one stands. Writers of other partitions never meet.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, PostCommitHookProperties, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from infra.columns import arrow_schema
from infra.topics import Topic
from policy.errors import LakeError, OffsetConflict
from storage.offsets import Ledger, SeqRanges
from storage.tables import OFFSET_COLUMN, PARTITION_COLUMN, READ_ERRORS, TIME_COLUMN, Lake, sql_text, table_schema

LEDGER_KEY = "touchline.ledger"
"""Under which a commit's metadata holds `Ledger.to_json`."""
REOPEN_COMMITS = 50
"""A handle slows with every commit it makes; a fresh one starts from the last checkpoint."""

_NUM_COMMITS_SEARCHED = 20
"""Maintenance commits carry no ledger; the newest append is never far behind them."""
_UNCOMPRESSED = WriterProperties(compression="UNCOMPRESSED")  # JPEG frames; compaction compresses
_HOOKS = PostCommitHookProperties(cleanup_expired_logs=False)
"""To look through the log for what has expired took longer than the rest of a commit, of a log of half an hour;
`maintenance.py` does it."""
_ORIGIN_COLUMNS = (PARTITION_COLUMN, OFFSET_COLUMN, TIME_COLUMN)
_NOTHING = -1
"""The offset of a partition from which nothing was taken."""


def app_id(topic: Topic, partition: int) -> str:
    """The application-transaction id of one topic-partition."""
    return f"{topic.name}-{partition}"


class TableWriter:
    """The exactly-once door of one table; one thread at a time."""

    def __init__(self, lake: Lake, topic: Topic, partitions: Iterable[int] | None = None) -> None:
        """Open the table and recover what it has taken.

        Args:
            lake: where the table is.
            topic: whose table.
            partitions: those of the topic that this writer takes; None for all.

        Raises:
            LakeError: the table cannot be opened or read.
        """
        self._lake = lake
        self._topic = topic
        self._partitions = frozenset(range(topic.num_partitions) if partitions is None else partitions)
        self._table = lake.open_to_write(topic)
        self._schema = table_schema(topic)
        self._ledger = self._recover()
        self._committed = dict(self._ledger.offsets)
        self._buffer: list[pa.RecordBatch] = []
        self._origins: list[tuple[int, int, int]] = []
        """Of each batch in the buffer: partition, offset and the broker's time."""
        self.num_bytes = 0
        """Bytes in the buffer."""
        self.num_rows = 0
        """Rows in the buffer."""
        self.num_commits = 0
        """Commits made by this writer."""

    @property
    def next_offsets(self) -> dict[int, int]:
        """Where to read on, per partition; a partition that is not named was never read."""
        return {partition: offset + 1 for partition, offset in self._ledger.offsets.items()}

    @property
    def has_news(self) -> bool:
        """Whether a commit would store anything: rows, or offsets of dropped messages."""
        return self._ledger.offsets != self._committed

    def take(self, partition: int, offset: int, batch: pa.RecordBatch, kafka_time_ns: int = 0) -> int:
        """Buffer the rows of one message that were not delivered before; returns how many.

        Args:
            partition: where the message was.
            offset: its place there.
            batch: its records.
            kafka_time_ns: when the broker got it; 0 where that is not known.

        Raises:
            LakeError: the partition is not this writer's.
        """
        self._refuse_strange(partition)
        boot_ids: list[Any] = batch.column("boot_id").to_pylist()
        is_new = self._ledger.take(partition, offset, boot_ids, batch.column("seq").to_numpy().tolist())
        num_new = int(np.count_nonzero(is_new))
        if num_new == 0:
            return 0
        if num_new < batch.num_rows:
            batch = batch.filter(pa.array(is_new))
        self._buffer.append(batch)
        self._origins.append((partition, offset, kafka_time_ns))
        self.num_bytes += batch.nbytes
        self.num_rows += num_new
        return num_new

    def skip(self, partition: int, offset: int) -> None:
        """Move past a message that brings no rows (a dead letter).

        Raises:
            LakeError: the partition is not this writer's.
        """
        self._refuse_strange(partition)
        self._ledger.take(partition, offset, (), ())

    def commit(self) -> int:
        """Store buffer and ledger in one commit; returns the number of rows stored.

        Raises:
            OffsetConflict: another writer has committed one of our partitions; open a new writer.
            LakeError: the store failed, and whether the commit landed is unknown; open a new writer.
        """
        if not self.has_news:
            return 0
        moved = {p: o for p, o in self._ledger.offsets.items() if self._committed.get(p) != o}
        properties = CommitProperties(
            custom_metadata={LEDGER_KEY: self._ledger.to_json()},
            app_transactions=[
                Transaction(app_id(self._topic, p), self._ledger.offsets.get(p, _NOTHING)) for p in self._partitions
            ],
        )
        try:
            try:
                self._append(properties)
            except CommitFailedError:
                # A sweep took rows away in between, or another writer was first: `_reopen` tells which.
                self._reopen()
                self._append(properties)
        except CommitFailedError as error:
            raise OffsetConflict(
                "another writer committed our partitions", table=self._topic.name, offsets=moved, cause=str(error)
            ) from error
        except (DeltaError, OSError, pa.ArrowException) as error:
            raise LakeError("the commit failed", table=self._topic.name, offsets=moved, cause=str(error)) from error
        return self._committed_now()

    def _append(self, properties: CommitProperties) -> None:
        write_deltalake(
            self._table,
            self._rows(),
            mode="append",
            writer_properties=_UNCOMPRESSED,
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )

    def _rows(self) -> pa.Table:
        """The buffer as the table has it: each row with where it came from."""
        rows = pa.Table.from_batches(self._buffer, schema=arrow_schema(self._topic.record))
        counts = [batch.num_rows for batch in self._buffer]
        origins = np.array(self._origins, np.int64).reshape(-1, len(_ORIGIN_COLUMNS))
        for name, origin in zip(_ORIGIN_COLUMNS, origins.T, strict=True):
            field = self._schema.field(name)
            rows = rows.append_column(field, pa.array(np.repeat(origin, counts), field.type))
        return rows

    def _committed_now(self) -> int:
        num_rows = self.num_rows
        self._committed = dict(self._ledger.offsets)
        self._ledger.forget_oldest()
        self._buffer.clear()
        self._origins.clear()
        self.num_bytes = self.num_rows = 0
        self.num_commits += 1
        if self.num_commits % REOPEN_COMMITS == 0:
            self._reopen()
        return num_rows

    def _reopen(self) -> None:
        """Take a fresh handle; Delta refuses a stale writer only until it refreshes, so we compare.

        Raises:
            OffsetConflict: the table is not where we left it.
        """
        self._table = self._lake.open(self._topic)
        for partition in self._partitions:
            offset, stored = self._committed.get(partition, _NOTHING), self._stored(partition)
            if stored != offset:
                raise OffsetConflict(
                    "another writer moved our partition",
                    table=self._topic.name,
                    partition=partition,
                    ours=offset,
                    stored=stored,
                )

    def _recover(self) -> Ledger:
        """The newest ledger that fits our partitions' offsets; else from the rows.

        One that fits is whole for us, whoever wrote it: a record's key decides its partition, so its copies come
        through the same one.
        """
        try:
            offsets = self._stored_offsets()
            for commit in self._table.history(_NUM_COMMITS_SEARCHED):
                if LEDGER_KEY in commit:
                    ledger = Ledger.from_json(commit[LEDGER_KEY], self._recall)
                    ledger.offsets = {p: offset for p, offset in ledger.offsets.items() if p in self._partitions}
                    if ledger.offsets == offsets:
                        return ledger
            return Ledger(offsets, is_whole=not offsets, recall=self._recall)
        except READ_ERRORS as error:
            raise LakeError("the ledger cannot be read", table=self._topic.name, cause=str(error)) from error

    def _stored_offsets(self) -> dict[int, int]:
        stored = {partition: self._stored(partition) for partition in self._partitions}
        return {partition: offset for partition, offset in stored.items() if offset != _NOTHING}

    def _stored(self, partition: int) -> int:
        offset: int | None = self._table.transaction_version(app_id(self._topic, partition))
        return _NOTHING if offset is None else offset

    def _refuse_strange(self, partition: int) -> None:
        if partition not in self._partitions:
            raise LakeError(
                "a message of a partition that is not ours",
                topic=self._topic.name,
                partition=partition,
                ours=sorted(self._partitions),
            )

    def _recall(self, boot_id: str) -> SeqRanges:
        """One boot's delivered ranges from the table's own rows.

        Raises:
            LakeError: the table cannot be read.
        """
        ranges = SeqRanges()
        where = f"boot_id = {sql_text(boot_id)}"
        rows = self._lake.read(self._topic, ["seq"], where)
        for seq in np.sort(rows.column("seq").to_numpy()).tolist():
            ranges.take(seq)
        return ranges
