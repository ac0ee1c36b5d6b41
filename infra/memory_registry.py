"""MemoryRegistry: the twin of `mlflow_registry.MlflowRegistry`, kept honest by the same tests.

Versions, aliases and tags in memory, checkpoints in a folder of the caller's.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.registry import SHA256_TAG, SPEC_TAG, PolicyVersion, complete_tags, install, size_bytes
from policy.errors import RegistryUnavailable, WeightsRejected


class MemoryRegistry:
    """A registry for tests and one-process experiments."""

    def __init__(self, directory: Path) -> None:
        self.is_available = True
        """Set to False to make everything raise RegistryUnavailable."""
        self.metrics: dict[str, list[tuple[int, dict[str, float]]]] = {}
        """(step, metrics) per version, in the order in which they were logged."""
        self._directory = directory
        self._created_ns: dict[str, int] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._aliases: dict[str, str] = {}
        self._model_tags: dict[str, str] = {}

    def publish(
        self,
        checkpoint: Path,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> PolicyVersion:
        """Copy a checkpoint directory as a new version."""
        self._refuse_if_unavailable()
        tags = complete_tags(checkpoint, tags)
        version = str(len(self._tags) + 1)
        shutil.copytree(checkpoint, self._directory / version)
        self._created_ns[version] = time.time_ns()
        self._tags[version] = dict(tags)
        self.metrics[version] = [(0, dict(metrics))] if metrics else []
        return self.get(version)

    def fetch(self, version: PolicyVersion, directory: Path) -> Path:
        """Copy a version to `directory / version`, verified."""
        self.get(version.version)  # refuses one that is not there any more
        stored = self._directory / version.version

        def download(draft: Path) -> None:
            shutil.copytree(stored, draft, dirs_exist_ok=True)

        return install(version, directory, lambda: size_bytes(stored), download)

    def get(self, version: str) -> PolicyVersion:
        """One version."""
        self._refuse_if_unavailable()
        if version not in self._tags:
            raise WeightsRejected("no such version", version=version)
        tags = dict(self._tags[version])
        return PolicyVersion(
            version=version,
            sha256=tags[SHA256_TAG],
            spec_id=tags[SPEC_TAG],
            tags=tags,
            created_ns=self._created_ns[version],
        )

    def versions(self) -> list[PolicyVersion]:
        """Every version, oldest first."""
        self._refuse_if_unavailable()
        return [self.get(version) for version in self._tags]

    def alias(self, name: str) -> str | None:
        """The version that an alias points to."""
        return self.aliases().get(name)

    def aliases(self) -> dict[str, str]:
        """Every alias and its version."""
        self._refuse_if_unavailable()
        return dict(self._aliases)

    def set_alias(self, name: str, version: str) -> None:
        """Point an alias to a version."""
        self._aliases[name] = self.get(version).version

    def delete_alias(self, name: str) -> None:
        """Remove an alias; absent is fine."""
        self._refuse_if_unavailable()
        self._aliases.pop(name, None)

    def set_tag(self, version: str, key: str, value: str) -> None:
        """Set a tag of one version."""
        self._tags[self.get(version).version][key] = value

    def model_tags(self) -> dict[str, str]:
        """Tags of the policy as a whole."""
        self._refuse_if_unavailable()
        return dict(self._model_tags)

    def set_model_tag(self, key: str, value: str) -> None:
        """Set a tag of the policy as a whole; an empty value removes it."""
        self._refuse_if_unavailable()
        self._model_tags[key] = value
        if not value:
            del self._model_tags[key]

    def log_curve(self, version: str, name: str, points: Sequence[tuple[int, float]]) -> None:
        """Add one measurement over steps to the record of a version."""
        self.metrics[self.get(version).version].extend((step, {name: value}) for step, value in points)

    def _refuse_if_unavailable(self) -> None:
        if not self.is_available:
            raise RegistryUnavailable("the registry does not answer")
