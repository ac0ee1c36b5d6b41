"""One episode's steps and pictures from the lake, with a small cache: the only reads that a request waits for.

The index knows in which partition and between which offsets the steps lie, so that Delta skips every file
and row group that does not overlap them; numbers and pictures are read apart.
"""

import collections
import dataclasses
import io
import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from console.history.columns import Array
from console.history.snapshot import Snapshot
from console.history.step_modes import StepModes
from infra.topics import STEPS
from policy.errors import LakeError
from storage.tables import OFFSET_COLUMN, PARTITION_COLUMN, Lake, sql_text

_FLOATS = {"state": "state", "tactile": "tactile", "action": "executed_action", "proposed": "proposed_action"}
"""What a channel's group is called, and the column that holds it."""
_FLOAT32 = np.dtype("<f4")
_FRAMES_AT_ONCE = 64
"""Steps whose pictures are read together: somebody who looks at one looks at the next."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeNumbers:
    """The numbers of n steps, by channel."""

    num_steps: int
    channels: dict[str, Array]
    """float32[n] by name, such as state.0; NaN where a step is missing."""

    @property
    def num_bytes(self) -> int:
        """Memory."""
        return sum(values.nbytes for values in self.channels.values()) + 1


class NotYet(LakeError):
    """An episode's end is in the lake and this step of it is still on its way: they are rows of two tables."""


class EpisodeReader:
    """Reads episodes; any thread may ask."""

    def __init__(self, lake: Lake, *, cache_bytes: int) -> None:
        self._lake, self._cache_bytes = lake, cache_bytes
        self._cache, self._num_removals = _Cache(cache_bytes), 0

    def numbers(self, found: Snapshot, episode_id: str) -> EpisodeNumbers:
        """An episode's floats.

        Raises:
            LakeError: the lake cannot be read, or has no step of the episode yet.
        """
        modes = _modes(found, episode_id)
        key = ("numbers", episode_id, len(modes.mode), modes.last_offset)
        numbers: EpisodeNumbers = self._kept(found).get(
            key, lambda: self._read_numbers(episode_id, modes), lambda item: item.num_bytes
        )
        return numbers

    def frames(self, found: Snapshot, episode_id: str, step: int) -> tuple[bytes, ...]:
        """The stored pictures of one step, one per camera.

        Raises:
            NotYet: the lake does not have this step.
            LakeError: the lake cannot be read.
        """
        modes = _modes(found, episode_id)
        first = step - step % _FRAMES_AT_ONCE
        key = ("frames", episode_id, first, modes.last_offset)
        block: dict[int, tuple[bytes, ...]] = self._kept(found).get(
            key,
            lambda: self._read_frames(episode_id, modes, first),
            lambda item: 1 + sum(len(data) for frames in item.values() for data in frames),
        )
        if step not in block:
            raise NotYet("the lake does not have this step", episode_id=episode_id, step_index=step)
        return block[step]

    def export(self, found: Snapshot, episode_id: str) -> bytes:
        """All columns of an episode's steps in order, as a Parquet file.

        Raises:
            LakeError: the lake cannot be read, or has no step of the episode yet.
        """
        steps = self._lake.read(STEPS, None, _where(episode_id, _modes(found, episode_id)))
        sink = io.BytesIO()
        pq.write_table(steps.sort_by("step_index"), sink, compression="zstd")
        return sink.getvalue()

    def _kept(self, found: Snapshot) -> "_Cache":
        """The cache, empty again when something was erased."""
        if found.num_removals != self._num_removals:
            self._cache, self._num_removals = _Cache(self._cache_bytes), found.num_removals
        return self._cache

    def _read_numbers(self, episode_id: str, modes: StepModes) -> EpisodeNumbers:
        names = ["step_index", "command_delay_ms", *_FLOATS.values()]
        table = self._lake.read(STEPS, names, _where(episode_id, modes))
        step = table.column("step_index").to_numpy()
        num_steps = len(modes.mode)
        fits = (step >= 0) & (step < num_steps)
        channels = {"command_delay_ms": _spread(table.column("command_delay_ms").to_numpy(), step, fits, num_steps)}
        for group, column in _FLOATS.items():
            for number, values in enumerate(_columns(table.column(column).to_pylist())):
                channels[f"{group}.{number}"] = _spread(values, step, fits, num_steps)
        return EpisodeNumbers(num_steps=num_steps, channels=channels)

    def _read_frames(self, episode_id: str, modes: StepModes, first: int) -> dict[int, tuple[bytes, ...]]:
        where = f"{_where(episode_id, modes)} AND step_index >= {first} AND step_index < {first + _FRAMES_AT_ONCE}"
        rows: list[dict[str, Any]] = self._lake.read(STEPS, ["step_index", "frames"], where).to_pylist()
        return {row["step_index"]: tuple(row["frames"]) for row in rows}


def _modes(found: Snapshot, episode_id: str) -> StepModes:
    modes = found.modes.get(episode_id)
    if modes is None:
        raise NotYet("the steps of this episode have not reached the lake yet", episode_id=episode_id)
    return modes


def _where(episode_id: str, modes: StepModes) -> str:
    return (
        f"{PARTITION_COLUMN} = {modes.partition} AND {OFFSET_COLUMN} >= {modes.first_offset}"
        f" AND {OFFSET_COLUMN} <= {modes.last_offset} AND episode_id = {sql_text(episode_id)}"
    )


def _columns(rows: list[Any]) -> Array:
    """float32[channels, n]; what is shorter than the longest is padded with NaN."""
    width = max((len(row) // _FLOAT32.itemsize for row in rows), default=0)
    found = np.full((len(rows), width), np.nan, np.float32)
    for place, row in enumerate(rows):
        values = np.frombuffer(row, _FLOAT32, len(row) // _FLOAT32.itemsize)
        found[place, : len(values)] = values
    return found.T


def _spread(values: Array, step: Array, fits: Array, num_steps: int) -> Array:
    placed = np.full(num_steps, np.nan, np.float32)
    placed[step[fits]] = values[fits]
    return placed


class _Cache:
    """The items used last, within a budget of bytes; what is missing is made outside the lock."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: collections.OrderedDict[Hashable, tuple[Any, int]] = collections.OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any], size_of: Callable[[Any], int]) -> Any:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key][0]
        item = make()
        with self._lock:
            if key not in self._items:
                self._items[key] = (item, size_of(item))
                self._num_bytes += self._items[key][1]
            while self._num_bytes > self._max_bytes and len(self._items) > 1:
                _, (_, size) = self._items.popitem(last=False)
                self._num_bytes -= size
        return item
