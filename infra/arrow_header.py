"""A look into Arrow messages before Arrow reads them: compressed bodies are refused.

We never compress, and a few bytes that claim to unpack into gigabytes would be reason enough for a reader
to fall over; Arrow's own reader has no setting for it.
"""

import struct

import pyarrow as pa

from policy.errors import WireError


def refuse_compressed(data: bytes) -> None:
    """Look through a stream of messages before anything of it is unpacked.

    Raises:
        WireError: a batch is compressed, or its header cannot be read.
        ArrowException: not a stream of messages.
    """
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(data))
    for message in reader:
        if message.type == "record batch" and _is_compressed(message.metadata.to_pybytes()):
            raise WireError("a compressed batch")


def _is_compressed(header: bytes) -> bool:
    """Whether the table RecordBatch in a flatbuffer `Message` (Arrow's Message.fbs) has its field `compression`."""
    try:
        return _field(header, _field(header, struct.unpack_from("<I", header)[0], 2), 3) > 0
    except struct.error as error:
        raise WireError("a broken message header") from error


def _field(header: bytes, table: int, number: int) -> int:
    """Where in a flatbuffer the table lies to which a field refers; 0 where the field is absent."""
    vtable = table - struct.unpack_from("<i", header, table)[0]
    (size,) = struct.unpack_from("<H", header, vtable)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", header, vtable + 4 + 2 * number)
    place = table + offset
    return place + struct.unpack_from("<I", header, place)[0] if offset else 0
