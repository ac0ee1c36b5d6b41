"""A record type as columns, and what one release makes of the columns of another.

A field may come with a new release if it has a default; no field is renamed, retyped or removed. So columns
that a record's own release did not have yet are filled with the field's default, here and nowhere
else: on the wire (`infra/wire.py`) and in the lake (`storage/tables.py`) alike.
"""

import dataclasses
import functools
import typing
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from policy.errors import SchemaError

FLOAT32 = np.dtype("<f4")
FLOAT32_ARRAY = NDArray[np.float32]
BLOBS = tuple[bytes, ...]

_COLUMN_TYPES: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    FLOAT32_ARRAY: pa.binary(),  # little-endian: float list columns are slow and break in Delta
    BLOBS: pa.list_(pa.binary()),
}
_ALWAYS_SENT = "schema_version"
"""Its default is the writer's own version, so a reader must never make it up."""

Defaults = Mapping[str, typing.Any]
"""By column, as an Arrow scalar: what a record of an earlier release means."""


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


@functools.cache
def defaults(record: type) -> Defaults:
    """The fields of a record type that have a default, as column values."""
    found = {}
    for field in dataclasses.fields(record):
        value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if value is not dataclasses.MISSING and field.name != _ALWAYS_SENT:
            hint = field_types(record)[field.name]
            found[field.name] = pa.scalar(column_value(value, hint), _COLUMN_TYPES[hint])
    return found


def column_value(value: object, hint: object) -> object:
    """A field's value as its column holds it."""
    return np.asarray(value, FLOAT32).tobytes() if hint == FLOAT32_ARRAY else value


def fitted(batch: pa.RecordBatch, expected: pa.Schema, filling: Defaults) -> pa.RecordBatch:
    """A batch with exactly the expected columns: missing ones and nulls filled, unknown ones left out.

    Raises:
        SchemaError: a column without a default is missing, or one stands twice.
    """
    names = batch.schema.names
    missing = [field.name for field in expected if field.name not in names and field.name not in filling]
    if missing or len(set(names)) < len(names):
        raise SchemaError("another schema", missing=missing, expected=expected.names, found=names)
    columns: list[typing.Any] = []
    for field in expected:
        if field.name not in names:
            columns.append(pa.repeat(filling[field.name], batch.num_rows))
            continue
        column: typing.Any = batch.column(field.name).cast(field.type)
        if field.name in filling and column.null_count:
            column = pc.coalesce(column, filling[field.name])
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=expected)
