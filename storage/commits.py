"""When rows of a table were committed, as far back as its log is kept."""

import json

import numpy as np
from deltalake import DeltaTable
from numpy.typing import NDArray

from infra.topics import Topic
from policy.errors import LakeError
from storage.tables import READ_ERRORS, Lake
from storage.tail import REOPEN_READS
from storage.writer import LEDGER_KEY

Int64 = NDArray[np.int64]


class CommitTimes:
    """Follows one table's log; for topics of one partition.

    Every commit of ingest says up to which offset it goes, and the log says when it was made.
    """

    def __init__(self, lake: Lake, topic: Topic) -> None:
        self._lake, self._topic = lake, topic
        self._table: DeltaTable | None = None
        self._num_reads = 0
        self._version = -1
        self._first_version = -1
        self._offset, self._time_ns = np.empty(0, np.int64), np.empty(0, np.int64)
        """int64[C], the last offset of each commit, rising; int64[C], when it was made."""

    def refresh(self) -> None:
        """Read what came to the log.

        Raises:
            LakeError: the log cannot be read; the next refresh carries on.
        """
        try:
            table = self._followed()
            version = table.version()
            if version == self._version:
                return
            commits = table.history(version - self._version if self._version >= 0 else None)
        except READ_ERRORS as error:
            self._table = None
            raise LakeError("the table's log cannot be read", table=self._topic.name, cause=str(error)) from error
        self._take({
            max(offsets.values()): commit["timestamp"] * 1_000_000
            for commit in commits
            if LEDGER_KEY in commit and (offsets := json.loads(commit[LEDGER_KEY])["offsets"])
        })  # fmt: skip
        if self._version < 0:
            self._first_version = min((commit["version"] for commit in commits), default=0)
        self._version = version

    def of(self, offsets: Int64) -> Int64:
        """When the rows at these offsets were committed, ns; 0 where the log does not say any more."""
        if not len(self._offset):
            return np.zeros(len(offsets), np.int64)
        place = np.searchsorted(self._offset, offsets)
        is_known = place < len(self._offset)
        if self._first_version > 0:
            # The oldest commit still there may hold rows of those before it only by their offsets.
            is_known &= place > 0
        return np.where(is_known, self._time_ns[np.minimum(place, len(self._offset) - 1)], 0)

    def _followed(self) -> DeltaTable:
        self._num_reads += 1
        if self._table is None or self._num_reads % REOPEN_READS == 0:
            self._table = self._lake.open(self._topic)
        else:
            self._table.update_incremental()
        return self._table

    def _take(self, found: dict[int, int]) -> None:
        """Add commits; a later one goes further, as one topic has one writer at a time."""
        offset = np.array(sorted(found), np.int64)
        self._offset = np.concatenate([self._offset, offset])
        self._time_ns = np.concatenate([self._time_ns, np.array([found[last] for last in offset.tolist()], np.int64)])
