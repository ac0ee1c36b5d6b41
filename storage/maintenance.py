"""Keeps tables quick while others write and read: compaction, checkpoint, clean-up.

Compaction rewrites rows into larger files without changing them, so it never conflicts with the
appends of ingest; readers that still hold replaced files have the retention time to finish, and one
that comes later reads the snapshot again (`storage/tail.py`).
"""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError, DeltaError

from infra.metrics import Metrics
from infra.topics import Topic
from policy.errors import ConfigError, LakeError
from storage.sweep import Sweeper
from storage.tables import KEPT_TOPICS, Lake

_LOG = logging.getLogger(__name__)
_CLEAN_UP_S = 3600.0
"""How often every table is cleaned up, also one that is too quiet to be compacted: what was erased must go."""
_COMPRESSED = WriterProperties(compression="ZSTD", compression_level=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaintenanceConfig:
    """When tables are compacted."""

    min_small_files: int = 250
    """Compact a table when it has this many files below the target size."""
    target_file_bytes: int = 64 << 20
    """Size of a compacted file, before compression."""
    interval_s: float = 15.0
    """How often the tables are looked at."""

    def __post_init__(self) -> None:
        if self.min_small_files < 2:
            raise ConfigError("maintenance.min_small_files must be at least 2", value=self.min_small_files)
        if not self.interval_s > 0:
            raise ConfigError("maintenance.interval_s must be above 0", value=self.interval_s)


def is_due(lake: Lake, topic: Topic, config: MaintenanceConfig) -> bool:
    """Whether a table has enough small files.

    Raises:
        LakeError: it cannot be opened.
    """
    files = pa.table(lake.open(topic).get_add_actions(flatten=True))
    sizes: list[Any] = files.column("size_bytes").to_pylist()
    num_small: int = sum(size < config.target_file_bytes // 2 for size in sizes)
    return num_small >= config.min_small_files


def clean_up(table: DeltaTable, retention_h: int | None = None) -> None:
    """Take replaced files and old log entries away.

    Args:
        table: a fresh handle.
        retention_h: how long replaced files stay; None for the table's own setting.
    """
    table.create_checkpoint()
    table.cleanup_metadata()
    # "Full" finds files that no commit names (half-made commits, the change feed of deleted rows) by their age. Without
    # a retention that would take the file of a commit under way.
    is_full = retention_h is None or retention_h > 0
    table.vacuum(retention_hours=retention_h, dry_run=False, enforce_retention_duration=False, full=is_full)


def maintain(lake: Lake, topic: Topic, config: MaintenanceConfig, *, retention_h: int | None = None) -> int:
    """Compact, checkpoint and clean one table up; returns how many files were replaced.

    Args:
        lake: where it is.
        topic: whose table.
        config: sizes.
        retention_h: how long replaced files stay; None for the table's own setting.

    Raises:
        LakeError: the store failed; nothing is lost, and the next time tries again.
    """
    table = lake.open(topic)
    try:
        result = table.optimize.compact(
            target_size=config.target_file_bytes, writer_properties=_COMPRESSED, max_concurrent_tasks=1
        )
        clean_up(table, retention_h)
    except (CommitFailedError, DeltaError, OSError) as error:
        raise LakeError("maintenance failed", table=topic.name, cause=str(error)) from error
    return int(result["numFilesRemoved"])


def keep_maintained(
    lake: Lake,
    config: MaintenanceConfig,
    metrics: Metrics,
    stopping: threading.Event,
    topics: Sequence[Topic] = KEPT_TOPICS,
    sweeper: Sweeper | None = None,
    is_ours: Callable[[Topic], bool] = lambda topic: True,
) -> None:
    """Look after the tables until `stopping` is set.

    Args:
        lake: where they are.
        config: sizes and times.
        metrics: gets durations and counts.
        stopping: ends it.
        topics: whose tables.
        sweeper: sees to the list of removals; None for nobody.
        is_ours: whether a table's upkeep is this process's now; who has that of the first topic sweeps all.
    """
    cleaned_s = time.monotonic()
    while not stopping.wait(config.interval_s):
        if sweeper is not None and is_ours(topics[0]):
            _swept(sweeper, topics, metrics)
        if time.monotonic() - cleaned_s > _CLEAN_UP_S:
            cleaned_s = time.monotonic()
            _cleaned(lake, [topic for topic in topics if is_ours(topic)])
        for topic in topics:
            if stopping.is_set():
                return
            started_s = time.monotonic()
            try:
                if not (is_ours(topic) and is_due(lake, topic, config)):
                    continue
                num_files = maintain(lake, topic, config)
            except LakeError as error:
                _LOG.warning("maintenance put off", extra={"topic": topic.name, "reason": str(error)})
                continue
            duration_s = time.monotonic() - started_s
            metrics.observe("touchline_maintenance_seconds", duration_s, topic=topic.name)
            _LOG.info("maintained", extra={"topic": topic.name, "num_files": num_files, "duration_s": duration_s})


def _swept(sweeper: Sweeper, topics: Sequence[Topic], metrics: Metrics) -> None:
    try:
        num_rows = sweeper.tick(topics)
    except LakeError as error:
        _LOG.warning("removals put off", extra={"reason": str(error)})
        return
    if num_rows:
        metrics.count("touchline_removed_rows_total", num_rows)
        _LOG.info("rows removed", extra={"num_rows": num_rows})


def _cleaned(lake: Lake, topics: Sequence[Topic]) -> None:
    for topic in topics:
        try:
            clean_up(lake.open(topic))
        except (LakeError, DeltaError, OSError) as error:
            _LOG.warning("clean-up put off", extra={"topic": topic.name, "reason": str(error)})
