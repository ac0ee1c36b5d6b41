"""What the newest critic thinks of each episode.

A critic that is trained again judges every step again, so the table grows with every round; of an episode
only the newest critic's rows are kept. Newest is who comes later in the log.
"""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa

from console.history.columns import Array, Bool, Int32
from policy.schema import Float32
from storage.tables import OFFSET_COLUMN

COLUMNS = (
    "critic_version",
    "episode_id",
    "step_index",
    "value",
    "return_to_go",
    "advantage",
    "improvement_indicator",
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeValues:
    """One critic's view of one episode: n steps in order, not always all of them."""

    critic: str
    last_offset: int
    """The highest of its rows in the log."""
    step: Int32
    """int32[n], growing."""
    value: Float32
    """float32[n]."""
    return_to_go: Float32
    """float32[n]; NaN while it is not known how the episode ends."""
    advantage: Float32
    """float32[n]."""
    is_positive: Bool
    """bool[n], the improvement indicator."""

    @property
    def mean_advantage(self) -> float:
        """NaN where no advantage is known."""
        known = self.advantage[np.isfinite(self.advantage)]
        return float(known.mean()) if len(known) else float("nan")

    def along(self, num_steps: int, num_points: int) -> Float32:
        """The value at evenly spaced moments of an episode, float32[num_points]; no guess beyond its ends."""
        moments = np.linspace(0, max(num_steps - 1, 0), num_points)
        return np.interp(moments, self.step, self.value).astype(np.float32)


class ValueIndex:
    """Takes batches of the values table, in any order."""

    def __init__(self) -> None:
        self._episodes: dict[str, EpisodeValues] = {}
        self._last_offset: dict[str, int] = {}

    def take(self, batch: pa.RecordBatch) -> set[str]:
        """Add a batch; returns the episodes that changed."""
        keys: list[Any] = [batch.column(name).dictionary_encode() for name in ("episode_id", "critic_version")]
        episode, critic = (key.indices.to_numpy(zero_copy_only=False) for key in keys)
        ids, critics = (key.dictionary.to_pylist() for key in keys)
        offset = batch.column(OFFSET_COLUMN).to_numpy(zero_copy_only=False)
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in COLUMNS[2:]}
        order = np.lexsort((offset, columns["step_index"], critic, episode))
        cuts = np.flatnonzero((np.diff(episode[order]) != 0) | (np.diff(critic[order]) != 0)) + 1
        changed = set()
        for rows in np.split(order, cuts):
            if not len(rows):
                continue
            added = _group(critics[critic[rows[0]]], int(offset[rows].max()), columns, rows)
            episode_id = ids[episode[rows[0]]]
            if self._merge(episode_id, added):
                changed.add(episode_id)
            self._last_offset[added.critic] = max(added.last_offset, self._last_offset.get(added.critic, -1))
        return changed

    def get(self, episode_id: str) -> EpisodeValues | None:
        """The newest critic's view of an episode."""
        return self._episodes.get(episode_id)

    def frozen(self) -> dict[str, EpisodeValues]:
        """All episodes so far."""
        return dict(self._episodes)

    def critics(self) -> list[str]:
        """Every critic that was met, newest first."""
        return sorted(self._last_offset, key=lambda critic: -self._last_offset[critic])

    def _merge(self, episode_id: str, added: EpisodeValues) -> bool:
        known = self._episodes.get(episode_id)
        if known is None or (known.critic != added.critic and added.last_offset > known.last_offset):
            self._episodes[episode_id] = added
            return True
        if known.critic != added.critic:
            return False
        older, newer = (known, added) if added.last_offset >= known.last_offset else (added, known)
        self._episodes[episode_id] = _joined(older, newer)
        return True


def _group(critic: str, last_offset: int, columns: dict[str, Array], rows: Array) -> EpisodeValues:
    step = columns["step_index"][rows].astype(np.int32)
    rows, step = rows[_is_last(step)], step[_is_last(step)]
    return EpisodeValues(
        critic=critic,
        last_offset=last_offset,
        step=step,
        value=columns["value"][rows].astype(np.float32),
        return_to_go=columns["return_to_go"][rows].astype(np.float32),
        advantage=columns["advantage"][rows].astype(np.float32),
        is_positive=columns["improvement_indicator"][rows].astype(np.bool_),
    )


def _joined(older: EpisodeValues, newer: EpisodeValues) -> EpisodeValues:
    """Both, the newer where both have a step."""
    step = np.concatenate([older.step, newer.step])
    order = np.argsort(step, kind="stable")
    order = order[_is_last(step[order])]

    def both(name: str) -> Any:
        return np.concatenate([getattr(older, name), getattr(newer, name)])[order]

    return EpisodeValues(
        critic=newer.critic,
        last_offset=newer.last_offset,
        step=step[order],
        value=both("value"),
        return_to_go=both("return_to_go"),
        advantage=both("advantage"),
        is_positive=both("is_positive"),
    )


def _is_last(step: Array) -> Bool:
    """Whether each is the last of equal ones, in an ordered array."""
    return np.append(step[1:] != step[:-1], np.True_) if len(step) else np.empty(0, np.bool_)
