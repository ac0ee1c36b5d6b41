"""Pictures as JPEG and back: the one door to the codec of what robots record.

`simplejpeg` is libjpeg-turbo alone. An imaging library reads the same bytes into the same pixels, but builds its
objects around every picture: a 64x64 one then takes four times as long to decode and three times to encode.
"""

import numpy as np
import simplejpeg

from policy.errors import SchemaError
from policy.schema import UInt8


def encode_jpeg(picture: UInt8, quality: int) -> bytes:
    """A picture, uint8[height, width, 3], as JPEG without chroma subsampling.

    Args:
        picture: red, green, blue.
        quality: 1 to 100.
    """
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(picture), quality=quality, colorspace="RGB", colorsubsampling="444", fastdct=False
    )
    return encoded


def decode_jpeg(data: bytes, *, height: int, width: int) -> UInt8:
    """The picture of a JPEG, uint8[height, width, 3].

    Raises:
        SchemaError: it is damaged, cut short, or not of this size.
    """
    try:
        # Asked before a pixel is unpacked: a few bytes may claim to be gigabytes.
        found = simplejpeg.decode_jpeg_header(data)[:2]
        picture: UInt8 | None = simplejpeg.decode_jpeg(data, colorspace="RGB") if found == (height, width) else None
    except ValueError as error:
        raise SchemaError("a damaged JPEG", cause=str(error)) from error
    if picture is None:
        raise SchemaError("a picture of another size", expected=(height, width), found=found)
    return picture
