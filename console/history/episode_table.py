"""The episodes table in columns, one row per ended episode."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from console.history.columns import Array, Bool, GrowingColumns, Int32, Int64, Names, texts_of
from policy.schema import EXPERT_SOURCES, Outcome, Source
from storage.tables import OFFSET_COLUMN, TIME_COLUMN

SOURCES = tuple(Source)
"""A row's source is an index into it; what is not known there has a higher code."""
OUTCOMES = tuple(Outcome)
"""A row's outcome is an index into it; what is not known there has a higher code."""
SUCCESS = OUTCOMES.index(Outcome.SUCCESS)
UNLABELLED = OUTCOMES.index(Outcome.UNLABELLED)
ROLLOUT = SOURCES.index(Source.ROLLOUT)
EVALUATION = SOURCES.index(Source.EVALUATION)
EXPERTS = frozenset(SOURCES.index(source) for source in EXPERT_SOURCES)

CODED = {
    "robot_id": "robot",
    "spec_id": "spec",
    "source": "source",
    "task_id": "task",
    "policy_version": "version",
    "release_role": "role",
    "outcome": "first_outcome",
}
"""Columns of few different texts, and what they are called here."""
_TEXTS = ("episode_id", "instruction", "outcome_reason", "outcome_author")
_NUMBERS = {
    "scene_seed": np.int64,
    "started_ns": np.int64,
    "ended_ns": np.int64,
    "num_steps": np.int64,
    "num_correction_steps": np.int64,
    "num_interventions": np.int64,
    "control_rate_hz": np.float64,
    OFFSET_COLUMN: np.int64,
    TIME_COLUMN: np.int64,
}
COLUMNS: Sequence[str] = (*CODED, *_TEXTS, *(name for name in _NUMBERS if name != OFFSET_COLUMN))
"""What is read of the table."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Episodes:
    """E ended episodes in the order in which they were read; texts of codes are in `names`."""

    names: dict[str, Names]
    """By column name: robot, spec, source, task, version, role, outcome."""
    row_of: dict[str, int]
    """Row of each episode by its id; may know more rows than the arrays have."""
    episode_id: Array
    """object[E]."""
    robot: Int32
    """int32[E], a code as are spec, source, task, version, role and first_outcome."""
    spec: Int32
    source: Int32
    task: Int32
    version: Int32
    role: Int32
    first_outcome: Int32
    """As the robot recorded it."""
    instruction: Array
    outcome_reason: Array
    outcome_author: Array
    scene_seed: Int64
    started_ns: Int64
    ended_ns: Int64
    num_steps: Int64
    num_correction_steps: Int64
    num_interventions: Int64
    control_rate_hz: Array
    """float64[E]."""
    kafka_offset: Int64
    kafka_time_ns: Int64
    """When the broker had the row; 0 where the lake does not say."""

    @property
    def num_rows(self) -> int:
        """E."""
        return len(self.episode_id)

    def row(self, episode_id: str) -> int | None:
        """The row of an episode; None where it has not ended."""
        row = self.row_of.get(episode_id)
        return row if row is not None and row < self.num_rows else None

    def robot_hours(self) -> Array:
        """float64[E], robot time: ticks over rate."""
        rate = np.where(self.control_rate_hz > 0, self.control_rate_hz, np.inf)
        return np.asarray(self.num_steps / rate / 3_600, np.float64)

    def is_assisted(self) -> Bool:
        """bool[E], somebody helped."""
        return np.asarray((self.num_interventions > 0) | (self.num_correction_steps > 0), np.bool_)


class EpisodeTable:
    """Takes batches; the first row of an episode counts."""

    def __init__(self) -> None:
        dtypes = {**dict.fromkeys(CODED.values(), np.int32), **dict.fromkeys(_TEXTS, object), **_NUMBERS}
        self._columns = GrowingColumns(dtypes)
        self._row_of: dict[str, int] = {}
        self.names = {name: Names() for name in CODED.values() if name != "first_outcome"}
        self.names["source"] = Names(SOURCES)
        self.names["outcome"] = Names(OUTCOMES)

    def take(self, batch: pa.RecordBatch) -> list[str]:
        """Add a batch; returns the ids of the episodes that are new."""
        ids: list[Any] = batch.column("episode_id").to_pylist()
        new = []
        for position, episode_id in enumerate(ids):
            if episode_id not in self._row_of:
                self._row_of[episode_id] = len(self._row_of)
                new.append(position)
        if len(new) < len(ids):
            batch = batch.take(pa.array(new, pa.int64()))
        if not new:
            return []
        columns: dict[str, Array] = {name: texts_of(batch.column(name)) for name in _TEXTS}
        columns |= {name: batch.column(name).to_numpy(zero_copy_only=False) for name in _NUMBERS}
        for name, own in CODED.items():
            columns[own] = self.names["outcome" if own == "first_outcome" else own].codes(batch.column(name))
        self._columns.append(columns)
        return [ids[position] for position in new]

    def frozen(self) -> Episodes:
        """What was read so far."""
        return Episodes(names=self.names, row_of=self._row_of, **self._columns.frozen())
