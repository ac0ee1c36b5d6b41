"""A time range of one table as a Parquet file."""

from pathlib import Path

import pyarrow.parquet as pq

from infra.topics import Topic
from policy.errors import ConfigError, LakeError
from storage.tables import READ_ERRORS, Lake, scan, table_schema

_TIME_COLUMNS = ("time_ns", "started_ns")
"""The column that says when, in the order of preference."""


def export(lake: Lake, topic: Topic, target: Path, *, since_ns: int | None = None, until_ns: int | None = None) -> int:
    """Write the rows with since <= time < until to one Parquet file; returns how many.

    Float arrays stay little-endian float32 in binary columns, as in the table.

    Raises:
        ConfigError: a time range is asked of a table whose rows have no time, or the file exists.
        LakeError: the table cannot be read.
    """
    schema = table_schema(topic)
    column = next((name for name in _TIME_COLUMNS if name in schema.names), None)
    bounds = [(">=", since_ns), ("<", until_ns)]
    if column is None and any(bound is not None for _, bound in bounds):
        raise ConfigError("rows of this table have no time; export all of it", table=topic.name)
    if target.exists():
        raise ConfigError("the file exists; name another", path=str(target))
    where = " AND ".join(f"{column} {sign} {bound}" for sign, bound in bounds if bound is not None)
    draft = target.with_name(target.name + ".part")
    num_rows = 0
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for batch in scan(lake.open(topic), topic, where=where or None):
                writer.write_batch(batch)
                num_rows += batch.num_rows
    except READ_ERRORS as error:
        draft.unlink(missing_ok=True)
        raise LakeError("the export failed; try again", table=topic.name, cause=str(error)) from error
    draft.replace(target)
    return num_rows
