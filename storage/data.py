"""`touchline data`: what is in the lake, and a time range of it as a Parquet file."""

import dataclasses
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from infra import config, home
from infra.topics import Topic
from policy.errors import ConfigError, LakeError, TouchlineError
from storage.tables import KEPT_TOPICS, READ_ERRORS, Lake, LakeConfig, lake_of, scan, table_schema

_TIME_COLUMNS = ("time_ns", "started_ns")
"""The column that says when, in the order of preference."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableSummary:
    """One table in one line."""

    name: str
    version: int
    num_rows: int
    num_files: int
    num_bytes: int


def summary(lake: Lake, topic: Topic) -> TableSummary:
    """Count a table's rows from its log, without reading them.

    Raises:
        LakeError: the table cannot be opened.
    """
    table = lake.open(topic)
    files = pa.table(table.get_add_actions(flatten=True))
    return TableSummary(
        name=topic.name,
        version=table.version(),
        num_rows=sum(count or 0 for count in files.column("num_records").to_pylist()),
        num_files=files.num_rows,
        num_bytes=sum(size or 0 for size in files.column("size_bytes").to_pylist()),
    )


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


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables, or export one."""
    parser = config.parser("touchline data", "What is in the lake; with --export, a time range as Parquet.")
    names = {topic.name: topic for topic in KEPT_TOPICS}
    parser.add_argument("--export", metavar="TABLE", choices=sorted(names), help="table to export")
    parser.add_argument("--since", type=_time, metavar="TIME", help="first time (ISO 8601)")
    parser.add_argument("--until", type=_time, metavar="TIME", help="time after the last (ISO 8601)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="Parquet file; TABLE.parquet if not given")
    config.add_flags(parser, "lake", LakeConfig)
    args = parser.parse_args(argv)
    try:
        lake = lake_of(config.from_args("lake", LakeConfig, args), home.from_args(args))
        if args.export:
            target = args.out or Path(f"{args.export}.parquet")
            num_rows = export(lake, names[args.export], target, since_ns=args.since, until_ns=args.until)
            sys.stdout.write(f"{num_rows} rows of {args.export} in {target}\n")
        else:
            sys.stdout.write(_listing(lake))
    except TouchlineError as error:
        sys.stderr.write(f"touchline data: {error}\n")
        return 2
    return 0


def _listing(lake: Lake) -> str:
    lines = [f"{lake.url}", f"{'table':<16}{'rows':>12}{'version':>10}{'files':>8}{'MB':>10}"]
    for topic in KEPT_TOPICS:
        row = summary(lake, topic)
        lines.append(
            f"{row.name:<16}{row.num_rows:>12,}{row.version:>10}{row.num_files:>8}{row.num_bytes / 1e6:>10.1f}"
        )
    return "\n".join(lines) + "\n"


def _time(text: str) -> int:
    """ISO 8601 to nanoseconds since the epoch."""
    return int(datetime.datetime.fromisoformat(text).astimezone().timestamp() * 1e9)


if __name__ == "__main__":
    sys.exit(main())
