"""A robot's own counts, and which spool entries exist: an append-only file that survives kill -9.

One JSON line per event, written in one call after the entry's file is complete; the line is the
commit, so a file that no line names was never recorded, and a line that was cut short never
happened. What was delivered is not written down: an entry is delivered when its file is gone and
nothing says that it was dropped. Hence, at any instant, for every robot and boot,

    recorded = delivered + dropped + waiting

`read_counts` is how others (the demo's report) compare a robot's own counts with the lake.
"""

import dataclasses
import errno
import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)

JOURNAL_FILE = "journal.jsonl"
ENTRY_SUFFIX = ".entry"
DAMAGED_SUFFIX = ".damaged"
"""Of files that are no use to us any more, and kept for people to look at."""
_COMPACT_AFTER_LINES = 20_000

Stream = tuple[str, str, str]
"""(topic, robot_id, boot_id)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EntryInfo:
    """What is known of one entry without opening it."""

    index: int
    """Grows by one per entry of this spool."""
    topic: str
    is_precious: bool
    """Corrections, and everything but steps: dropped last."""
    num_bytes: int
    counts: Mapping[Stream, int]
    """Records per stream."""
    crc32: int = 0
    """Of the file's bytes; 0 where an earlier release wrote it, which kept none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """One stream of records since its boot."""

    topic: str
    robot_id: str
    boot_id: str
    num_recorded: int
    num_dropped: int
    num_waiting: int
    """In the spool, not yet acknowledged."""

    @property
    def num_delivered(self) -> int:
        """Acknowledged by the broker."""
        return self.num_recorded - self.num_dropped - self.num_waiting


class Journal:
    """The file of one spool; used by the recorder thread only."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL_FILE
        self.recorded, self.dropped, self.entries, damaged = _replay(self._path)
        self.is_damaged = bool(damaged)
        """Whether lines could not be read when it was opened; they are kept aside."""
        if damaged:
            self._keep_aside(damaged)
        self._num_lines = 0
        self._file: int | None = None
        self._rewrite()

    def record(self, entry: EntryInfo) -> None:
        """An entry's file is complete."""
        self._append(_entry_line(entry))
        self.recorded.update(entry.counts)
        self.entries[entry.index] = entry

    def drop(self, entry: EntryInfo) -> None:
        """An entry was given up; its file goes next."""
        self._append({"op": "drop", "entry": entry.index})
        self.dropped.update(entry.counts)
        self.entries.pop(entry.index)

    def lose(self, counts: Mapping[Stream, int]) -> None:
        """Records were given up before they had a file."""
        self.recorded.update(counts)
        self.dropped.update(counts)
        try:
            self._append({"op": "lose", "counts": _pack(counts)})
        except OSError as error:
            # Still counted: the next rewrite holds the totals.
            _LOG.error("the journal cannot be written", extra={"path": str(self._path), "cause": str(error)})

    def deliver(self, entry: EntryInfo) -> None:
        """An entry's file is gone because the broker has it; the missing file itself is the record."""
        self.entries.pop(entry.index)
        if self._num_lines > _COMPACT_AFTER_LINES:
            self._rewrite()

    def close(self) -> None:
        """Leave the shortest file behind."""
        self._rewrite()
        assert self._file is not None
        os.close(self._file)

    def _keep_aside(self, damaged: Sequence[int]) -> None:
        kept = self._path.with_name(f"journal-{time.time_ns()}{DAMAGED_SUFFIX}")
        shutil.copyfile(self._path, kept)
        _LOG.error("lines of the journal are damaged; it is kept aside", extra={"file": str(kept), "lines": damaged})

    def _append(self, line: Mapping[str, Any]) -> None:
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        assert self._file is not None
        size = os.fstat(self._file).st_size
        if os.write(self._file, data) != len(data):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, "the journal's line was cut short", str(self._path))
        self._num_lines += 1

    def _rewrite(self) -> None:
        """Totals and open entries only, put in place in one rename."""
        waiting: Counter[Stream] = Counter()
        for entry in self.entries.values():
            waiting.update(entry.counts)
        lines = [
            {"op": "total", "stream": stream, "recorded": num - waiting[stream], "dropped": self.dropped[stream]}
            for stream, num in self.recorded.items()
        ]
        lines += [_entry_line(entry) for entry in self.entries.values()]
        draft = self._path.with_suffix(".tmp")
        draft.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        if self._file is not None:
            os.close(self._file)
        draft.replace(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._num_lines = len(lines)


def read_counts(spool: Path) -> list[Counts]:
    """The counts of every robot and boot under a home's spool folder, running or not.

    Args:
        spool: `Home.spool`; one folder per actor process.
    """
    result = []
    for path in sorted(spool.glob(f"*/{JOURNAL_FILE}")):
        recorded, dropped, entries, _ = _replay(path)
        waiting: Counter[Stream] = Counter()
        for entry in entries.values():
            if (path.parent / entry_name(entry.index)).exists():
                waiting.update(entry.counts)
        result += [
            Counts(
                topic=stream[0],
                robot_id=stream[1],
                boot_id=stream[2],
                num_recorded=num,
                num_dropped=dropped[stream],
                num_waiting=waiting[stream],
            )
            for stream, num in recorded.items()
        ]
    return result


def entry_name(index: int) -> str:
    """File name of an entry; names sort by age."""
    return f"{index:012d}{ENTRY_SUFFIX}"


def _replay(path: Path) -> tuple[Counter[Stream], Counter[Stream], dict[int, EntryInfo], list[int]]:
    """What was recorded, what was dropped, the open entries, and the numbers of the lines that say nothing."""
    recorded: Counter[Stream] = Counter()
    dropped: Counter[Stream] = Counter()
    entries: dict[int, EntryInfo] = {}
    damaged = []
    for number, line in _whole_lines(path):
        try:
            _heed(json.loads(line), recorded, dropped, entries)
        except (ValueError, KeyError, TypeError):
            damaged.append(number)
    return recorded, dropped, entries, damaged


def _heed(
    line: dict[str, Any], recorded: Counter[Stream], dropped: Counter[Stream], entries: dict[int, EntryInfo]
) -> None:
    match line["op"]:
        case "total":
            stream, num_recorded, num_dropped = tuple(line["stream"]), line["recorded"], line["dropped"]
            recorded[stream] += num_recorded
            dropped[stream] += num_dropped
        case "entry":
            entry = EntryInfo(**{**line["info"], "counts": _unpack(line["info"]["counts"])})
            entries[entry.index] = entry
            recorded.update(entry.counts)
        case "drop":
            dropped.update(entries.pop(line["entry"]).counts)
        case "lose":
            counts = _unpack(line["counts"])
            recorded.update(counts)
            dropped.update(counts)


def _whole_lines(path: Path) -> Iterable[tuple[int, bytes]]:
    """Lines with their numbers; one that was cut short at the end never happened."""
    data = path.read_bytes() if path.exists() else b""
    return [(number, line) for number, line in enumerate(data.split(b"\n")[:-1], 1) if line]


def _entry_line(entry: EntryInfo) -> dict[str, Any]:
    info = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    return {"op": "entry", "info": {**info, "counts": _pack(entry.counts)}}


def _pack(counts: Mapping[Stream, int]) -> list[list[Any]]:
    return [[*stream, num] for stream, num in counts.items()]


def _unpack(rows: Iterable[list[Any]]) -> Counter[Stream]:
    return Counter({(topic, robot, boot): num for topic, robot, boot, num in rows})
