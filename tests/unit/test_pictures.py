"""Pictures: what comes back from a JPEG, and what is no picture."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from policy.errors import SchemaError
from policy.pictures import decode_jpeg, encode_jpeg
from policy.schema import UInt8

HEIGHT, WIDTH = 24, 40


def smooth() -> UInt8:
    """A picture whose three colours differ, as a camera's do."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([4 * rows + columns, 255 - 5 * rows, 6 * columns], axis=-1).clip(0, 255).astype(np.uint8)


JPEG = encode_jpeg(smooth(), 95)


def by_pillow(mode: str) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(smooth()).convert(mode).save(sink, "JPEG", quality=90)
    return sink.getvalue()


def test_a_picture_comes_back_nearly_as_it_was() -> None:
    back = decode_jpeg(JPEG, height=HEIGHT, width=WIDTH)
    assert back.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(back.astype(int) - smooth()).max() <= 8


def test_rows_that_do_not_lie_behind_each_other_are_written_as_they_look() -> None:
    upside_down = smooth()[::-1, ::-1]
    assert encode_jpeg(upside_down, 95) == encode_jpeg(upside_down.copy(), 95)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_of_earlier_releases_have_the_pixels_that_they_had(mode: str) -> None:
    data = by_pillow(mode)
    before = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(decode_jpeg(data, height=HEIGHT, width=WIDTH), before)


def test_another_size_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(SchemaError, match="another size"):
        decode_jpeg(JPEG, height=WIDTH, width=HEIGHT)


@pytest.mark.parametrize("data", [b"", b"picture", JPEG[:-40], JPEG[:200] + JPEG[210:]])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(SchemaError, match="damaged"):
        decode_jpeg(data, height=HEIGHT, width=WIDTH)


@given(st.integers(0, len(JPEG) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_a_picture_or_a_refusal(place: int, value: int) -> None:
    changed = bytearray(JPEG)
    changed[place] = value
    with contextlib.suppress(SchemaError):
        assert decode_jpeg(bytes(changed), height=HEIGHT, width=WIDTH).shape == (HEIGHT, WIDTH, 3)
