"""What the learner trains on: experience plus the look-up of observations and action chunks.

`ArrayData` holds everything in arrays: a bench's and the tests' data, and the shape of a pinned view of
the replay buffer (`learner/replay_data.py`), whose arrays are memory maps.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from learner.experience import Bool, Experience, Int64
from learner.goals import GOAL_ONLY, Goals
from learner.value import Observations
from policy.batch import ChunkBatch, Indicator, MixedBatch, ObservationBatch
from policy.schema import Float32, UInt8
from policy.spec import EmbodimentSpec


class Data(Observations, Protocol):
    """A pinned training set."""

    @property
    def experience(self) -> Experience:
        """Its steps and episodes."""

    @property
    def pin(self) -> str:
        """JSON that names exactly this data; the same pin gives the same data again."""

    @property
    def episode_ids(self) -> Sequence[str]:
        """Names of the experience's episodes."""

    @property
    def tasks(self) -> Sequence[str]:
        """Names of the experience's task codes."""

    @property
    def num_stale_episodes(self) -> int:
        """Episodes whose outcome is not told, because their weights are too old."""

    def chunks(self, steps: Int64, horizon: int, indicator: NDArray[np.int64]) -> ChunkBatch | MixedBatch:
        """Training samples that start at some steps of the experience.

        Args:
            steps: int64[B].
            horizon: actions of a sample.
            indicator: int64[B], values of `Indicator`, or `learner.goals.GOAL_ONLY`.
        """


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ArrayData:
    """A training set in arrays that are addressed by `experience.row`."""

    spec: EmbodimentSpec
    experience: Experience
    pin: str
    frames: UInt8
    """uint8[rows, C, height, width, 3]."""
    state: Float32
    """float32[rows, S]."""
    tactile: Float32
    """float32[rows, T]."""
    action: Float32
    """float32[rows, A], what was executed."""
    instruction: Int64
    """int64[rows], index into `instructions`."""
    instructions: Sequence[str]
    episode_ids: Sequence[str]
    """E names."""
    tasks: Sequence[str]
    """Names of the task codes."""
    num_stale_episodes: int = 0
    """Episodes whose outcome is not told, because their weights are too old."""

    @cached_property
    def goals(self) -> Goals:
        """What the end of each step's segment says."""
        return Goals.of(self.experience)

    def observations(self, steps: Int64) -> ObservationBatch:
        """The observations of steps of the experience, in the order asked for."""
        rows = self.experience.row[steps]
        return ObservationBatch(
            frames=self.frames[rows],
            state=self.state[rows],
            tactile=self.tactile[rows],
            instructions=[self.instructions[code] for code in self.instruction[rows]],
        )

    def chunks(self, steps: Int64, horizon: int, indicator: NDArray[np.int64]) -> ChunkBatch:
        """Training samples that start at some steps of the experience."""
        ahead = np.minimum(steps[:, None] + np.arange(horizon), self.experience.num_steps - 1)
        is_imitated = indicator != GOAL_ONLY
        return ChunkBatch(
            observations=self.observations(steps),
            actions=self.action[self.experience.row[ahead]],
            action_mask=action_mask(self.experience, steps, horizon) & is_imitated[:, None],
            indicator=np.where(is_imitated, indicator, int(Indicator.POSITIVE)),
            goal=self.state[self.experience.row[self.goals.step[steps]]],
            # Who draws a sample for its goal alone has seen to it that there is one.
            goal_mask=self.goals.is_known[steps] | ~is_imitated,
        )


class TrainingStopped(Exception):
    """Raised out of a computation that takes longer than a process may take to stop."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StoppableData(ArrayData):
    """The same data, until it is time to stop: whoever computes on it need not know how to be stopped."""

    should_stop: Callable[[], bool]

    @classmethod
    def of(cls, data: ArrayData, should_stop: Callable[[], bool]) -> "StoppableData":
        """A view of some data."""
        fields = {field.name: getattr(data, field.name) for field in dataclasses.fields(ArrayData)}
        return cls(**fields, should_stop=should_stop)

    def observations(self, steps: Int64) -> ObservationBatch:
        """As `ArrayData.observations`.

        Raises:
            TrainingStopped: it is time to stop.
        """
        if self.should_stop():
            raise TrainingStopped
        return super().observations(steps)


def action_mask(experience: Experience, steps: Int64, horizon: int) -> Bool:
    """bool[B, H], True while the behaviour at the chunk's first step goes on.

    A chunk ends with its episode, and where the person takes over or hands back: what somebody else did
    next is no target for an indicator that judged this behaviour.
    """
    kind = experience.is_correction + 2 * experience.is_held
    changes = np.ones(experience.num_steps + 1, np.bool_)
    changes[1:-1] = (kind[1:] != kind[:-1]) | (np.diff(experience.episode) != 0)
    ends = np.flatnonzero(changes)
    end = ends[np.searchsorted(ends, steps, side="right")]
    return np.asarray(steps[:, None] + np.arange(horizon) < end[:, None], np.bool_)
