"""Episodes that are not whole yet: their steps wait here, still encoded, until the last has come."""

import dataclasses
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from storage.tables import OFFSET_COLUMN, PARTITION_COLUMN

MAX_STAGED_BYTES = 512 << 20
"""An episode whose end never comes must not stay for ever; the oldest are given up beyond this."""


@dataclasses.dataclass(kw_only=True)
class _Staged:
    pieces: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    num_rows: int = 0
    num_bytes: int = 0


class Staging:
    """Steps by episode, in the order in which their first step came."""

    def __init__(self, max_bytes: int = MAX_STAGED_BYTES) -> None:
        self._episodes: OrderedDict[str, _Staged] = OrderedDict()
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self.num_given_up = 0
        """Episodes let go incomplete."""

    def __contains__(self, episode_id: str) -> bool:
        return episode_id in self._episodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._episodes)

    def __len__(self) -> int:
        return len(self._episodes)

    def num_rows(self, episode_id: str) -> int:
        """Steps that have come so far."""
        return self._episodes[episode_id].num_rows

    def add(self, episode_id: str, steps: pa.RecordBatch) -> None:
        """Keep steps of one episode."""
        staged = self._episodes.setdefault(episode_id, _Staged())
        staged.pieces.append(steps)
        staged.num_rows += steps.num_rows
        staged.num_bytes += steps.nbytes
        self._num_bytes += steps.nbytes
        while self._num_bytes > self._max_bytes and len(self._episodes) > 1:
            self.drop(next(iter(self._episodes)))
            self.num_given_up += 1

    def drop(self, episode_id: str) -> None:
        """Forget an episode's steps."""
        self._num_bytes -= self._episodes.pop(episode_id).num_bytes

    def whole(self, episode_id: str, num_steps: int) -> pa.Table | None:
        """The episode's steps in order, if steps 0..num_steps-1 are all here; they stay staged.

        A snapshot that was begun again repeats rows; repeats of a step index count once.
        """
        if self.num_rows(episode_id) < num_steps:
            return None
        table = pa.Table.from_batches(self._episodes[episode_id].pieces)
        indices, rows = np.unique(table.column("step_index").to_numpy(), return_index=True)
        if not np.array_equal(indices, np.arange(num_steps)):
            return None
        return table.take(rows)

    def resume_offsets(self, read: dict[int, int]) -> dict[int, int]:
        """From where to read after a restart, so that staged steps come again.

        Args:
            read: last offset read per partition.
        """
        resume = dict(read)
        for piece in (piece for staged in self._episodes.values() for piece in staged.pieces):
            partitions = piece.column(PARTITION_COLUMN).to_numpy()
            offsets = piece.column(OFFSET_COLUMN).to_numpy()
            for partition in np.unique(partitions).tolist():
                before = int(offsets[partitions == partition].min()) - 1
                resume[partition] = min(resume.get(partition, before), before)
        return resume
