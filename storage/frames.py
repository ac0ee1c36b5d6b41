"""Stored steps to arrays: whole episodes, decoded once when they become complete."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from policy.errors import SchemaError
from policy.pictures import decode_jpeg
from policy.schema import ControlMode, Float32, UInt8
from policy.spec import CameraSpec, EmbodimentSpec

CONTROL_MODES = tuple(ControlMode)
"""A step's control mode is stored as its index here."""

_FLOAT32 = np.dtype("<f4")
_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StepArrays:
    """Steps as arrays, n of them; also the layout of the ring's columns."""

    frames: UInt8
    """uint8[n, C, height, width, 3]."""
    state: Float32
    """float32[n, S]."""
    tactile: Float32
    """float32[n, T]."""
    executed_action: Float32
    """float32[n, A], what the motors were told."""
    proposed_action: Float32
    """float32[n, A], what the policy wanted."""
    control_mode: NDArray[np.int8]
    """int8[n], index into CONTROL_MODES."""
    command_delay_ms: Float32
    """float32[n], age of the human command; NaN where none was."""


def frame_shape(spec: EmbodimentSpec) -> tuple[int, int, int, int]:
    """(C, height, width, 3) of a spec's frames.

    Raises:
        SchemaError: the cameras differ in size, which one array cannot hold.
    """
    sizes = {(camera.height, camera.width) for camera in spec.cameras}
    if len(sizes) > 1:
        raise SchemaError("replay needs cameras of one size", spec=spec.name, sizes=sorted(sizes))
    height, width = sizes.pop() if sizes else (0, 0)
    return len(spec.cameras), height, width, 3


def decode_steps(steps: pa.Table, spec: EmbodimentSpec) -> StepArrays:
    """Decode the steps of one episode, in the order given.

    Raises:
        SchemaError: arrays or frames that do not fit the spec, or numbers that are not finite.
    """
    frames = np.empty((steps.num_rows, *frame_shape(spec)), np.uint8)
    stored: list[Any] = steps.column("frames").to_pylist()
    for row, cameras in zip(frames, stored, strict=True):
        if len(cameras) != len(spec.cameras):
            raise SchemaError("another number of cameras", expected=len(spec.cameras), found=len(cameras))
        for image, data, camera in zip(row, cameras, spec.cameras, strict=True):
            image[...] = decode_frame(data, camera)
    return StepArrays(
        frames=frames,
        state=_floats(steps, "state", len(spec.state)),
        tactile=_floats(steps, "tactile", len(spec.tactile)),
        executed_action=_floats(steps, "executed_action", len(spec.action)),
        proposed_action=_floats(steps, "proposed_action", len(spec.action)),
        control_mode=_mode_codes(steps),
        command_delay_ms=steps.column("command_delay_ms").to_numpy().astype(np.float32),
    )


def decode_frame(data: bytes, camera: CameraSpec) -> UInt8:
    """One frame, JPEG or raw, as uint8[height, width, 3].

    Raises:
        SchemaError: it is neither, or of another size.
    """
    # Both ends of a JPEG are asked for: the first pixel of a raw frame may look like its start.
    if not (data.startswith(_JPEG_START) and data.endswith(_JPEG_END)):
        if len(data) != camera.height * camera.width * 3:
            raise SchemaError("neither JPEG nor raw pixels", camera=camera.name, num_bytes=len(data))
        return np.frombuffer(data, np.uint8).reshape(camera.height, camera.width, 3)
    return decode_jpeg(data, height=camera.height, width=camera.width)


def _floats(steps: pa.Table, name: str, width: int) -> Float32:
    values: list[Any] = steps.column(name).to_pylist()
    if any(len(value) != width * _FLOAT32.itemsize for value in values):
        raise SchemaError("an array of another length", field=name, expected=width)
    array = np.frombuffer(b"".join(values), _FLOAT32).reshape(len(values), width)
    if not np.isfinite(array).all():
        raise SchemaError("numbers that are not finite", field=name)
    return array


def _mode_codes(steps: pa.Table) -> NDArray[np.int8]:
    names = steps.column("control_mode").to_pylist()
    try:
        return np.array([CONTROL_MODES.index(name) for name in names], np.int8)
    except ValueError as error:
        raise SchemaError("an unknown control mode", cause=str(error)) from error
