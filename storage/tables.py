"""The Delta tables: one per kept topic, its columns the record's fields plus where and when Kafka had it.

Arrays of floats are little-endian `binary` and frames are bytes, as on the wire: an append of 500
steps then takes about 10 ms, and float lists would be slower (uint8 lists break above 127).

A table that an earlier release wrote lacks the columns that came since. Whoever reads it gets their defaults;
whoever writes to it adds them first (`open_to_write`).
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from infra.columns import Defaults, arrow_schema, defaults, fitted
from infra.home import Home
from infra.topics import TOPICS, Topic
from policy.errors import ConfigError, LakeError
from storage.evolution import add_missing, present, refuse_strange

PARTITION_COLUMN = "kafka_partition"
OFFSET_COLUMN = "kafka_offset"
TIME_COLUMN = "kafka_time_ns"
"""When the broker got the record, ns since the epoch, to the millisecond; 0 where that is not known."""
KEPT_TOPICS = tuple(topic for topic in TOPICS if topic.is_kept)

READ_ERRORS = (DeltaError, OSError, pa.ArrowException)
"""What a read raises when the clean-up took a file away under it: open again and read again."""

_NUM_READ_ATTEMPTS = 5
_SKIPPING_COLUMNS = ("boot_id", "seq", PARTITION_COLUMN, OFFSET_COLUMN, "episode_id", "time_ns")
_COMMON_PROPERTIES = {
    "delta.enableChangeDataFeed": "true",  # readers tail the log by version
    "delta.checkpointInterval": "50",  # a handle slows from 9 to 115 ms over 1,200 commits without it
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LakeConfig:
    """Where the tables are."""

    url: str = ""
    """Folder or object-store URL (s3://bucket/path, az://, gs://); empty is the home's lake folder.
    Keys and endpoints of a store come from its usual environment variables (AWS_ENDPOINT_URL, ...)."""
    log_retention_h: float = 0.25
    """How long a reader may fall behind and still tail the log, which every look and every commit lists; set when a
    table is created."""
    file_retention_h: float = 1.0
    """How long files that compaction replaced stay for readers that still read them."""

    def __post_init__(self) -> None:
        for name in ("log_retention_h", "file_retention_h"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"lake.{name} must be above 0", value=getattr(self, name))


def table_schema(topic: Topic) -> pa.Schema:
    """The columns of a topic's table."""
    return (
        arrow_schema(topic.record)
        .append(pa.field(PARTITION_COLUMN, pa.int32(), nullable=False))
        .append(pa.field(OFFSET_COLUMN, pa.int64(), nullable=False))
        .append(pa.field(TIME_COLUMN, pa.int64(), nullable=False))
    )


def table_defaults(topic: Topic) -> Defaults:
    """What rows of earlier releases have in the columns that came since."""
    return {**defaults(topic.record), TIME_COLUMN: pa.scalar(0, pa.int64())}


class Lake:
    """All tables under one URL."""

    def __init__(
        self,
        url: str,
        storage_options: Mapping[str, str] | None = None,
        *,
        config: LakeConfig | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.storage_options = dict(storage_options or {})
        """How to reach an object store, beyond its usual environment variables."""
        self._config = config or LakeConfig()

    def open(self, topic: Topic) -> DeltaTable:
        """A fresh handle of a topic's table, which is created when it is missing.

        Raises:
            SchemaError: the table is of a newer release, or no release of ours.
            LakeError: the store does not answer, or the topic is not kept.
        """
        if not topic.is_kept:
            raise LakeError("this topic is not kept in the lake", topic=topic.name)
        try:
            table = self._open_or_create(topic)
        except (DeltaError, OSError) as error:
            raise LakeError("the table cannot be opened", table=self.uri(topic.name), cause=str(error)) from error
        refuse_strange(table, table_schema(topic), table_defaults(topic))
        return table

    def open_to_write(self, topic: Topic) -> DeltaTable:
        """As `open`, with every column of this release in the table.

        Raises:
            SchemaError: as `open`.
            LakeError: as `open`, or another writer adds columns too; open again.
        """
        table = self.open(topic)
        try:
            add_missing(table, table_schema(topic))
        except (DeltaError, OSError) as error:
            raise LakeError("the columns cannot be added", table=self.uri(topic.name), cause=str(error)) from error
        return table

    def read(self, topic: Topic, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Rows of the newest snapshot, in no particular order.

        Args:
            topic: whose table.
            columns: names in the wanted order; None for all.
            where: a condition in SQL, such as "episode_id = 'a'" (see `sql_text`).

        Raises:
            LakeError: the table cannot be read.
        """
        for attempt in range(1, _NUM_READ_ATTEMPTS + 1):
            table = self.open(topic)
            try:
                return pa.Table.from_batches(scan(table, topic, columns, where), schema=columns_of(topic, columns))
            except READ_ERRORS as error:
                if attempt == _NUM_READ_ATTEMPTS:
                    raise LakeError("the table cannot be read", table=self.uri(topic.name), cause=str(error)) from error
        raise AssertionError("unreachable")

    def uri(self, name: str) -> str:
        """Where a table is."""
        return f"{self.url}/{name}"

    def _open_or_create(self, topic: Topic) -> DeltaTable:
        try:
            return DeltaTable(self.uri(topic.name), storage_options=self.storage_options)
        except TableNotFoundError:
            # Two processes may meet here; "ignore" leaves the first one's table as it is.
            return DeltaTable.create(
                self.uri(topic.name),
                table_schema(topic),
                mode="ignore",
                name=topic.name,
                configuration=self._properties(topic),
                storage_options=self.storage_options,
            )

    def _properties(self, topic: Topic) -> dict[str, str | None]:
        names = table_schema(topic).names
        return {
            **_COMMON_PROPERTIES,
            "delta.dataSkippingStatsColumns": ",".join(c for c in _SKIPPING_COLUMNS if c in names),
            "delta.logRetentionDuration": _interval(self._config.log_retention_h),
            "delta.deletedFileRetentionDuration": _interval(self._config.file_retention_h),
        }


def lake_of(config: LakeConfig, home: Home) -> Lake:
    """The configured lake: its URL, else the home's own folder."""
    return Lake(config.url or str(home.lake), config=config)


def _interval(hours: float) -> str:
    return f"interval {max(1, round(3600 * hours))} seconds"


def columns_of(topic: Topic, columns: Sequence[str] | None) -> pa.Schema:
    """The schema of some of a table's columns."""
    schema = table_schema(topic)
    return schema if columns is None else pa.schema([schema.field(name) for name in columns])


def scan(
    table: DeltaTable, topic: Topic, columns: Sequence[str] | None = None, where: str | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of a handle's snapshot.

    Raises:
        READ_ERRORS: a file went away, or the store does not answer.
    """
    schema = columns_of(topic, columns)
    reader = pa.RecordBatchReader.from_stream(table.scan(columns=present(table, schema.names), predicate=where))
    for batch in reader:
        yield fitted(batch, schema, table_defaults(topic))


def sql_text(value: str) -> str:
    """A value as an SQL text literal, safe whatever it holds."""
    return "'" + value.replace("'", "''") + "'"


def beyond(offsets: Mapping[int, int]) -> str | None:
    """The SQL condition of rows after these offsets, rows of partitions not named included."""
    if not offsets:
        return None
    known = ", ".join(str(partition) for partition in offsets)
    terms = [f"{PARTITION_COLUMN} NOT IN ({known})"]
    terms += [
        f"({PARTITION_COLUMN} = {partition} AND {OFFSET_COLUMN} > {offset})" for partition, offset in offsets.items()
    ]
    return " OR ".join(terms)
