"""Room on the lake's disk: said early, and ingest waits before it is gone.

A full disk would fail in the middle of things; a floor above zero leaves room for the clean-up that frees some.
What is not read stays in Kafka, which has a disk and a retention of its own.
"""

import dataclasses
import logging
import shutil
from pathlib import Path

from infra.metrics import Metrics
from policy.errors import ConfigError, LakeError

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiskConfig:
    """How much room the lake's disk must have; an object store has no such bounds."""

    warn_free_bytes: int = 10 << 30
    """Less is said in /healthz and the log: time to retain less, or to add disk."""
    min_free_bytes: int = 1 << 30
    """Below it ingest waits; it goes on by itself when there is room again."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_free_bytes <= self.warn_free_bytes:
            raise ConfigError(
                "disk.min_free_bytes must lie in 0..disk.warn_free_bytes",
                min_free_bytes=self.min_free_bytes,
                warn_free_bytes=self.warn_free_bytes,
            )


class LakeDisk:
    """The disk under one lake; any thread may ask."""

    def __init__(self, url: str, config: DiskConfig, metrics: Metrics) -> None:
        """Nothing is measured yet.

        Args:
            url: the lake's; of an object store, nothing is ever measured.
            config: bounds.
            metrics: gets `touchline_lake_free_bytes`.
        """
        path = url.removeprefix("file://")
        self._path = None if "://" in path else Path(path)
        self._config, self._metrics = config, metrics
        self._is_low = False

    def refuse_when_full(self) -> None:
        """Look, and warn once when room becomes scarce.

        Raises:
            LakeError: less than `min_free_bytes` is left.
        """
        free_bytes = self.free_bytes()
        if free_bytes is None:
            return
        self._metrics.set("touchline_lake_free_bytes", free_bytes)
        is_low = free_bytes < self._config.warn_free_bytes
        if is_low and not self._is_low:
            _LOG.warning("the lake's disk has little room", extra={"path": str(self._path), "free_bytes": free_bytes})
        self._is_low = is_low
        if free_bytes < self._config.min_free_bytes:
            raise LakeError(
                "the lake's disk is nearly full; ingest waits. Free some (touchline data retain), or add disk",
                path=str(self._path),
                free_bytes=free_bytes,
                min_free_bytes=self._config.min_free_bytes,
            )

    def free_bytes(self) -> int | None:
        """Room that is left; None for an object store."""
        if self._path is None:
            return None
        here = next(folder for folder in (self._path, *self._path.absolute().parents) if folder.exists())
        return shutil.disk_usage(here).free

    def words(self) -> str:
        """For `/healthz`."""
        free_bytes = self.free_bytes()
        if free_bytes is None:
            return "an object store"
        warning = "; that is little" if free_bytes < self._config.warn_free_bytes else ""
        return f"{free_bytes / 1e9:.1f} GB free{warning}"
