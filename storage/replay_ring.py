"""The ring: decoded steps in memory-mapped files, each episode in one piece.

    ring.json              what the files hold (the stamp)
    frames.bin, state.bin  one array per column, `capacity` rows, preallocated and sparse

An episode is written behind the one before it; at the end of the files writing begins again at row 0
over the oldest. What is kept for good lies at the very end, from the last row downwards; it may have half of the
rows, and takes them from the others an eighth at a time, for they lose all that is older than what lay there. What
was erased from the lake is written over with zeros. A stamp on disk never names rows that may have been
overwritten: whoever makes room saves the stamp first, so a process that is killed at any moment leaves a ring that
can be used. Written pages survive the process but not the machine, so the stamp holds the machine's boot.
"""

import dataclasses
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra import lock
from policy.errors import LakeError
from policy.spec import EmbodimentSpec
from storage.frames import StepArrays, frame_shape

LAYOUT_VERSION = 3
"""Of the files; another one is rebuilt."""

_ROOM_SHARE = 1 / 32
"""Room made at once, of the capacity, so that the stamp is seldom written for it."""
_KEPT_SHARE = 0.5
"""Of the capacity, that episodes which never give way may take."""
_KEPT_BLOCK_SHARE = 0.125
"""Of the capacity, set aside for them at once."""
_BLANKED_AT_ONCE = 1024
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RingEntry:
    """One episode in the ring."""

    episode_id: str
    start: int
    """Row of its first step; the others follow."""
    length: int
    kafka_offset: int
    """Of its row in the episodes topic."""
    step_offsets: Mapping[int, int]
    """Last offset of its steps, per partition."""
    operator_id: str
    """Who helped first; empty where nobody did."""
    is_kept: bool = False
    """Whether it never gives way."""


