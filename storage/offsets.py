"""The exactly-once rule, alone: what has been delivered, and so what a message still brings.

Two things are remembered, and both are stored in the same Delta commit as the rows they speak of:

    offsets    per partition the last offset taken: a message at or below it is dropped whole
    delivered  per boot the ranges of `seq` taken: a record inside them is dropped alone

Offsets make a restart of *ingest* exact (the consumer seeks from the table). Delivered ranges make
a restart of a *robot* exact: what it sends twice, or late, arrives under new offsets. Ranges and not a
high-water mark, because a spool delivers old steps after new ones.

Growth is bounded: consecutive numbers melt into one range, and only the boots seen last are kept at
hand. A boot that is not at hand is recalled from the table's own rows, so forgetting never doubles.

Nothing here does I/O; `storage/writer.py` keeps a `Ledger` beside its table.
"""

import bisect
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_BOOTS_AT_HAND = 512
"""Boots whose ranges are kept in memory and in each commit: about 30 KB of commit metadata."""
MAX_RANGES_IN_COMMIT = 4096
"""Ranges written into one commit over all boots; boots beyond it are recalled from rows instead."""


class SeqRanges:
    """A set of sequence numbers as sorted, disjoint, closed ranges."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(ranges):
            self.add(first, last)

    def __contains__(self, seq: int) -> bool:
        index = bisect.bisect_right(self._firsts, seq) - 1
        return index >= 0 and seq <= self._lasts[index]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __len__(self) -> int:
        """Number of ranges."""
        return len(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Add first..last, melting with every range it touches."""
        left = bisect.bisect_left(self._lasts, first - 1)
        right = bisect.bisect_right(self._firsts, last + 1)
        if left < right:
            first = min(first, self._firsts[left])
            last = max(last, self._lasts[right - 1])
        self._firsts[left:right] = [first]
        self._lasts[left:right] = [last]

    def take(self, seq: int) -> bool:
        """Add one number; False when it was in the set already."""
        if self._lasts and seq == self._lasts[-1] + 1:  # a robot in good order, nearly always
            self._lasts[-1] = seq
            return True
        if seq in self:
            return False
        self.add(seq, seq)
        return True


Recall = Callable[[str], SeqRanges]
"""Reads one boot's delivered ranges from the table's own rows."""


def _nothing_to_recall(boot_id: str) -> SeqRanges:
    return SeqRanges()


class Ledger:
    """What one table has taken so far.

    It runs ahead of the table between commits; after a commit that failed, throw it away and recover
    it from the table.
    """

    def __init__(
        self,
        offsets: Mapping[int, int] | None = None,
        delivered: Mapping[str, SeqRanges] | None = None,
        *,
        is_whole: bool = True,
        recall: Recall = _nothing_to_recall,
        max_boots: int = MAX_BOOTS_AT_HAND,
    ) -> None:
        self.offsets = dict(offsets or {})
        self._delivered = OrderedDict(delivered or {})
        self._is_whole = is_whole
        self._recall = recall
        self._max_boots = max_boots

    def is_taken(self, partition: int, offset: int) -> bool:
        """Whether this message, or a later one of its partition, was taken already."""
        return offset <= self.offsets.get(partition, -1)

    def take(self, partition: int, offset: int, boot_ids: Sequence[str], seqs: Sequence[int]) -> NDArray[np.bool_]:
        """Take one message's records; True, bool[n], for those that are new.

        A message without records (a dead letter) moves the offset alone.
        """
        if self.is_taken(partition, offset):
            return np.zeros(len(seqs), np.bool_)
        self.offsets[partition] = offset
        is_new = [self._ranges_of(boot_id).take(seq) for boot_id, seq in zip(boot_ids, seqs, strict=True)]
        return np.array(is_new, np.bool_)

    def delivered(self, boot_id: str) -> SeqRanges:
        """The ranges delivered by one boot."""
        return self._ranges_of(boot_id)

    def _ranges_of(self, boot_id: str) -> SeqRanges:
        ranges = self._delivered.get(boot_id)
        if ranges is None:
            # Rows not committed yet belong to boots at hand: only the oldest of many is let go.
            ranges = SeqRanges() if self._is_whole else self._recall(boot_id)
            self._delivered[boot_id] = ranges
        self._delivered.move_to_end(boot_id)
        return ranges

    def forget_oldest(self) -> None:
        """Let boots beyond the bound go; call it when every taken row is in the table."""
        while len(self._delivered) > self._max_boots:
            self._delivered.popitem(last=False)
            self._is_whole = False

    def to_json(self) -> str:
        """As stored in a commit; the boots seen last come first into a bounded budget of ranges."""
        delivered: dict[str, list[tuple[int, int]]] = {}
        budget = MAX_RANGES_IN_COMMIT
        for boot_id, ranges in list(reversed(self._delivered.items()))[: self._max_boots]:
            if len(ranges) > budget:
                continue
            budget -= len(ranges)
            delivered[boot_id] = list(ranges)
        is_whole = self._is_whole and len(delivered) == len(self._delivered)
        oldest_first = dict(reversed(delivered.items()))
        return json.dumps(
            {"offsets": self.offsets, "delivered": oldest_first, "is_whole": is_whole},
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str, recall: Recall, max_boots: int = MAX_BOOTS_AT_HAND) -> "Ledger":
        """The inverse of `to_json`."""
        fields = json.loads(text)
        return cls(
            {int(partition): offset for partition, offset in fields["offsets"].items()},
            {boot_id: SeqRanges(map(tuple, ranges)) for boot_id, ranges in fields["delivered"].items()},
            is_whole=fields["is_whole"],
            recall=recall,
            max_boots=max_boots,
        )
