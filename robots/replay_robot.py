"""A robot that plays back what another one sensed: for benchmarks of services, without a simulator."""

import dataclasses
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.errors import SchemaError
from policy.schema import Float32, Observation, UInt8
from policy.spec import EmbodimentSpec
from robots.robot import TaskStatus


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """What one robot sensed, step by step; N steps."""

    spec: EmbodimentSpec
    task_id: str
    instruction: str
    frames: tuple[UInt8, ...]
    """uint8[N, height, width, 3] per camera."""
    state: Float32
    """float32[N, S]."""
    tactile: Float32
    """float32[N, T]."""

    def __post_init__(self) -> None:
        lengths = {len(self.state), len(self.tactile), *(len(frames) for frames in self.frames)}
        if len(lengths) != 1 or lengths == {0}:
            raise SchemaError("a recording needs equally many readings of everything", lengths=lengths)

    @classmethod
    def of(cls, spec: EmbodimentSpec, task_id: str, observations: Sequence[Observation]) -> "Recording":
        """Stack observations of one instruction."""
        return cls(
            spec=spec,
            task_id=task_id,
            instruction=observations[0].instruction,
            frames=tuple(np.stack([o.frames[i] for o in observations]) for i in range(len(spec.cameras))),
            state=np.stack([o.state for o in observations]),
            tactile=np.stack([o.tactile for o in observations]),
        )

    def save(self, path: pathlib.Path) -> None:
        """Write an .npz file."""
        text = {"spec": self.spec.to_json(), "task_id": self.task_id, "instruction": self.instruction}
        arrays: dict[str, NDArray[Any]] = {name: np.array(value) for name, value in text.items()}
        arrays |= {f"frames_{i}": frames for i, frames in enumerate(self.frames)}
        np.savez(path, allow_pickle=False, **arrays, state=self.state, tactile=self.tactile)

    @classmethod
    def load(cls, path: pathlib.Path) -> "Recording":
        """The inverse of `save`.

        Raises:
            SchemaError: the file is not a recording.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                spec = EmbodimentSpec.from_json(str(file["spec"]))
                return cls(
                    spec=spec,
                    task_id=str(file["task_id"]),
                    instruction=str(file["instruction"]),
                    frames=tuple(file[f"frames_{i}"] for i in range(len(spec.cameras))),
                    state=file["state"],
                    tactile=file["tactile"],
                )
        except (OSError, KeyError, ValueError) as error:
            raise SchemaError(f"not a recording: {error}", file=str(path)) from error


class ReplayRobot:
    """Senses what was recorded, whatever it is told to do; an episode ends with the recording."""

    is_simulated = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._index = 0

    @property
    def spec(self) -> EmbodimentSpec:
        """Of the robot that was recorded."""
        return self._recording.spec

    @property
    def task_id(self) -> str:
        """Of the robot that was recorded."""
        return self._recording.task_id

    def reset(self, scene_seed: int) -> Observation:
        """Back to the start; the seed does not matter."""
        self._index = 0
        return self.observe()

    def observe(self) -> Observation:
        """The recorded reading, stamped with the present time."""
        recording, index = self._recording, self._index
        return Observation(
            frames=tuple(frames[index] for frames in recording.frames),
            state=recording.state[index],
            tactile=recording.tactile[index],
            instruction=recording.instruction,
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        """On to the next reading."""
        last = len(self._recording.state) - 1
        self._index = min(self._index + 1, last)
        return TaskStatus(is_truncated=self._index == last)

    def hold(self) -> TaskStatus:
        """Time passes for a robot that stands still, too."""
        return self.apply(np.zeros(len(self.spec.action), np.float32))

    def privileged(self) -> Mapping[str, float]:
        """Nothing is known beyond the recording."""
        return {}

    def close(self) -> None:
        """Nothing to release."""
