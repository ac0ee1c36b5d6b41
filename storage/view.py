"""A pinned view of the replay: which episodes, in an order that the pin alone decides, and batches.

Everything is reproducible from (pin, filters, seed): episodes stand in the order of the episodes topic,
`draw` takes positions in that order, and where the ring keeps an episode does not matter.
"""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.errors import LakeError
from policy.schema import ControlMode, Float32, Outcome, Source, UInt8
from storage.frames import CONTROL_MODES, StepArrays
from storage.pin import DataPin

SOURCES = tuple(Source)
"""`Batch.source` is an index into it."""
OUTCOMES = tuple(Outcome)
"""`Batch.outcome` is an index into it."""
EPISODE_DTYPE = np.dtype(
    [
        ("episode_id", object),
        ("start", np.int64),  # row of its first step in `Replay.steps`
        ("length", np.int32),
        ("outcome", object),  # after the latest label
        ("source", object),
        ("task_id", object),
        ("instruction", object),
        ("policy_version", object),
        ("robot_id", object),
        ("operator_id", object),  # who helped first; empty where nobody did
        ("scene_seed", np.int64),
        ("num_correction_steps", np.int32),
        ("ended_ns", np.int64),
    ]
)
"""Texts are Python strings, so `view.episodes["outcome"] == "success"` is a mask."""

_CORRECTING = CONTROL_MODES.index(ControlMode.CORRECTING)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """B drawn steps with the H actions that followed each."""

    step_rows: NDArray[np.int64]
    """int64[B], rows in `Replay.steps`."""
    frames: UInt8
    """uint8[B, C, height, width, 3]."""
    state: Float32
    """float32[B, S]."""
    tactile: Float32
    """float32[B, T]."""
    instructions: list[str]
    """B of them."""
    actions: Float32
    """float32[B, H, A], executed actions; past the episode's end the last one repeats."""
    action_mask: NDArray[np.bool_]
    """bool[B, H], False past the episode's end."""
    control_mode: NDArray[np.int8]
    """int8[B, H], index into CONTROL_MODES, of each action."""
    is_correction: NDArray[np.bool_]
    """bool[B, H], a person's action; False past the episode's end."""
    source: NDArray[np.int8]
    """int8[B], index into SOURCES."""
    outcome: NDArray[np.int8]
    """int8[B], index into OUTCOMES."""
    steps_to_end: NDArray[np.int32]
    """int32[B], 0 at the episode's last step."""
    episode_row: NDArray[np.int32]
    """int32[B], row in `View.episodes`."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Complete episodes of one pin; valid until the next `Replay.refresh` writes over the oldest."""

    pin: DataPin
    episodes: NDArray[Any]
    """EPISODE_DTYPE[E], in the order of the episodes topic."""
    steps: StepArrays
    """The ring's arrays."""

    def __post_init__(self) -> None:
        episodes = self.episodes
        lengths = episodes["length"].astype(np.int64)
        ends = np.cumsum(lengths)
        by_start = np.argsort(episodes["start"], kind="stable")
        derived = {
            "_ends": ends,
            "_firsts": episodes["start"] - (ends - lengths),
            "_by_start": by_start,
            "_sorted_starts": episodes["start"][by_start],
            "_source_codes": np.array([SOURCES.index(s) for s in episodes["source"]], np.int8),
            "_outcome_codes": np.array([OUTCOMES.index(o) for o in episodes["outcome"]], np.int8),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    _ends: NDArray[np.int64] = dataclasses.field(init=False, repr=False)
    _firsts: NDArray[np.int64] = dataclasses.field(init=False, repr=False)
    _by_start: NDArray[np.int64] = dataclasses.field(init=False, repr=False)
    _sorted_starts: NDArray[np.int64] = dataclasses.field(init=False, repr=False)
    _source_codes: NDArray[np.int8] = dataclasses.field(init=False, repr=False)
    _outcome_codes: NDArray[np.int8] = dataclasses.field(init=False, repr=False)

    @property
    def num_steps(self) -> int:
        """Steps of all episodes."""
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def step_rows(self) -> NDArray[np.int64]:
        """int64[num_steps], every step's row in `steps`, in episode order."""
        return self.rows_at(np.arange(self.num_steps))

    @property
    def episode_row(self) -> NDArray[np.int32]:
        """int32[num_steps], the row in `episodes` of every step, in episode order."""
        return np.repeat(np.arange(len(self.episodes), dtype=np.int32), self.episodes["length"])

    def where(self, **wanted: Collection[str]) -> "View":
        """The episodes whose columns have one of the wanted values; an empty filter lets all through."""
        keep = np.ones(len(self.episodes), np.bool_)
        for name, values in wanted.items():
            if values:
                texts = {str(value) for value in values}
                keep &= np.array([value in texts for value in self.episodes[name]], np.bool_)
        return self if keep.all() else View(pin=self.pin, episodes=self.episodes[keep], steps=self.steps)

    def rows_at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows in `steps` of positions 0..num_steps-1 in episode order."""
        return positions + self._firsts[np.searchsorted(self._ends, positions, side="right")]

    def draw(self, rng: np.random.Generator, num_steps: int) -> NDArray[np.int64]:
        """Rows of steps drawn uniformly, with replacement.

        Raises:
            LakeError: the view is empty.
        """
        if self.num_steps == 0:
            raise LakeError("nothing to draw from", num_episodes=len(self.episodes))
        return self.rows_at(rng.integers(self.num_steps, size=num_steps))

    def gather(self, step_rows: NDArray[np.int64], horizon: int) -> Batch:
        """Collect the steps at some rows, and the actions that followed.

        Raises:
            LakeError: a row of no episode in this view.
        """
        episode = self._episodes_of(step_rows)
        end = self.episodes["start"][episode] + self.episodes["length"][episode]
        ahead = step_rows[:, None] + np.arange(horizon)
        action_mask = ahead < end[:, None]
        ahead = np.minimum(ahead, end[:, None] - 1)
        control_mode = self.steps.control_mode[ahead]
        return Batch(
            step_rows=step_rows,
            frames=self.steps.frames[step_rows],
            state=self.steps.state[step_rows],
            tactile=self.steps.tactile[step_rows],
            instructions=self.episodes["instruction"][episode].tolist(),
            actions=self.steps.executed_action[ahead],
            action_mask=action_mask,
            control_mode=control_mode,
            is_correction=(control_mode == _CORRECTING) & action_mask,
            source=self._source_codes[episode],
            outcome=self._outcome_codes[episode],
            steps_to_end=(end - 1 - step_rows).astype(np.int32),
            episode_row=episode.astype(np.int32),
        )

    def _episodes_of(self, step_rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(self.episodes) == 0 or len(step_rows) == 0:
            raise LakeError("nothing to gather", num_episodes=len(self.episodes), num_rows=len(step_rows))
        found = np.searchsorted(self._sorted_starts, step_rows, side="right") - 1
        episode = self._by_start[np.maximum(found, 0)]
        behind = step_rows - self.episodes["start"][episode]
        strangers = (found < 0) | (behind < 0) | (behind >= self.episodes["length"][episode])
        if strangers.any():
            raise LakeError("rows of no episode in this view", rows=step_rows[strangers][:5].tolist())
        return np.asarray(episode)
