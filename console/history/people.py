"""What people said and did, by episode: labels, marks, interventions, requests for help and their answers.

Rows are few and small, so they are kept as they are; whatever is asked of many at once is worked out
when a snapshot is made.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from storage.tables import OFFSET_COLUMN

Row = Mapping[str, Any]
_NOT_SHOWN = ("schema_version", "kafka_partition")


def shown(batch: pa.RecordBatch) -> list[Row]:
    """The rows of a batch, without what no page shows."""
    rows: list[dict[str, Any]] = batch.to_pylist()
    return [{name: value for name, value in row.items() if name not in _NOT_SHOWN} for row in rows]


class RowsByEpisode:
    """Rows of one table, in lists by episode."""

    def __init__(self, key: str = "episode_id") -> None:
        self._key = key
        self._rows: dict[str, tuple[Row, ...]] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        """Add a batch."""
        for row in shown(batch):
            key = row[self._key]
            self._rows[key] = (*self._rows.get(key, ()), row)

    def frozen(self) -> dict[str, tuple[Row, ...]]:
        """The lists so far."""
        return dict(self._rows)


def effective_label(labels: Iterable[Row]) -> Row | None:
    """The judgement that counts: the latest; of two in one nanosecond, the one the log has later."""
    return max(labels, key=lambda row: (row["time_ns"], row[OFFSET_COLUMN]), default=None)


def options_of(request: Row) -> list[str]:
    """The answers that a request offers; a damaged list is an empty one."""
    try:
        found = json.loads(request["options"] or "[]")
    except ValueError:
        return []
    return [str(option) for option in found] if isinstance(found, list) else []


@dataclasses.dataclass(frozen=True, kw_only=True)
class Help:
    """One request and how it ended."""

    request: Row
    answer: Row | None
    """None while it is open, and where its end was never written."""

    @property
    def result(self) -> str:
        """answered, taken_over, self_resolved, expired; empty while open."""
        return str(self.answer["result"]) if self.answer else ""

    def is_open_at(self, time_ns: int) -> bool:
        """Whether it stood open then; a takeover ends it, so its own end still counts."""
        if self.request["time_ns"] > time_ns:
            return False
        if self.answer is None or self.result in ("answered", "taken_over"):
            return True
        return bool(self.answer["ended_ns"] >= time_ns)


class Helps:
    """Requests and their answers, brought together as they come: there are many, and most are long over."""

    def __init__(self) -> None:
        self._helps: dict[str, Help] = {}
        self._answers: dict[str, Row] = {}
        """The first of each request, also where that is not read yet."""

    def ask(self, batch: pa.RecordBatch) -> None:
        """Add requests."""
        for row in shown(batch):
            name = row["request_id"]
            self._helps[name] = Help(request=row, answer=self._answers.get(name))

    def answer(self, batch: pa.RecordBatch) -> None:
        """Add how some ended."""
        for row in shown(batch):
            name = row["request_id"]
            if self._answers.setdefault(name, row) is row and name in self._helps:
                self._helps[name] = dataclasses.replace(self._helps[name], answer=row)

    def frozen(self) -> list[Help]:
        """All requests so far."""
        return list(self._helps.values())
