"""The registry of weights as everybody sees it; `mlflow_registry.py` is the real one.

A checkpoint is a directory of files and no folders (`weights.safetensors`, `policy.json`). Publishing makes it an
immutable version; aliases (`champion`, `canary`, `previous`) say which version acts, and they are the
truth: a notice on the releases topic is only a hint to look here. Who moves aliases, and when, is
`releases.py`'s business.
"""

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from policy.errors import ConfigError, WeightsRejected

CHAMPION = "champion"
CANARY = "canary"
PREVIOUS = "previous"

SHA256_TAG = "sha256"
SPEC_TAG = "spec_id"
SIZE_TAG = "size_bytes"
_PIECE_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class MlflowConfig:
    """How to reach MLflow."""

    tracking_url: str = ""
    """http(s) address of an MLflow server; empty starts one of our own on this machine."""
    model: str = "touchline-policy"
    """Registered model whose versions are the weights; another name for a fleet apart."""
    experiment: str = "touchline"
    """Experiment that holds one run per candidate."""
    request_timeout_s: int = 10
    """How long one request may take."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """One published checkpoint."""

    version: str
    """A whole number as text, growing with each publication."""
    sha256: str
    """`checkpoint_sha256` of its files."""
    spec_id: str
    """Embodiment that it drives."""
    tags: Mapping[str, str]
    """Status, algorithm, data pin and so on; `sha256`, `size_bytes` and `spec_id` included."""
    created_ns: int


class PolicyRegistry(Protocol):
    """Versions, aliases and tags of one policy; every method may raise RegistryUnavailable."""

    def publish(
        self,
        checkpoint: Path,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> PolicyVersion:
        """Upload a checkpoint directory as a new version with a run of its own.

        Args:
            checkpoint: directory with at least one file.
            tags: must hold `spec_id`; `sha256` and `size_bytes` are added.
            params: what the training used, for the run's record.
            metrics: what it measured, for the run's record.
        """

    def fetch(self, version: PolicyVersion, directory: Path) -> Path:
        """Download a version to `directory / version` and return that path; there already is fine.

        Args:
            version: as it was looked at, and perhaps found signed: what its tags say by now does not count.
            directory: where to put it.

        Raises:
            WeightsRejected: no such version any more, or its files do not have its size and its sha256.
        """

    def get(self, version: str) -> PolicyVersion:
        """One version.

        Raises:
            WeightsRejected: no such version.
        """

    def versions(self) -> list[PolicyVersion]:
        """Every version, oldest first."""

    def alias(self, name: str) -> str | None:
        """The version that an alias points to."""

    def aliases(self) -> dict[str, str]:
        """Every alias and its version, in one look."""

    def set_alias(self, name: str, version: str) -> None:
        """Point an alias to a version.

        Raises:
            WeightsRejected: no such version.
        """

    def delete_alias(self, name: str) -> None:
        """Remove an alias; absent is fine."""

    def set_tag(self, version: str, key: str, value: str) -> None:
        """Set a tag of one version."""

    def model_tags(self) -> dict[str, str]:
        """Tags of the policy as a whole (the freeze, for one)."""

    def set_model_tag(self, key: str, value: str) -> None:
        """Set a tag of the policy as a whole; an empty value removes it."""

    def log_curve(self, version: str, name: str, points: Sequence[tuple[int, float]]) -> None:
        """Add one measurement over steps, as (step, value), to the run of a version."""


def checkpoint_sha256(checkpoint: Path) -> str:
    """One hash over the files of a checkpoint: sorted relative names, lengths and contents."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(checkpoint).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):  # whoever can write the registry decides how long it is
                digest.update(piece)
    return digest.hexdigest()


def size_bytes(checkpoint: Path) -> int:
    """All files of a checkpoint together."""
    return sum(path.stat().st_size for path in checkpoint.iterdir())


def verify(checkpoint: Path, version: PolicyVersion) -> None:
    """Refuse files that are not the ones that were published.

    Raises:
        WeightsRejected: cut short or altered.
    """
    found = checkpoint_sha256(checkpoint)
    if found != version.sha256:
        raise WeightsRejected(
            "the weights are cut short or altered",
            version=version.version,
            expected=version.sha256,
            found=found,
        )


def install(
    version: PolicyVersion, directory: Path, stored_bytes: Callable[[], int], download: Callable[[Path], object]
) -> Path:
    """Put a version at `directory / version`: downloaded aside, verified, then renamed.

    What already stands there is kept if it verifies, else replaced; a reader never sees half of it.

    Raises:
        WeightsRejected: what is stored has another size than what was published, and is not downloaded; or what
            was downloaded is something else.
    """
    target = directory / version.version
    if target.is_dir() and checkpoint_sha256(target) == version.sha256:
        return target
    # Whoever can write the registry's files must not decide how much of a robot's disk they take. Versions of
    # before this tag was have none.
    stored, published = str(stored_bytes()), version.tags.get(SIZE_TAG, "")
    if published and stored != published:
        raise WeightsRejected(
            "the weights are cut short or altered",
            version=version.version,
            published_bytes=published,
            stored_bytes=stored,
        )
    directory.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{version.version}-", dir=directory))
    try:
        download(draft)
        verify(draft, version)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def complete_tags(checkpoint: Path, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags to publish: the caller's, and the hash and the size of the files.

    Raises:
        ConfigError: `spec_id` is missing.
        WeightsRejected: the directory holds no file, or a folder.
    """
    if not tags.get(SPEC_TAG):
        raise ConfigError("a checkpoint is published with the tag spec_id", tags=sorted(tags))
    if not checkpoint.is_dir() or not any(checkpoint.iterdir()):
        raise WeightsRejected("a checkpoint without files", path=str(checkpoint))
    if any(path.is_dir() for path in checkpoint.iterdir()):
        raise WeightsRejected("a checkpoint has no folders", path=str(checkpoint))
    return {**tags, SHA256_TAG: checkpoint_sha256(checkpoint), SIZE_TAG: str(size_bytes(checkpoint))}
