"""Keeps tables quick while others write and read: compaction, checkpoint, clean-up.

Compaction rewrites rows into larger files without changing them, so it never conflicts with the
appends of ingest; readers that still hold replaced files have the retention time to finish, and one
that comes later reads the snapshot again (`storage/tail.py`).
"""

import dataclasses
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from deltalake import WriterProperties
from deltalake.exceptions import CommitFailedError, DeltaError

from infra.metrics import Metrics
from infra.topics import Topic
from policy.errors import ConfigError, LakeError
from storage.tables import KEPT_TOPICS, Lake, LakeConfig

_LOG = logging.getLogger(__name__)
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
        table.create_checkpoint()
        table.cleanup_metadata()
        table.vacuum(
            retention_hours=LakeConfig.file_retention_h if retention_h is None else retention_h,
            dry_run=False,
            enforce_retention_duration=False,
        )
    except (CommitFailedError, DeltaError, OSError) as error:
        raise LakeError("maintenance failed", table=topic.name, cause=str(error)) from error
    return int(result["numFilesRemoved"])


def keep_maintained(
    lake: Lake,
    config: MaintenanceConfig,
    metrics: Metrics,
    stopping: threading.Event,
    topics: Sequence[Topic] = KEPT_TOPICS,
) -> None:
    """Look after the tables until `stopping` is set."""
    while not stopping.wait(config.interval_s):
        for topic in topics:
            if stopping.is_set():
                return
            started_s = time.monotonic()
            try:
                if not is_due(lake, topic, config):
                    continue
                num_files = maintain(lake, topic, config)
            except LakeError as error:
                _LOG.warning("maintenance put off", extra={"topic": topic.name, "reason": str(error)})
                continue
            duration_s = time.monotonic() - started_s
            metrics.observe("touchline_maintenance_seconds", duration_s, topic=topic.name)
            _LOG.info("maintained", extra={"topic": topic.name, "num_files": num_files, "duration_s": duration_s})
