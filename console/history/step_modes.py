"""Who moved the robot in each step, and where in the table an episode's steps lie.

Of the steps table only five narrow columns are read: pictures and floats stay where they are.
"""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from policy.schema import ControlMode
from storage.frames import CONTROL_MODES
from storage.tables import OFFSET_COLUMN, PARTITION_COLUMN

COLUMNS = ("episode_id", "step_index", "control_mode")
CORRECTING = CONTROL_MODES.index(ControlMode.CORRECTING)
UNKNOWN = -1
"""The mode of a step that is not there yet, or whose word nobody knows."""

_MAX_STEPS = 1 << 20
"""A step index from there on is damage, and not worth the memory."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StepModes:
    """One episode's steps, as far as they came."""

    mode: NDArray[np.int8]
    """int8[n], index into CONTROL_MODES or UNKNOWN."""
    partition: int
    """Of the steps topic; a robot's records stay in one."""
    first_offset: int
    last_offset: int

    def bands(self) -> list[tuple[str, int, int]]:
        """(mode, first step, last step) of each stretch."""
        if not len(self.mode):
            return []
        ends = np.flatnonzero(np.diff(self.mode)).tolist()
        firsts = [0, *(end + 1 for end in ends)]
        lasts = [*ends, len(self.mode) - 1]
        return [(_word(self.mode[first]), first, last) for first, last in zip(firsts, lasts, strict=True)]


class StepModeIndex:
    """Takes batches of the steps table."""

    def __init__(self) -> None:
        self._modes: dict[str, StepModes] = {}

    def take(self, batch: pa.RecordBatch) -> set[str]:
        """Add a batch; returns the episodes that it touched."""
        encoded: Any = batch.column("episode_id").dictionary_encode()
        ids = encoded.dictionary.to_pylist()
        episode = encoded.indices.to_numpy(zero_copy_only=False)
        step = batch.column("step_index").to_numpy(zero_copy_only=False)
        mode = _codes(batch.column("control_mode"))
        partition = batch.column(PARTITION_COLUMN).to_numpy(zero_copy_only=False)
        offset = batch.column(OFFSET_COLUMN).to_numpy(zero_copy_only=False)
        order = np.argsort(episode, kind="stable")
        order = order[(step[order] >= 0) & (step[order] < _MAX_STEPS)]
        for rows in np.split(order, np.flatnonzero(np.diff(episode[order])) + 1):
            if len(rows):
                added = StepModes(
                    mode=_placed(mode[rows], step[rows]),
                    partition=int(partition[rows[0]]),
                    first_offset=int(offset[rows].min()),
                    last_offset=int(offset[rows].max()),
                )
                episode_id = ids[episode[rows[0]]]
                self._modes[episode_id] = _merged(self._modes.get(episode_id), added)
        return set(ids)

    def get(self, episode_id: str) -> StepModes | None:
        """What came of an episode."""
        return self._modes.get(episode_id)

    def frozen(self) -> dict[str, StepModes]:
        """All episodes so far."""
        return dict(self._modes)


def _codes(column: Any) -> NDArray[np.int8]:
    encoded = column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    own = np.array([CONTROL_MODES.index(word) if word in CONTROL_MODES else UNKNOWN for word in words], np.int8)
    return own[encoded.indices.to_numpy(zero_copy_only=False)] if len(own) else np.empty(0, np.int8)


def _placed(mode: NDArray[np.int8], step: NDArray[Any]) -> NDArray[np.int8]:
    placed = np.full(int(step.max()) + 1, UNKNOWN, np.int8)
    placed[step] = mode
    return placed


def _merged(known: StepModes | None, added: StepModes) -> StepModes:
    if known is None:
        return added
    mode = np.full(max(len(known.mode), len(added.mode)), UNKNOWN, np.int8)
    mode[: len(known.mode)] = known.mode
    came = added.mode != UNKNOWN
    mode[: len(added.mode)][came] = added.mode[came]
    return StepModes(
        mode=mode,
        partition=added.partition,
        first_offset=min(known.first_offset, added.first_offset),
        last_offset=max(known.last_offset, added.last_offset),
    )


def _word(code: Any) -> str:
    return str(CONTROL_MODES[code]) if code != UNKNOWN else "unknown"
