"""Pictures on the socket: a 16-byte header, then the JPEG.

    version u8 | camera u8 | view u8 | reserved u8 | sequence u32 | capture time ns u64, little-endian

`view` is the robot's place on that socket: in its `RobotHello`, or in an operator's `Watch.frames_of`.
"""

import dataclasses
import io
import struct

from policy.errors import WireError
from policy.schema import UInt8

_HEADER = struct.Struct("<BBBxIQ")
_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of one camera."""

    view: int
    camera: int
    """Index in the spec's cameras."""
    sequence: int
    capture_ns: int
    """The robot's monotonic clock."""
    jpeg: bytes


def pack(frame: Frame) -> bytes:
    """The picture as one binary message."""
    return _HEADER.pack(_VERSION, frame.camera, frame.view, frame.sequence, frame.capture_ns) + frame.jpeg


def unpack(data: bytes) -> Frame:
    """The inverse of `pack`.

    Raises:
        WireError: too short, or of another version.
    """
    if len(data) < _HEADER.size or data[0] != _VERSION:
        raise WireError("not a picture of this version", num_bytes=len(data), version=_VERSION)
    _, camera, view, sequence, capture_ns = _HEADER.unpack_from(data)
    return Frame(view=view, camera=camera, sequence=sequence, capture_ns=capture_ns, jpeg=data[_HEADER.size :])


def jpeg(picture: UInt8) -> bytes:
    """One picture, uint8[height, width, 3], as JPEG; under a millisecond at the sizes robots send."""
    from PIL import Image  # only a robot that somebody watches needs it

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=80)
    return out.getvalue()
