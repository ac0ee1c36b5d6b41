"""Training sets of several bodies as one, for a policy that drives them all.

Episodes and steps of the first set come first. A batch is drawn over all of them as over any other, uniform over
tasks, and is then dealt out by body, because bodies differ in what they sense and in how they move.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.data import ArrayData
from learner.experience import Experience, Int64
from policy.batch import ChunkBatch, MixedBatch, ObservationBatch
from policy.errors import ConfigError, SchemaError
from policy.spec import EmbodimentSpec


class JointData:
    """A `Data` that is made of one training set per body."""

    def __init__(self, parts: Sequence[ArrayData]) -> None:
        """Join them.

        Raises:
            ConfigError: no set, two of one body, or two that hold the same task.
        """
        ids = [part.spec.spec_id for part in parts]
        self.tasks = [task for part in parts for task in part.tasks]
        if not parts or len(set(ids)) < len(ids) or len(set(self.tasks)) < len(self.tasks):
            raise ConfigError("joint data needs one training set per body, each with tasks of its own", specs=ids)
        self.parts = tuple(parts)
        self.experience = _join([part.experience for part in parts], [len(part.tasks) for part in parts])
        self.pin = "[" + ", ".join(part.pin for part in parts) + "]"
        self.episode_ids = [name for part in parts for name in part.episode_ids]
        self.num_stale_episodes = sum(part.num_stale_episodes for part in parts)
        self._first = np.cumsum([0, *(part.experience.num_steps for part in parts)])

    @property
    def spec(self) -> EmbodimentSpec:
        """The first body, as a policy's."""
        return self.parts[0].spec

    def observations(self, steps: Int64) -> ObservationBatch:
        """The observations of steps of one body.

        Raises:
            SchemaError: the steps are of several bodies, whose observations have no common shape.
        """
        of = np.unique(self._part_of(steps))
        if len(of) != 1:
            raise SchemaError("steps of several bodies have no common observation", num_bodies=len(of))
        index = int(of[0])
        return self.parts[index].observations(steps - self._first[index])

    def chunks(self, steps: Int64, horizon: int, indicator: NDArray[np.int64]) -> MixedBatch:
        """Training samples that start at some steps of the experience, by body."""
        of = self._part_of(steps)
        parts: dict[str, ChunkBatch] = {}
        for index, part in enumerate(self.parts):
            mine = of == index
            if not mine.any():
                continue
            parts[part.spec.spec_id] = part.chunks(steps[mine] - self._first[index], horizon, indicator[mine])
        return MixedBatch(parts=parts, order=np.argsort(np.argsort(of, kind="stable")))

    def _part_of(self, steps: Int64) -> Int64:
        return np.searchsorted(self._first, steps, side="right") - 1


def _join(parts: Sequence[Experience], num_tasks: Sequence[int]) -> Experience:
    first_step = np.cumsum([0, *(part.num_steps for part in parts)])
    first_task = np.cumsum([0, *num_tasks])
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            "length",
            "is_success",
            "is_failure",
            "is_demonstration",
            "is_held_out",
            "is_correction",
            "is_held",
            "row",
        )
    }
    start = [part.start + first for part, first in zip(parts, first_step, strict=False)]
    task = [part.task + first for part, first in zip(parts, first_task, strict=False)]
    return Experience(start=np.concatenate(start), task=np.concatenate(task), **whole)
