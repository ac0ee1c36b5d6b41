"""Records on disk until the broker has them: bounded, and what is worth most goes last.

Every batch is written here *before* it is sent and removed when it is acknowledged, so there is one
path and not two: a broker that is away, a full buffer and a killed process all leave the same files,
and the next start sends them with the (boot_id, seq) that they had. Nothing is forced to the platter:
records survive the process, not the power.

When the spool is full the oldest autonomous steps go first, corrections and everything but steps go
last, and every record that goes is counted. What is with the broker already is not given up.
"""

import contextlib
import logging
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actor.journal import DAMAGED_SUFFIX, ENTRY_SUFFIX, EntryInfo, Journal, Stream, entry_name
from infra import lock, wire
from infra.topics import TOPICS, Topic
from policy.errors import WireError

_LOG = logging.getLogger(__name__)
_TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in TOPICS}

OnDrop = Callable[[Mapping[Stream, int], bool], None]


class Spool:
    """The entries of one actor process; used by the recorder thread only."""

    def __init__(self, directory: Path, max_bytes: int, on_drop: OnDrop = lambda counts, is_precious: None) -> None:
        """Open a directory, and find what an earlier process left.

        Args:
            directory: of this process alone.
            max_bytes: of all entries together.
            on_drop: told of every drop, with its counts and worth.

        Raises:
            ConfigError: another process uses it.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._max_bytes = max_bytes
        self._on_drop = on_drop
        self._lock = lock.take(
            directory / "lock", "another actor of this name is running; give this one another --name"
        )
        self._journal = Journal(directory)
        self._in_flight: set[int] = set()
        self._waiting: Counter[Stream] = Counter()
        self._next_index = 1 + max(self._journal.entries, default=-1)  # delivered ones included: no index twice
        self._recover()

    @property
    def num_bytes(self) -> int:
        """Bytes on disk."""
        return sum(entry.num_bytes for entry in self._journal.entries.values())

    @property
    def num_entries(self) -> int:
        """Entries that are not acknowledged."""
        return len(self._journal.entries)

    @property
    def in_flight_bytes(self) -> int:
        """Bytes handed to the producer, not yet acknowledged."""
        return sum(self._journal.entries[index].num_bytes for index in self._in_flight)

    def recorded(self, stream: Stream) -> int:
        """Records of a stream that were ever added."""
        return self._journal.recorded[stream]

    def dropped(self, stream: Stream) -> int:
        """Records of a stream that were given up."""
        return self._journal.dropped[stream]

    def delivered(self, stream: Stream) -> int:
        """Records of a stream that the broker has."""
        return self.recorded(stream) - self.dropped(stream) - self._waiting[stream]

    def waiting(self) -> Mapping[str, int]:
        """By robot, records that the broker does not have."""
        counts: Counter[str] = Counter()
        for (_, robot_id, _), num in self._waiting.items():
            counts[robot_id] += num
        return counts

    def add(self, topic: Topic, records: Sequence[Any], *, is_precious: bool) -> EntryInfo | None:
        """Write one entry; None when it could not be kept, and was counted as dropped."""
        counts = Counter((topic.name, record.robot_id, record.boot_id) for record in records)
        data = wire.encode(records)
        entry = EntryInfo(
            index=self._next_index,
            topic=topic.name,
            is_precious=is_precious,
            num_bytes=len(data),
            counts=counts,
            crc32=zlib.crc32(data),
        )
        self._next_index += 1
        try:
            self._path(entry).write_bytes(data)
            self._journal.record(entry)
        except OSError as error:
            _LOG.error("the spool cannot be written", extra={"path": str(self._directory), "cause": str(error)})
            self._path(entry).unlink(missing_ok=True)
            self.lose(counts, is_precious=is_precious)
            return None
        self._waiting.update(counts)
        self._make_room()
        return entry if entry.index in self._journal.entries else None

    def unsent(self) -> Iterator[EntryInfo]:
        """Entries that nobody sends at present, oldest first."""
        return (entry for index, entry in list(self._journal.entries.items()) if index not in self._in_flight)

    def records(self, entry: EntryInfo) -> list[Any]:
        """Read an entry back.

        Raises:
            WireError: the file is damaged.
        """
        topic, data = topic_of(entry), self._path(entry).read_bytes()
        if entry.crc32 and zlib.crc32(data) != entry.crc32:
            raise WireError("altered on disk", file=str(self._path(entry)))
        return wire.records(topic, wire.decode(topic, data))

    def hold(self, entry: EntryInfo) -> None:
        """The producer has it; it is not given up until `fail` or `deliver`."""
        self._in_flight.add(entry.index)

    def fail(self, index: int) -> None:
        """The producer could not deliver this entry; it waits again."""
        self._in_flight.discard(index)

    def deliver(self, entry: EntryInfo) -> None:
        """The broker has it."""
        self._in_flight.discard(entry.index)
        self._waiting.subtract(entry.counts)
        self._path(entry).unlink(missing_ok=True)
        self._journal.deliver(entry)

    def drop(self, entry: EntryInfo) -> None:
        """Give it up, and count that."""
        _LOG.warning("records dropped", extra={"topic": entry.topic, "num_records": sum(entry.counts.values())})
        self._in_flight.discard(entry.index)
        self._waiting.subtract(entry.counts)
        self._journal.drop(entry)
        self._path(entry).unlink(missing_ok=True)
        self._on_drop(entry.counts, entry.is_precious)

    def set_aside(self, entry: EntryInfo) -> None:
        """Give up an entry whose file is damaged, count that, and keep the file for people to look at."""
        kept = self._damaged(self._path(entry))
        with contextlib.suppress(OSError):
            kept.hardlink_to(self._path(entry))
        _LOG.error("a damaged entry is kept aside", extra={"file": str(kept)})
        self.drop(entry)

    def lose(self, counts: Mapping[Stream, int], *, is_precious: bool) -> None:
        """Count records that were given up before they were on disk."""
        self._journal.lose(counts)
        self._on_drop(counts, is_precious)

    def close(self) -> None:
        """Leave everything to the next process."""
        self._journal.close()
        os.close(self._lock)

    def _make_room(self) -> None:
        while self.num_bytes > self._max_bytes:
            victim = min(self.unsent(), key=lambda entry: (entry.is_precious, entry.index), default=None)
            if victim is None:
                return
            self.drop(victim)

    def _recover(self) -> None:
        """Forget entries whose file is gone (delivered), and files that no entry names (half written)."""
        for entry in list(self._journal.entries.values()):
            if self._path(entry).exists():
                self._waiting.update(entry.counts)
            else:
                self._journal.deliver(entry)
        known = {entry_name(index) for index in self._journal.entries}
        for path in self._directory.glob(f"*{ENTRY_SUFFIX}"):
            if path.name in known:
                continue
            if self._journal.is_damaged:  # its line may be among those that cannot be read
                path.rename(self._damaged(path))
            else:
                path.unlink()

    def _damaged(self, path: Path) -> Path:
        return self._directory / f"{path.stem}-{time.time_ns()}{DAMAGED_SUFFIX}"

    def _path(self, entry: EntryInfo) -> Path:
        return self._directory / entry_name(entry.index)


def topic_of(entry: EntryInfo) -> Topic:
    """Where an entry goes."""
    return _TOPICS[entry.topic]
