"""A step's picture as JPEG, whatever the robot stored."""

import io

from PIL import Image

from console.history.reader import EpisodeReader
from console.history.snapshot import Snapshot
from policy.errors import SchemaError
from policy.spec import EmbodimentSpec
from storage.frames import decode_frame

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_QUALITY = 85


def camera_number(camera: str, spec: EmbodimentSpec | None) -> int | None:
    """The place of a camera among a step's pictures, by its name or its number; None where there is none."""
    names = [own.name for own in spec.cameras] if spec else []
    if camera in names:
        return names.index(camera)
    if camera.isascii() and camera.isdigit() and len(camera) < 4:
        return int(camera) if not names or int(camera) < len(names) else None
    return None


def picture(
    found: Snapshot, reader: EpisodeReader, episode_id: str, step: int, camera: int, spec: EmbodimentSpec | None
) -> bytes | None:
    """One picture; None where the step has no such camera.

    Raises:
        LakeError: the lake cannot be read, or has no such step.
        SchemaError: raw pixels of a body that no robot filed, or damaged ones.
    """
    frames = reader.frames(found, episode_id, step)
    if camera >= len(frames):
        return None
    data = frames[camera]
    # Both ends of a JPEG are asked for: the first pixel of a raw frame may look like its start.
    if data.startswith(_JPEG_START) and data.endswith(_JPEG_END):
        return data
    if spec is None or camera >= len(spec.cameras):
        raise SchemaError("raw pixels need the robot's spec in <home>/specs to be shown", episode_id=episode_id)
    sink = io.BytesIO()
    Image.fromarray(decode_frame(data, spec.cameras[camera])).save(sink, "JPEG", quality=_QUALITY)
    return sink.getvalue()
