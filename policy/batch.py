"""What enters a policy: observations of several robots at once, and training chunks.

numpy only: the actor stacks its robots, the learner gathers from the replay, and both hand over the
same arrays, so that training and acting cannot drift apart.
"""

import dataclasses
import enum
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from policy.errors import SchemaError
from policy.schema import Float32, Observation, UInt8
from policy.spec import EmbodimentSpec


class Indicator(enum.IntEnum):
    """The improvement indicator that a policy is conditioned on (RECAP, arXiv 2511.14759)."""

    NEGATIVE = 0
    POSITIVE = 1
    NULL = 2
    """Not told: the unconditional policy that guidance may start from."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ObservationBatch:
    """Observations, one row per robot or per training sample."""

    frames: UInt8
    """uint8[B, C, height, width, 3]."""
    state: Float32
    """float32[B, S], the spec's units."""
    tactile: Float32
    """float32[B, T], the spec's units."""
    instructions: Sequence[str]
    """B instructions."""

    def __len__(self) -> int:
        return len(self.instructions)

    @classmethod
    def stack(cls, observations: Sequence[Observation]) -> "ObservationBatch":
        """Rows in the order given; all of one embodiment."""
        return cls(
            frames=np.stack([_frames(observation) for observation in observations]),
            state=np.stack([observation.state for observation in observations]),
            tactile=np.stack([observation.tactile for observation in observations]),
            instructions=[observation.instruction for observation in observations],
        )

    def check(self, spec: EmbodimentSpec) -> None:
        """Refuse a batch of another body.

        Raises:
            SchemaError: a shape that is not the spec's.
        """
        num_rows = len(self)
        expected = {
            "frames": (num_rows, *frame_shape(spec)),
            "state": (num_rows, len(spec.state)),
            "tactile": (num_rows, len(spec.tactile)),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise SchemaError(
                    "the observation does not fit the spec",
                    spec=spec.name,
                    field=name,
                    expected=shape,
                    found=found,
                )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ChunkBatch:
    """Training samples: what was seen, and what was executed from there on."""

    observations: ObservationBatch
    actions: Float32
    """float32[B, H, A], the spec's units; what was executed."""
    action_mask: NDArray[np.bool_]
    """bool[B, H]; False where the action is not a target (after the episode's end, or not to be copied)."""
    indicator: NDArray[np.int64]
    """int64[B], values of `Indicator`."""
    goal: Float32
    """float32[B, S], the spec's units: the state in which the piece of work that the sample is part of ended."""
    goal_mask: NDArray[np.bool_]
    """bool[B]; False where it did not end well, or nobody knows."""

    def __len__(self) -> int:
        return len(self.observations)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MixedBatch:
    """Training samples of several bodies."""

    parts: Mapping[str, ChunkBatch]
    """Of one body each, by its `spec_id`."""
    order: NDArray[np.int64]
    """int64[B], where each sample lies in the parts one after the other."""

    def __len__(self) -> int:
        return len(self.order)


def frame_shape(spec: EmbodimentSpec) -> tuple[int, int, int, int]:
    """(C, height, width, 3) of all frames of a body together.

    Raises:
        SchemaError: the cameras differ in size, which one array cannot hold.
    """
    sizes = {(camera.height, camera.width) for camera in spec.cameras}
    if len(sizes) > 1:
        raise SchemaError("all cameras of a spec must have one size", spec=spec.name, sizes=tuple(sorted(sizes)))
    height, width = next(iter(sizes), (0, 0))
    return len(spec.cameras), height, width, 3


def _frames(observation: Observation) -> UInt8:
    return np.stack(observation.frames) if observation.frames else np.zeros((0, 0, 0, 3), np.uint8)
