"""When rows of a table were committed, as far back as its log is kept."""

import json

import numpy as np
from numpy.typing import NDArray

from infra.topics import Topic
from policy.errors import LakeError
from storage.tables import READ_ERRORS, Lake
from storage.writer import LEDGER_KEY

Int64 = NDArray[np.int64]


class CommitTimes:
    """Follows one table's log; for topics of one partition.

    Every commit of ingest says up to which offset it goes, and the log says when it was made.
    """

    def __init__(self, lake: Lake, topic: Topic) -> None:
        self._lake, self._topic = lake, topic
        self._version = -1
        self._first_version = -1
        self._time_ns: dict[int, int] = {}
        """By last offset."""

    @property
    def newest_ns(self) -> int:
        """When rows last came; 0 where that is not known."""
        return self._time_ns[max(self._time_ns)] if self._time_ns else 0

    def refresh(self) -> None:
        """Read what came to the log.

        Raises:
            LakeError: the log cannot be read; the next refresh carries on.
        """
        table = self._lake.open(self._topic)
        version = table.version()
        if version == self._version:
            return
        try:
            commits = table.history(version - self._version if self._version >= 0 else None)
        except READ_ERRORS as error:
            raise LakeError("the table's log cannot be read", table=self._topic.name, cause=str(error)) from error
        for commit in commits:
            if LEDGER_KEY in commit:
                offsets = json.loads(commit[LEDGER_KEY])["offsets"]
                self._time_ns[max(offsets.values(), default=-1)] = commit["timestamp"] * 1_000_000
        if self._version < 0:
            self._first_version = min((commit["version"] for commit in commits), default=0)
        self._version = version

    def of(self, offsets: Int64) -> Int64:
        """When the rows at these offsets were committed, ns; 0 where the log does not say any more."""
        known = np.array(sorted(self._time_ns), np.int64)
        if not len(known):
            return np.zeros(len(offsets), np.int64)
        times = np.array([self._time_ns[offset] for offset in known.tolist()], np.int64)
        place = np.searchsorted(known, offsets)
        is_known = place < len(known)
        if self._first_version > 0:
            # The oldest commit still there may hold rows of those before it only by their offsets.
            is_known &= place > 0
        return np.where(is_known, times[np.minimum(place, len(known) - 1)], 0)
