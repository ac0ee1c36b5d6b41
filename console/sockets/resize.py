"""Smaller pictures for small views; a picture is never made larger."""

import asyncio
import dataclasses
import io

from PIL import Image

from corrections.frames import Frame

_QUALITY = 80


async def resized(picture: Frame, width: int) -> Frame:
    """The picture at most `width` pixels across, 0 for any; off the event loop where there is work to do.

    What is no picture is passed on: the page says that it cannot be drawn.
    """
    try:
        if width <= 0 or Image.open(io.BytesIO(picture.jpeg)).width <= width:  # reads the header only
            return picture
        return dataclasses.replace(picture, jpeg=await asyncio.to_thread(_smaller, picture.jpeg, width))
    except (OSError, ValueError, Image.DecompressionBombError):
        return picture


def _smaller(jpeg: bytes, width: int) -> bytes:
    image = Image.open(io.BytesIO(jpeg))
    height = max(1, round(image.height * width / image.width))
    image.draft("RGB", (width, height))  # the decoder itself halves, several times faster than all pixels
    out = io.BytesIO()
    image.resize((width, height), Image.Resampling.BILINEAR).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
