"""Records to bytes and back: one Kafka message is one Arrow IPC stream with one record batch.

The columns are exactly the fields of the record's type in `policy/schema.py`, so ingest concatenates
batches instead of converting them. `decode` is the gate where bytes enter a process: what it lets
through has the exact schema, a schema version we know, no nulls and whole floats. Everything else
is a `WireError`, which ingest turns into a dead letter.
"""

import dataclasses
import functools
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.topics import Topic
from policy.errors import SchemaError, WireError
from policy.schema import SCHEMA_VERSION

Record = TypeVar("Record")

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Arrow's marker; its reader would also take a stream that simply ends."""
_FLOAT32 = np.dtype("<f4")
_FLOAT32_ARRAY = NDArray[np.float32]
_BLOBS = tuple[bytes, ...]
_COLUMN_TYPES: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    _FLOAT32_ARRAY: pa.binary(),  # little-endian: float list columns are slow and break in Delta
    _BLOBS: pa.list_(pa.binary()),
}


@functools.cache
def field_types(record: type) -> dict[str, object]:
    """The Python type of each field of a record type, in order."""
    hints = typing.get_type_hints(record)
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


@functools.cache
def arrow_schema(record: type) -> pa.Schema:
    """The Arrow schema of a record type: one column per field, none nullable."""
    return pa.schema(
        [pa.field(name, _COLUMN_TYPES[hint], nullable=False) for name, hint in field_types(record).items()]
    )


def encode(records: Sequence[object]) -> bytes:
    """Write records of one type, at least one, as one Arrow IPC stream with one batch.

    Raises:
        SchemaError: records of several types, or a value that does not fit its column.
    """
    record: type = type(records[0])
    if any(type(item) is not record for item in records):
        raise SchemaError("records of several types", found=sorted({type(item).__name__ for item in records}))
    columns = []
    for name, hint in field_types(record).items():
        values = [getattr(item, name) for item in records]
        if hint == _FLOAT32_ARRAY:
            values = [np.asarray(value, _FLOAT32).tobytes() for value in values]
        try:
            columns.append(pa.array(values, _COLUMN_TYPES[hint]))
        except (pa.ArrowException, OverflowError, TypeError) as error:
            raise SchemaError(
                "a value does not fit its field", record=record.__name__, field=name, cause=str(error)
            ) from error
    batch = pa.record_batch(columns, schema=arrow_schema(record))
    _refuse_nulls(batch)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def decode(topic: Topic, data: bytes) -> pa.RecordBatch:
    """Read and validate one message of a topic.

    Raises:
        WireError: not a message of this topic, whatever the bytes.
    """
    if len(data) > topic.max_message_bytes:
        raise WireError("message over the topic's limit", topic=topic.name, num_bytes=len(data))
    try:
        batch = _read_only_batch(data, arrow_schema(topic.record))
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        if isinstance(error, WireError):
            raise
        raise WireError("not an Arrow stream of records", topic=topic.name, cause=str(error)) from error
    _refuse_nulls(batch)
    _refuse_bad_values(topic, batch)
    return batch


def records(topic: Topic, batch: pa.RecordBatch) -> list[Any]:
    """The records of a decoded batch, as the topic's record type; float arrays are read-only views."""
    columns = []
    for name, hint in field_types(topic.record).items():
        values: list[Any] = batch.column(name).to_pylist()
        if hint == _FLOAT32_ARRAY:
            values = [np.frombuffer(value, _FLOAT32) for value in values]
        elif hint == _BLOBS:
            values = [tuple(value) for value in values]
        columns.append(values)
    names = list(field_types(topic.record))
    return [topic.record(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def _read_only_batch(data: bytes, expected: pa.Schema) -> pa.RecordBatch:
    source = pa.BufferReader(data)
    with pa.ipc.open_stream(source) as reader:
        if not reader.schema.equals(expected):
            raise WireError("another schema", expected=expected.names, found=reader.schema.names)
        batch = reader.read_next_batch()
        batch.validate(full=True)
        try:
            reader.read_next_batch()
        except StopIteration:
            pass
        else:
            raise WireError("more than one batch")
    if source.tell() != len(data) or not data.endswith(_END_OF_STREAM):
        raise WireError("cut short, or bytes after the end", num_bytes=len(data), end=source.tell())
    if batch.num_rows == 0:
        raise WireError("no records")
    return batch


def _refuse_nulls(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        num_nulls = column.null_count
        if isinstance(column, pa.ListArray):
            num_nulls += column.flatten().null_count
        if num_nulls:
            raise WireError("a field without a value", field=name, num_nulls=num_nulls)


def _refuse_bad_values(topic: Topic, batch: pa.RecordBatch) -> None:
    versions: list[Any] = pc.unique(batch.column("schema_version")).to_pylist()
    if versions != [SCHEMA_VERSION]:
        raise WireError("unknown schema version", topic=topic.name, found=sorted(versions), known=SCHEMA_VERSION)
    for name, hint in field_types(topic.record).items():
        column: Any = batch.column(name)
        if hint == _FLOAT32_ARRAY:
            lengths = pc.binary_length(column).to_numpy()
            if (lengths % _FLOAT32.itemsize).any():
                raise WireError("not whole float32 values", topic=topic.name, field=name)
        elif name == "seq" and pc.min(column).as_py() < 0:
            raise WireError("a negative sequence number", topic=topic.name)
