"""What must never be in the lake again: one small append-only table, `removals`, beside the others.

    touchline data retain | erase -> lines here, first of all
    ingest                        -> drops or renames what they name as it comes in (`cleaned`)
    sweep                         -> does the same to the rows that are in the tables (`storage/sweep.py`)
    EpisodeIndex, Replay, console -> forget the episodes at their next refresh

The lines are also the proof of what was done: who, when and why, but not what was in it. An operator is named by a
hash, so that the list itself does not keep the name.
"""

import dataclasses
import enum
import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from infra.topics import AUDIT, Topic
from policy.errors import LakeError
from storage.tables import READ_ERRORS, Lake

ERASED = "erased"
"""Stands where the name of an erased operator stood."""
PERSON_COLUMNS = ("operator_id", "author", "outcome_author")
"""Where a table names a person; of the audit also `subject`, and values in `detail`."""

_TABLE = "removals"


class Kind(enum.StrEnum):
    """What a line names."""

    EPISODE = "episode"
    """An episode_id: its rows go from every table."""
    HELP_REQUEST = "help_request"
    """A request_id of such an episode: its answers go too."""
    OPERATOR = "operator"
    """`hash_of` a person's name, which is replaced wherever it stands in a column of its own."""
    SWEPT = "swept"
    """The time of lines that ingest has seen to in every table."""


ROW_KEYS = {"episode_id": Kind.EPISODE, "request_id": Kind.HELP_REQUEST}
"""By column: which lines take a row out of its table."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Removal:
    """One line."""

    kind: str
    """A `Kind`."""
    subject: str
    time_ns: int
    author: str
    reason: str


_SCHEMA = pa.schema(
    [
        pa.field(field.name, pa.int64() if field.type is int else pa.string(), nullable=False)
        for field in dataclasses.fields(Removal)
    ]
)


class Removals:
    """Follows the list; any thread may ask."""

    def __init__(self, lake: Lake) -> None:
        """Nothing is read before `refresh`."""
        self._lake = lake
        self._uri = lake.uri(_TABLE)
        self._table: DeltaTable | None = None
        self._lock = threading.Lock()
        self.lines: tuple[Removal, ...] = ()
        """All of them but `Kind.SWEPT`, oldest first."""
        self._subjects: dict[str, set[str]] = {kind: set() for kind in Kind}

    @property
    def episodes(self) -> Collection[str]:
        """Episodes that are gone."""
        return self._subjects[Kind.EPISODE]

    @property
    def operators(self) -> Collection[str]:
        """Hashes of people whose names are gone."""
        return self._subjects[Kind.OPERATOR]

    def refresh(self) -> bool:
        """Read the list if it has grown; whether it has.

        Raises:
            LakeError: it cannot be read.
        """
        with self._lock:
            try:
                if not self._has_grown():
                    return False
                rows = pa.RecordBatchReader.from_stream(self._opened().scan(columns=_SCHEMA.names)).read_all()
            except READ_ERRORS as error:
                self._table = None
                raise LakeError("the list of removals cannot be read", table=self._uri, cause=str(error)) from error
            lines: list[dict[str, Any]] = rows.to_pylist()
            subjects: dict[str, set[str]] = {kind: set() for kind in Kind}
            for line in lines:
                subjects.setdefault(line["kind"], set()).add(line["subject"])
            self._subjects = subjects
            wanted = (Removal(**line) for line in lines if line["kind"] != Kind.SWEPT)
            self.lines = tuple(sorted(wanted, key=lambda line: line.time_ns))
            return True

    def add(self, subjects: Iterable[tuple[Kind, str]], *, author: str, reason: str) -> None:
        """Add lines to the list, in one commit.

        Raises:
            LakeError: it cannot be written.
        """
        now_ns = time.time_ns()
        lines = [
            dataclasses.asdict(Removal(kind=str(kind), subject=subject, time_ns=now_ns, author=author, reason=reason))
            for kind, subject in subjects
        ]
        try:
            write_deltalake(
                self._uri,
                pa.Table.from_pylist(lines, _SCHEMA),
                mode="append",
                storage_options=self._lake.storage_options,
            )
        except (DeltaError, OSError) as error:
            raise LakeError("the list of removals cannot be written", table=self._uri, cause=str(error)) from error

    def unswept(self) -> list[Removal]:
        """Lines that ingest has not seen to, as of the last refresh."""
        done = self._subjects[Kind.SWEPT]
        return [line for line in self.lines if str(line.time_ns) not in done]

    def cleaned(self, topic: Topic, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Records without those that are gone and without the names that are gone, by the columns that are there."""
        for column, kind in ROW_KEYS.items():
            gone = self._subjects[kind]
            if gone and column in batch.schema.names:
                keeps = [subject not in gone for subject in batch.column(column).to_pylist()]
                batch = batch if all(keeps) else batch.filter(pa.array(keeps))
        if not self.operators:
            return batch
        for name in set(person_columns(topic)) & set(batch.schema.names):
            index = batch.schema.get_field_index(name)
            values: list[Any] = batch.column(index).to_pylist()
            change = self.without_names if name == "detail" else self.without_name
            batch = batch.set_column(index, batch.schema.field(index), pa.array(_mapped(values, change), pa.string()))
        return batch

    def without_name(self, text: str) -> str:
        """The text, or `ERASED` where it is the name of somebody who is gone."""
        return ERASED if text and hash_of(text) in self.operators else text

    def without_names(self, detail: str) -> str:
        """JSON with every value replaced that is such a name."""
        try:
            found = json.loads(detail)
        except ValueError:
            return detail
        if not isinstance(found, dict):
            return detail
        clean = {key: self.without_name(value) if isinstance(value, str) else value for key, value in found.items()}
        return detail if clean == found else json.dumps(clean)

    def _has_grown(self) -> bool:
        if self._table is None:
            return DeltaTable.is_deltatable(self._uri, storage_options=self._lake.storage_options)
        version = self._table.version()
        self._table.update_incremental()
        return self._table.version() != version

    def _opened(self) -> DeltaTable:
        if self._table is None:
            self._table = DeltaTable(self._uri, storage_options=self._lake.storage_options)
        return self._table


def hash_of(name: str) -> str:
    """SHA-256 of a person's name, in hex: enough to know it again."""
    return hashlib.sha256(name.encode()).hexdigest()


def person_columns(topic: Topic) -> list[str]:
    """Columns of a topic that may name a person."""
    names = (*PERSON_COLUMNS, "subject", "detail") if topic is AUDIT else PERSON_COLUMNS
    return [field.name for field in dataclasses.fields(topic.record) if field.name in names]


def _mapped(values: list[str], change: Callable[[str], str]) -> list[str]:
    """Values changed, each different one once: a batch of steps names few people."""
    known = {value: change(value) for value in np.unique(values).tolist()}
    return [known[value] for value in values]
