"""Frames and arrays of stored steps: JPEG or raw, and nothing that does not fit."""

import dataclasses

import numpy as np
import pytest

from policy.errors import SchemaError
from policy.spec import CameraSpec
from storage.frames import decode_frame, frame_shape
from tests.lake_rig import SIDE, jpeg, raw, toy_spec

CAMERA = CameraSpec(name="scene", height=SIDE, width=SIDE)


def test_jpeg_and_raw() -> None:
    assert abs(int(decode_frame(jpeg(100), CAMERA).mean()) - 100) <= 2
    np.testing.assert_array_equal(decode_frame(raw(7), CAMERA), np.full((SIDE, SIDE, 3), 7, np.uint8))


def test_raw_pixels_that_begin_like_a_jpeg_stay_raw() -> None:
    data = b"\xff\xd8\xff" + raw(9)[3:]
    assert decode_frame(data, CAMERA)[0, 0].tolist() == [255, 216, 255]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither"),
        (raw(1)[:-1], "neither"),
        (b"\xff\xd8\xff" + b"\0" * 50 + b"\xff\xd9", "damaged"),
        (jpeg(3)[:40] + b"\xff\xd9", "damaged"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        decode_frame(data, CAMERA)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(SchemaError, match="another size"):
        decode_frame(jpeg(1), CameraSpec(name="big", height=64, width=64))


def test_cameras_of_one_size_only() -> None:
    assert frame_shape(toy_spec()) == (2, SIDE, SIDE, 3)
    odd = dataclasses.replace(toy_spec(), cameras=(CAMERA, CameraSpec(name="b", height=4, width=4)))
    with pytest.raises(SchemaError, match="one size"):
        frame_shape(odd)
    assert frame_shape(dataclasses.replace(toy_spec(), cameras=()))[0] == 0
