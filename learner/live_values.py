"""Steps of the live stream, from the wire to values: numpy and torch, no I/O.

    read_steps(batch)       what a message holds that may be scored
    PendingSteps            per robot the newest that wait; the old give way
    score(critic, steps)    -> one value each

A view of now: what came too late to matter is dropped and counted, never caught up with.
"""

import collections
import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa

from learner.critic_checkpoint import Critic
from policy.batch import ObservationBatch
from policy.errors import SchemaError
from policy.schema import Source
from storage.frames import StepArrays, decode_steps

SCORED_SOURCES = (Source.ROLLOUT, Source.EVALUATION)
"""Whose steps the critic judges live; demonstrations need nobody's judgement."""
_COLUMNS = (
    "robot_id",
    "episode_id",
    "step_index",
    "time_ns",
    "spec_id",
    "source",
    "task_id",
    "instruction",
    "control_mode",
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SeenStep:
    """One step as it came; its pictures are decoded only if it is scored."""

    robot_id: str
    episode_id: str
    step_index: int
    time_ns: int
    """The robot's wall time of the action."""
    spec_id: str
    source: str
    task_id: str
    instruction: str
    control_mode: str
    row: pa.RecordBatch
    """The step itself: one row of the message."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ScoredStep:
    """One step and what the critic thinks of it."""

    step: SeenStep
    value: float
    """V(o, l) in [-1, 0]."""


def read_steps(batch: pa.RecordBatch) -> list[SeenStep]:
    """The steps of a decoded message whose source is scored, in its order."""
    columns: dict[str, list[Any]] = {name: batch.column(name).to_pylist() for name in _COLUMNS}
    return [
        SeenStep(**{name: column[row] for name, column in columns.items()}, row=batch.slice(row, 1))
        for row in range(batch.num_rows)
        if columns["source"][row] in SCORED_SOURCES
    ]


class PendingSteps:
    """Steps that wait to be scored, by robot."""

    def __init__(self, max_per_robot: int) -> None:
        self._max_per_robot = max_per_robot
        self._steps: dict[str, collections.deque[SeenStep]] = {}
        self._num_dropped = 0

    def add(self, step: SeenStep) -> None:
        """Queue one step; the robot's oldest gives way."""
        queue = self._steps.setdefault(step.robot_id, collections.deque(maxlen=self._max_per_robot))
        self._num_dropped += len(queue) == self._max_per_robot
        queue.append(step)

    def take(self, num_steps: int) -> tuple[list[SeenStep], int]:
        """The newest steps, the robots in turn, at most `num_steps` in all; and how many were dropped since.

        What is returned is in order for each robot. Nothing waits afterwards.
        """
        taken: list[SeenStep] = []
        while len(taken) < num_steps and any(self._steps.values()):
            for queue in self._steps.values():
                if queue and len(taken) < num_steps:
                    taken.append(queue.pop())
        num_dropped = self._num_dropped + sum(map(len, self._steps.values()))
        self._steps.clear()
        self._num_dropped = 0
        return taken[::-1], num_dropped


def score(critic: Critic, steps: list[SeenStep]) -> list[ScoredStep]:
    """Judge steps of the critic's embodiment; those that do not fit it after all are left out."""
    decoded = [(step, arrays) for step in steps if (arrays := _decode(step, critic)) is not None]
    if not decoded:
        return []
    batch = ObservationBatch(
        frames=np.concatenate([arrays.frames for _, arrays in decoded]),
        state=np.concatenate([arrays.state for _, arrays in decoded]),
        tactile=np.concatenate([arrays.tactile for _, arrays in decoded]),
        instructions=[step.instruction for step, _ in decoded],
    )
    values = critic.values(batch)
    return [ScoredStep(step=step, value=float(value)) for (step, _), value in zip(decoded, values, strict=True)]


def _decode(step: SeenStep, critic: Critic) -> StepArrays | None:
    try:
        return decode_steps(pa.Table.from_batches([step.row]), critic.spec)
    except SchemaError:
        return None  # a damaged picture, say: ingest keeps the step as it is, and the learner refuses it too
