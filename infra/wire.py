"""Records to bytes and back: one Kafka message is one Arrow IPC stream with one record batch.

The columns are exactly the fields of the record's type in `policy/schema.py`, so ingest concatenates
batches instead of converting them. `decode` is the gate where bytes enter a process: what it lets
through has the exact schema, a schema version that agrees with ours, no nulls and whole floats. Everything
else is a `WireError`, which ingest turns into a dead letter.

Every message says which schema version wrote it and since which version readers understand it
(`policy.schema.COMPATIBLE_SINCE`). Two versions understand each other when the newer one says so: an older
message is filled with the defaults of `infra/columns.py`, a newer one loses the fields that we do not know.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infra.arrow_header import refuse_compressed
from infra.columns import BLOBS, FLOAT32, FLOAT32_ARRAY, arrow_schema, column_value, defaults, field_types, fitted
from infra.topics import Topic
from policy.errors import SchemaError, WireError
from policy.schema import COMPATIBLE_SINCE, SCHEMA_VERSION

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Arrow's marker; its reader would also take a stream that simply ends."""
_VERSION_KEY = b"schema_version"
_SINCE_KEY = b"compatible_since"
_SILENT_VERSION = 1
"""Messages of the first version do not say which they are."""


def encode(records: Sequence[object]) -> bytes:
    """Write records of one type, at least one, as one Arrow IPC stream with one batch.

    Raises:
        SchemaError: records of several types, or a value that does not fit its column.
    """
    record: type = type(records[0])
    if any(type(item) is not record for item in records):
        raise SchemaError("records of several types", found=sorted({type(item).__name__ for item in records}))
    schema, columns = arrow_schema(record), []
    for name, hint in field_types(record).items():
        values = [getattr(item, name) for item in records]
        try:
            columns.append(pa.array([column_value(value, hint) for value in values], schema.field(name).type))
        except (pa.ArrowException, OverflowError, TypeError) as error:
            raise SchemaError(
                "a value does not fit its field", record=record.__name__, field=name, cause=str(error)
            ) from error
    batch = pa.record_batch(columns, schema=schema)
    _refuse_nulls(batch)
    versions = {_VERSION_KEY: str(SCHEMA_VERSION).encode(), _SINCE_KEY: str(COMPATIBLE_SINCE).encode()}
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema.with_metadata(versions)) as writer:
        writer.write_batch(batch.replace_schema_metadata(versions))
    return sink.getvalue().to_pybytes()


def decode(topic: Topic, data: bytes) -> pa.RecordBatch:
    """Read and validate one message of a topic.

    Raises:
        WireError: not a message of this topic, whatever the bytes.
    """
    if len(data) > topic.max_message_bytes:
        raise WireError("message over the topic's limit", topic=topic.name, num_bytes=len(data))
    try:
        refuse_compressed(data)
        batch = _read_only_batch(data)
        writer = _writer_of(batch.schema)
        _refuse_nulls(batch)  # in the sender's columns: an absent field is filled, an empty one is a fault
        batch = _in_our_columns(topic, batch, writer)
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        if isinstance(error, WireError):
            raise
        raise WireError("not an Arrow stream of records", topic=topic.name, cause=str(error)) from error
    _refuse_bad_values(topic, batch, writer)
    return batch


def records(topic: Topic, batch: pa.RecordBatch) -> list[Any]:
    """The records of a decoded batch, as the topic's record type; float arrays are read-only views."""
    columns = []
    for name, hint in field_types(topic.record).items():
        values: list[Any] = batch.column(name).to_pylist()
        if hint == FLOAT32_ARRAY:
            values = [np.frombuffer(value, FLOAT32) for value in values]
        elif hint == BLOBS:
            values = [tuple(value) for value in values]
        columns.append(values)
    names = list(field_types(topic.record))
    return [topic.record(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def _read_only_batch(data: bytes) -> pa.RecordBatch:
    source = pa.BufferReader(data)
    with pa.ipc.open_stream(source) as reader:
        batches = list(itertools.islice(reader, 2))
    if len(batches) != 1:
        raise WireError("not exactly one batch")
    (batch,) = batches
    batch.validate(full=True)
    if source.tell() != len(data) or not data.endswith(_END_OF_STREAM):
        raise WireError("cut short, or bytes after the end", num_bytes=len(data), end=source.tell())
    if batch.num_rows == 0:
        raise WireError("no records")
    return batch


def _writer_of(schema: pa.Schema) -> int:
    """The schema version of the program that wrote a message.

    Raises:
        WireError: it and we do not understand each other.
    """
    told = schema.metadata or {}
    writer = int(told.get(_VERSION_KEY, _SILENT_VERSION))
    since = int(told.get(_SINCE_KEY, writer))
    if writer < COMPATIBLE_SINCE:
        raise WireError("written by a release too old for this one; update the sender", found=writer)
    if writer > SCHEMA_VERSION < since:
        raise WireError("written by a release too new for this one; update this service", found=writer, since=since)
    return writer


def _in_our_columns(topic: Topic, batch: pa.RecordBatch, writer: int) -> pa.RecordBatch:
    """The batch as our own release would have written it."""
    expected = arrow_schema(topic.record)
    if batch.schema.equals(expected):
        return batch.replace_schema_metadata(None)
    known = [field for field in batch.schema if field.name in expected.names]
    has_strange = len(known) < len(batch.columns) and writer <= SCHEMA_VERSION
    if has_strange or any(field != expected.field(field.name) for field in known):
        raise WireError("another schema", expected=expected.names, found=batch.schema.names)
    try:
        return fitted(batch, expected, defaults(topic.record))
    except SchemaError as error:
        raise WireError(str(error)) from error


def _refuse_nulls(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        num_nulls = column.null_count
        if isinstance(column, pa.ListArray):
            num_nulls += column.flatten().null_count
        if num_nulls:
            raise WireError("a field without a value", field=name, num_nulls=num_nulls)


def _refuse_bad_values(topic: Topic, batch: pa.RecordBatch, writer: int) -> None:
    # A spool that outlived an update holds records older than the program that sends them.
    versions: list[Any] = pc.unique(batch.column("schema_version")).to_pylist()
    if min(versions) < COMPATIBLE_SINCE or max(versions) > writer:
        raise WireError("unknown schema version", topic=topic.name, found=sorted(versions), written_by=writer)
    for name, hint in field_types(topic.record).items():
        column: Any = batch.column(name)
        if hint == FLOAT32_ARRAY:
            lengths = pc.binary_length(column).to_numpy()
            if (lengths % FLOAT32.itemsize).any():
                raise WireError("not whole float32 values", topic=topic.name, field=name)
        elif name == "seq" and pc.min(column).as_py() < 0:
            raise WireError("a negative sequence number", topic=topic.name)