class Ring:
    """Preallocated columns and the episodes in them; one process at a time."""

    def __init__(self, directory: Path, spec: EmbodimentSpec, capacity: int, identity: Mapping[str, Any]) -> None:
        """Open the files, with what is in them if their stamp fits.

        Args:
            directory: for the files; made when missing.
            spec: whose steps they hold.
            capacity: rows.
            identity: what the content was made from (JSON); another one starts empty.

        Raises:
            ConfigError: another process has the directory.
            SchemaError: the spec's cameras differ in size.
        """
        self._directory = directory
        self.capacity = capacity
        self.entries: OrderedDict[str, RingEntry] = OrderedDict()
        """Episodes in the order in which they were written."""
        self.floor = -1
        """Episodes at or below this offset of the episodes topic are no longer drawn from, unless they are kept."""
        self.resume_offsets: dict[int, int] = {}
        """Step offsets from which to read on after a restart."""
        self.num_removals = 0
        """Lines of the list of removals (`storage/removals.py`) that the files no longer know anything of."""
        self._next_row = 0
        self._kept_start = capacity
        """First row of those that are kept."""
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock.take(
            directory / "ring.lock", "another process uses this replay directory; give each learner its own"
        )
        self._identity = {
            "layout": LAYOUT_VERSION,
            "spec_id": spec.spec_id,
            "capacity": capacity,
            "boot": _BOOT_FILE.read_text().strip() if _BOOT_FILE.exists() else "",
            **identity,
        }
        self.is_reused = self._load_stamp()
        if not self.is_reused:
            self._stamp_file.unlink(missing_ok=True)  # it must not fit again over what we write now
        self.columns = self._map_columns(spec)
        """The arrays, `capacity` rows each; rows outside `entries` hold anything."""

    def append(
        self,
        steps: StepArrays,
        *,
        episode_id: str,
        kafka_offset: int,
        step_offsets: Mapping[int, int],
        operator_id: str,
        is_kept: bool = False,
    ) -> None:
        """Write an episode behind the last one, over the oldest ones where need be.

        Args:
            steps: all of the episode.
            episode_id: its name.
            kafka_offset: of its row in the episodes topic.
            step_offsets: last offset of its steps, per partition.
            operator_id: who helped first.
            is_kept: whether it never gives way; ask `can_keep` before.

        Raises:
            LakeError: it is longer than the ring.
        """
        length = len(steps.state)
        start = self._make_room_to_keep(length) if is_kept else self._make_room(length)
        for field in dataclasses.fields(StepArrays):
            getattr(self.columns, field.name)[start : start + length] = getattr(steps, field.name)
        self.entries[episode_id] = RingEntry(
            episode_id=episode_id,
            start=start,
            length=length,
            kafka_offset=kafka_offset,
            step_offsets=dict(step_offsets),
            operator_id=operator_id,
            is_kept=is_kept,
        )
        if not is_kept:
            self._next_row = start + length

    def can_keep(self, length: int) -> bool:
        """Whether an episode may be kept for good besides those that are."""
        return self.capacity - self._kept_start + length <= self.capacity * _KEPT_SHARE

    def has_room(self, length: int, *, is_kept: bool = False) -> bool:
        """Whether an episode could be written without another giving way."""
        if is_kept:
            return not self._behind(self._limit_with(self._kept_start - length))
        if self._next_row + length > self._limit:
            return not self._evict(self._next_row, self._limit, dry_run=True) and not self._evict(
                0, length, dry_run=True
            )
        return not self._evict(self._next_row, self._next_row + length, dry_run=True)

    def forget(self, episode_ids: Collection[str], without_name: Callable[[str], str], num_removals: int) -> None:
        """Let episodes go and write zeros over them, and over whatever left the ring before; change names.

        Args:
            episode_ids: which; one that is not here may still lie in rows that nothing has written over.
            without_name: what is left of an operator's name.
            num_removals: lines of the list that this sees to.
        """
        self.entries = OrderedDict(
            (name, dataclasses.replace(entry, operator_id=without_name(entry.operator_id)))
            for name, entry in self.entries.items()
            if name not in episode_ids
        )
        self.save_stamp()
        row = 0
        for entry in sorted(self.entries.values(), key=lambda e: e.start):
            self._blank(row, entry.start)
            row = entry.start + entry.length
        self._blank(row, self.capacity)
        self.num_removals = num_removals
        self.save_stamp()

    def _blank(self, start: int, end: int) -> None:
        for first in range(start, end, _BLANKED_AT_ONCE):
            rows = slice(first, min(first + _BLANKED_AT_ONCE, end))
            for field in dataclasses.fields(StepArrays):
                column = getattr(self.columns, field.name)
                if column[rows].any():  # a row that was never written has no blocks on disk, and shall get none
                    column[rows] = 0

    def save_stamp(self) -> None:
        """Write down what the ring holds, in one rename."""
        stamp = {
            "identity": self._identity,
            "next_row": self._next_row,
            "floor": self.floor,
            "resume_offsets": self.resume_offsets,
            "num_removals": self.num_removals,
            "entries": [vars(entry) for entry in self.entries.values()],
        }
        draft = self._stamp_file.with_suffix(".tmp")
        draft.write_text(json.dumps(stamp, separators=(",", ":")))
        draft.replace(self._stamp_file)

    def release(self) -> None:
        """Let another process in; what it finds is the last stamp's."""
        os.close(self._lock)

    @property
    def _stamp_file(self) -> Path:
        return self._directory / "ring.json"

    def _make_room(self, length: int) -> int:
        if length > self._limit:
            raise LakeError("an episode longer than the ring", num_steps=length, capacity=self._limit)
        start, victims = self._next_row, 0
        if start + length > self._limit:
            # What lies behind is of the lap before, so it is the oldest: it goes as one.
            victims += self._evict(self._next_row, self._limit)
            start = 0
        if self._evict(start, start + length, dry_run=True):
            room = min(length + int(self.capacity * _ROOM_SHARE), self._limit - start)
            victims += self._evict(start, start + room)
        if victims:
            self.save_stamp()
        return start

    def _make_room_to_keep(self, length: int) -> int:
        start = self._kept_start - length
        victims = self._behind(self._limit_with(start))
        self._let_go(victims)
        self._kept_start = start
        if victims:
            self.save_stamp()
        return start

    @property
    def _limit(self) -> int:
        return self._limit_with(self._kept_start)

    def _limit_with(self, kept_start: int) -> int:
        """First row that is set aside, if what is kept begins there."""
        block = max(1, int(self.capacity * _KEPT_BLOCK_SHARE))
        num_blocks = -((kept_start - self.capacity) // block)
        return self.capacity - min(num_blocks * block, int(self.capacity * _KEPT_SHARE))

    def _behind(self, start: int) -> list[RingEntry]:
        """Those with rows from `start` on that may give way."""
        return [entry for entry in self.entries.values() if not entry.is_kept and entry.start + entry.length > start]

    def _evict(self, start: int, end: int, *, dry_run: bool = False) -> int:
        """Let the episodes with rows in start..end go; returns how many there are.

        Ahead of the writing row lie only episodes of the lap before, oldest first, so the search ends
        at the first that is not in the way.
        """
        victims = []
        for entry in self.entries.values():
            if entry.is_kept:
                continue
            if not (start < entry.start + entry.length and entry.start < end):
                break
            victims.append(entry)
        if not dry_run:
            self._let_go(victims)
        return len(victims)

    def _let_go(self, victims: Sequence[RingEntry]) -> None:
        for entry in victims:
            del self.entries[entry.episode_id]
            self.floor = max(self.floor, entry.kafka_offset)

    def _load_stamp(self) -> bool:
        try:
            stamp = json.loads(self._stamp_file.read_text())
            if stamp["identity"] != self._identity:
                return False
            entries = [
                RingEntry(**{**entry, "step_offsets": _int_keys(entry["step_offsets"])}) for entry in stamp["entries"]
            ]
            self.resume_offsets = _int_keys(stamp["resume_offsets"])
            self._next_row, self.floor = stamp["next_row"], stamp["floor"]
            self.num_removals = stamp["num_removals"]
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return False
        self.entries = OrderedDict((entry.episode_id, entry) for entry in entries)
        self._kept_start = min((entry.start for entry in entries if entry.is_kept), default=self.capacity)
        return True

    def _map_columns(self, spec: EmbodimentSpec) -> StepArrays:
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "frames": (frame_shape(spec), np.uint8),
            "state": ((len(spec.state),), np.float32),
            "tactile": ((len(spec.tactile),), np.float32),
            "executed_action": ((len(spec.action),), np.float32),
            "proposed_action": ((len(spec.action),), np.float32),
            "control_mode": ((), np.int8),
            "command_delay_ms": ((), np.float32),
        }
        return StepArrays(
            **{
                name: _map(self._directory / f"{name}.bin", (self.capacity, *shape), np.dtype(dtype))
                for name, (shape, dtype) in shapes.items()
            }
        )


def _map(file: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A file as an array; resized where it does not fit, its blocks allocated as they are written."""
    num_bytes = int(np.prod(shape)) * dtype.itemsize
    if num_bytes == 0:
        return np.empty(shape, dtype)
    if not file.exists() or file.stat().st_size != num_bytes:
        with file.open("wb") as target:
            target.truncate(num_bytes)
    # As a plain array: numpy's memmap class slows every index operation.
    return np.asarray(np.memmap(file, dtype, mode="r+", shape=shape))


def _int_keys(mapping: Mapping[str, int]) -> dict[int, int]:
    return {int(key): value for key, value in mapping.items()}
