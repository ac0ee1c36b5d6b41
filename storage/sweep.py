"""Takes what `removals` names out of a table's rows; the files that held it go with the clean-up.

Each sweep is one or a few Delta commits that touch no application transaction, so the offsets of ingest stand. A
commit of ingest that meets one takes a fresh handle and writes again (`storage/writer.py`); a sweep that meets
a commit of ingest or a compaction begins again. Doing it twice does nothing.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError, DeltaError

from infra.columns import field_types
from infra.topics import AUDIT, HELP_REQUESTS, Topic
from policy.errors import LakeError
from storage.removals import ERASED, ROW_KEYS, Kind, Removal, Removals, person_columns
from storage.tables import Lake, sql_text

_NUM_ATTEMPTS = 5
_SUBJECTS_AT_ONCE = 500
"""Named in one condition."""
_COMPRESSED = WriterProperties(compression="ZSTD", compression_level=1)


def sweep(
    lake: Lake,
    topic: Topic,
    removals: Removals,
    lines: Sequence[Removal],
    lock: contextlib.AbstractContextManager[Any] | None = None,
) -> int:
    """See to some lines in one table; returns how many rows went or were changed.

    Args:
        lake: where the table is.
        topic: whose table.
        removals: the list.
        lines: which of it.
        lock: held while a commit is made, by whoever else writes the table in this process.

    Raises:
        LakeError: the store failed, or another process wrote at each attempt; the next sweep carries on.
    """
    num_rows = 0
    for first in range(0, len(lines), _SUBJECTS_AT_ONCE):
        some = lines[first : first + _SUBJECTS_AT_ONCE]
        for attempt in range(1, _NUM_ATTEMPTS + 1):
            try:
                with lock or contextlib.nullcontext():
                    num_rows += _delete(lake.open(topic), topic, some)
                    num_rows += _rename(lake.open(topic), topic, some)
                    num_rows += _clean_details(lake, topic, removals, some)
                break
            except CommitFailedError as error:
                if attempt == _NUM_ATTEMPTS:
                    raise LakeError("others keep writing to the table", table=topic.name, cause=str(error)) from error
            except (DeltaError, OSError) as error:
                raise LakeError("the table cannot be swept", table=topic.name, cause=str(error)) from error
    return num_rows


class Sweeper:
    """Sees to the list while ingest runs: every line twice, some time apart, and then never again.

    Twice, because a commit may have been on its way with rows read before the line was there.
    """

    def __init__(
        self, lake: Lake, removals: Removals, locks: Mapping[str, contextlib.AbstractContextManager[Any]]
    ) -> None:
        """Nothing is read yet.

        Args:
            lake: whose tables.
            removals: the list; refreshed here.
            locks: by topic; held by the topic's own writer while it commits.
        """
        self._lake, self._removals, self._locks = lake, removals, locks
        self._swept_once: set[int] = set()

    def tick(self, topics: Sequence[Topic]) -> int:
        """Sweep what is open; returns how many rows went or were changed.

        Raises:
            LakeError: the store failed; the next tick carries on.
        """
        self._removals.refresh()
        lines = self._removals.unswept()
        if not lines:
            return 0
        num_rows = sum(sweep(self._lake, topic, self._removals, lines, self._locks.get(topic.name)) for topic in topics)
        times = {line.time_ns for line in lines}
        if done := times & self._swept_once:
            marks = [(Kind.SWEPT, str(time_ns)) for time_ns in sorted(done)]
            self._removals.add(marks, author="ingest", reason="swept twice")
        self._swept_once = times - done
        return num_rows


def requests_of(lake: Lake, episode_ids: Sequence[str]) -> list[str]:
    """Help requests that robots made in some episodes, whose answers go with them.

    Raises:
        LakeError: the table cannot be read.
    """
    rows = lake.read(HELP_REQUESTS, ["request_id", "episode_id"])
    wanted = set(episode_ids)
    return sorted({row["request_id"] for row in rows.to_pylist() if row["episode_id"] in wanted})


def _delete(table: DeltaTable, topic: Topic, lines: Sequence[Removal]) -> int:
    conditions = []
    for column, kind in ROW_KEYS.items():
        gone = _quoted(lines, kind)
        if gone and column in field_types(topic.record):
            conditions.append(f"{column} IN ({', '.join(gone)})")
    if not conditions:
        return 0
    return int(table.delete(" OR ".join(conditions), writer_properties=_COMPRESSED)["num_deleted_rows"])


def _rename(table: DeltaTable, topic: Topic, lines: Sequence[Removal]) -> int:
    # By hash: a condition with the name would stand in the table's log.
    gone = ", ".join(_quoted(lines, Kind.OPERATOR))
    columns = [name for name in person_columns(topic) if name != "detail"]
    if not gone or not columns:
        return 0
    is_gone = {name: f"encode(sha256({name}), 'hex') IN ({gone})" for name in columns}
    result = table.update(
        updates={name: f"CASE WHEN {where} THEN {sql_text(ERASED)} ELSE {name} END" for name, where in is_gone.items()},
        predicate=" OR ".join(is_gone.values()),
        writer_properties=_COMPRESSED,
    )
    return int(result["num_updated_rows"])


def _clean_details(lake: Lake, topic: Topic, removals: Removals, lines: Sequence[Removal]) -> int:
    if topic is not AUDIT or not _quoted(lines, Kind.OPERATOR):
        return 0
    rows: list[dict[str, Any]] = lake.read(AUDIT, ["boot_id", "seq", "detail"]).to_pylist()
    num_rows = 0
    for row in rows:
        clean = removals.without_names(row["detail"])
        if clean != row["detail"]:
            where = f"boot_id = {sql_text(row['boot_id'])} AND seq = {row['seq']}"
            lake.open(AUDIT).update(updates={"detail": sql_text(clean)}, predicate=where, writer_properties=_COMPRESSED)
            num_rows += 1
    return num_rows


def _quoted(lines: Sequence[Removal], kind: Kind) -> list[str]:
    return [sql_text(line.subject) for line in lines if line.kind == kind]
