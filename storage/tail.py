"""A reader that follows one table: every row once, in about the time the commit took.

    at the end of the log       read what the new commits added (the change feed), a few ms
    first read, or left behind  read the current snapshot beyond the offsets already read

Both paths are filtered by offset, so rows come once whichever path they take, and however often
compaction rewrote them.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable

from infra.columns import fitted
from infra.topics import Topic
from policy.errors import LakeError
from storage.evolution import present
from storage.tables import (
    OFFSET_COLUMN,
    PARTITION_COLUMN,
    READ_ERRORS,
    Lake,
    beyond,
    columns_of,
    scan,
    table_defaults,
)

REOPEN_READS = 50
"""A handle that follows the log slows down; a fresh one starts from the last checkpoint."""

_NUM_READ_ATTEMPTS = 3


class Tail:
    """Follows one table from given offsets."""

    def __init__(
        self,
        lake: Lake,
        topic: Topic,
        columns: Sequence[str] | None = None,
        *,
        offsets: Mapping[int, int] | None = None,
        until: Mapping[int, int] | None = None,
        where: str | None = None,
    ) -> None:
        """Prepare to read; nothing is opened yet.

        Args:
            lake: where the table is.
            topic: whose table.
            columns: which columns; None for all. Partition and offset always come along.
            offsets: last offset per partition that is not wanted any more.
            until: last offset per partition that is wanted; None for no end.
            where: an SQL condition that spares a snapshot read rows; the reader must not rely on it.
        """
        self._lake = lake
        self._topic = topic
        names = list(columns_of(topic, columns).names)
        self._columns = names + [name for name in (PARTITION_COLUMN, OFFSET_COLUMN) if name not in names]
        self._until = until
        self._where = where
        self._table: DeltaTable | None = None
        self._num_reads = 0
        self.offsets = dict(offsets or {})
        """Last offset read, per partition."""
        self.num_snapshot_reads = 0
        """How often the log was not enough."""

    @property
    def version(self) -> int:
        """Table version up to which everything was read; -1 before the first read."""
        return -1 if self._table is None else self._table.version()

    def read(self) -> list[pa.RecordBatch]:
        """Rows that came since the last read, each once.

        Raises:
            LakeError: the table cannot be read; the next read brings them.
        """
        for _ in range(_NUM_READ_ATTEMPTS - 1):
            with contextlib.suppress(LakeError):
                return list(self.stream())
        return list(self.stream())

    def stream(self) -> Iterator[pa.RecordBatch]:
        """As `read`, batch by batch for tables that memory does not hold; consume it to the end.

        Raises:
            LakeError: the table cannot be read; the next time begins again, rows already given included.
        """
        # Offsets move when all is read: a snapshot comes in no order.
        seen = dict(self.offsets)
        for batch in self._new_batches():
            batch = self._wanted(batch)
            if batch.num_rows:
                for partition, offset in last_offsets(batch).items():
                    seen[partition] = max(offset, seen.get(partition, -1))
                yield batch
        self.offsets = seen

    def _new_batches(self) -> Iterator[pa.RecordBatch]:
        if self._table is not None:
            since = self._table.version()
            try:
                self._num_reads += 1
                if self._num_reads % REOPEN_READS == 0:
                    self._table = self._lake.open(self._topic)
                else:
                    self._table.update_incremental()
                if self._table.version() == since:
                    return
                # Small by nature, so it is read whole: a failure half-way leaves nothing half read.
                yield from self._changes(self._table, since + 1)
                return
            except READ_ERRORS:
                pass  # behind the clean-up: the snapshot has the rows
        yield from self._snapshot()

    def _changes(self, table: DeltaTable, version: int) -> list[pa.RecordBatch]:
        reader = pa.RecordBatchReader.from_stream(
            table.load_cdf(
                starting_version=version,
                ending_version=table.version(),
                columns=present(table, self._columns),
                predicate="_change_type = 'insert'",  # an erased row is reported too, with what was in it
            )
        )
        schema, filling = columns_of(self._topic, self._columns), table_defaults(self._topic)
        return [fitted(batch, schema, filling) for batch in reader]

    def _snapshot(self) -> Iterator[pa.RecordBatch]:
        self.num_snapshot_reads += 1
        conditions = [f"({text})" for text in (beyond(self.offsets), self._where) if text]
        self._table = self._lake.open(self._topic)
        try:
            yield from scan(self._table, self._topic, self._columns, " AND ".join(conditions) or None)
        except READ_ERRORS as error:
            self._table = None
            raise LakeError("the table cannot be read", table=self._topic.name, cause=str(error)) from error

    def _wanted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        partitions, offsets = batch.column(PARTITION_COLUMN).to_numpy(), batch.column(OFFSET_COLUMN).to_numpy()
        is_wanted = np.ones(batch.num_rows, np.bool_)
        for partition in np.unique(partitions).tolist():
            here = partitions == partition
            is_wanted &= ~here | (offsets > self.offsets.get(partition, -1))
            if self._until is not None:
                is_wanted &= ~here | (offsets <= self._until.get(partition, -1))
        return batch if is_wanted.all() else batch.filter(pa.array(is_wanted))


def last_offsets(rows: pa.RecordBatch | pa.Table) -> dict[int, int]:
    """The last offset of each partition among some rows."""
    partitions, offsets = rows.column(PARTITION_COLUMN).to_numpy(), rows.column(OFFSET_COLUMN).to_numpy()
    return {partition: int(offsets[partitions == partition].max()) for partition in np.unique(partitions).tolist()}
