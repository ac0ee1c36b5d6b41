import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from policy.batch import ObservationBatch, frame_shape
from policy.errors import SchemaError
from policy.schema import Observation
from policy.spec import CameraSpec, EmbodimentSpec


def observation(value: int, num_cameras: int = 2) -> Observation:
    return Observation(
        frames=tuple(np.full((32, 32, 3), value, np.uint8) for _ in range(num_cameras)),
        state=np.full(3, value, np.float32),
        tactile=np.full(4, value, np.float32),
        instruction=f"go to {value}",
        time_ns=value,
    )


def test_rows_keep_their_order(small_spec: EmbodimentSpec) -> None:
    batch = ObservationBatch.stack([observation(3), observation(5)])
    batch.check(small_spec)
    assert batch.frames[:, 0, 0, 0, 0].tolist() == [3, 5]
    assert batch.state[:, 0].tolist() == [3, 5]
    assert batch.tactile[:, 0].tolist() == [3, 5]
    assert list(batch.instructions) == ["go to 3", "go to 5"]


def test_a_body_without_cameras_has_empty_frames(small_spec: EmbodimentSpec) -> None:
    blind = dataclasses.replace(small_spec, cameras=())
    ObservationBatch.stack([observation(1, num_cameras=0)]).check(blind)


def test_a_batch_of_another_body_is_refused_by_field(
    small_spec: EmbodimentSpec, observations_of: Callable[[EmbodimentSpec, int], ObservationBatch]
) -> None:
    batch = observations_of(small_spec, 2)
    for field in ("frames", "state", "tactile"):
        wrong = dataclasses.replace(batch, **{field: getattr(batch, field)[:, :1]})
        with pytest.raises(SchemaError, match=field):
            wrong.check(small_spec)


def test_cameras_of_different_sizes_are_refused(small_spec: EmbodimentSpec) -> None:
    odd = (*small_spec.cameras, CameraSpec(name="odd", height=48, width=32))
    with pytest.raises(SchemaError, match="one size"):
        frame_shape(dataclasses.replace(small_spec, cameras=odd))
