"""MlflowRegistry: the only module that imports mlflow.

One registered model (`MlflowConfig.model`); one run per version, which holds the checkpoint's files as
artifacts and the training's record. Everything goes through the server, files included, so a robot
needs one address and no shared disk.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mlflow.entities import Metric, Param
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from infra.registry import (
    SHA256_TAG,
    SPEC_TAG,
    MlflowConfig,
    PolicyVersion,
    complete_tags,
    install,
)
from policy.errors import RegistryRefused, RegistryUnavailable, WeightsRejected

_ARTIFACT_PATH = "checkpoint"
_MAX_PARAM_CHARS = 6000
_REFUSED = ("PERMISSION_DENIED", "UNAUTHENTICATED")
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""The server's codes for a version or an alias that is not there (or is no number at all)."""


class MlflowRegistry:
    """The registry on an MLflow server; nothing is contacted until a method needs it."""

    def __init__(self, config: MlflowConfig) -> None:
        # A robot keeps its last good weights and asks again soon: the client must not retry for minutes.
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(config.request_timeout_s)
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
        self._config = config
        self._client = MlflowClient(config.tracking_url, config.tracking_url)

    def publish(
        self,
        checkpoint: Path,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> PolicyVersion:
        """Upload a checkpoint directory as a new version with a run of its own."""
        tags = complete_tags(checkpoint, tags)
        with self._translated():
            run = self._client.create_run(self._experiment_id(), tags=dict(tags))
            run_id = run.info.run_id
            self._client.log_batch(
                run_id,
                metrics=[Metric(name, value, _now_ms(), 0) for name, value in (metrics or {}).items()],
                params=[Param(key, value[:_MAX_PARAM_CHARS]) for key, value in (params or {}).items()],
            )
            self._client.log_artifacts(run_id, str(checkpoint), _ARTIFACT_PATH)
            self._ensure_model()
            created = self._client.create_model_version(
                self._config.model, f"{run.info.artifact_uri}/{_ARTIFACT_PATH}", run_id, tags=dict(tags)
            )
            self._client.set_terminated(run_id)
            return _policy_version(created)

    def fetch(self, version: PolicyVersion, directory: Path) -> Path:
        """Download a version to `directory / version`, verified."""
        with self._translated(version.version):
            run_id = str(self._client.get_model_version(self._config.model, version.version).run_id)

            def download(draft: Path) -> None:
                # The client puts the artifact folder below the destination: take its files up.
                self._client.download_artifacts(run_id, _ARTIFACT_PATH, str(draft))
                for path in (draft / _ARTIFACT_PATH).iterdir():
                    path.rename(draft / path.name)
                (draft / _ARTIFACT_PATH).rmdir()

            def stored_bytes() -> int:
                files = self._client.list_artifacts(run_id, _ARTIFACT_PATH)
                if any(file.is_dir for file in files):
                    raise WeightsRejected("a checkpoint has no folders", version=version.version)
                return sum(file.file_size or 0 for file in files)

            return install(version, directory, stored_bytes, download)

    def get(self, version: str) -> PolicyVersion:
        """One version."""
        with self._translated(version):
            return _policy_version(self._client.get_model_version(self._config.model, version))

    def versions(self) -> list[PolicyVersion]:
        """Every version, oldest first."""
        found: list[ModelVersion] = []
        token = None
        with self._translated():
            while True:
                page = self._client.search_model_versions(
                    f"name='{self._config.model}'", max_results=1000, page_token=token
                )
                found.extend(page)
                token = page.token
                if not token:
                    break
        return sorted(map(_policy_version, found), key=lambda version: int(version.version))

    def alias(self, name: str) -> str | None:
        """The version that an alias points to."""
        return self.aliases().get(name)

    def aliases(self) -> dict[str, str]:
        """Every alias and its version."""
        model = self._model()
        return {name: str(version) for name, version in model.aliases.items()} if model else {}

    def set_alias(self, name: str, version: str) -> None:
        """Point an alias to a version."""
        with self._translated(version):
            self._client.set_registered_model_alias(self._config.model, name, version)

    def delete_alias(self, name: str) -> None:
        """Remove an alias; absent is fine."""
        if self.alias(name) is not None:
            with self._translated():
                self._client.delete_registered_model_alias(self._config.model, name)

    def set_tag(self, version: str, key: str, value: str) -> None:
        """Set a tag of one version."""
        with self._translated(version):
            self._client.set_model_version_tag(self._config.model, version, key, value)

    def model_tags(self) -> dict[str, str]:
        """Tags of the policy as a whole."""
        model = self._model()
        return dict(model.tags) if model else {}

    def set_model_tag(self, key: str, value: str) -> None:
        """Set a tag of the policy as a whole; an empty value removes it."""
        with self._translated():
            self._ensure_model()
            if value:
                self._client.set_registered_model_tag(self._config.model, key, value)
            elif key in self.model_tags():
                self._client.delete_registered_model_tag(self._config.model, key)

    def log_curve(self, version: str, name: str, points: Sequence[tuple[int, float]]) -> None:
        """Add one measurement over steps to the run of a version, in one request."""
        with self._translated(version):
            run_id = str(self._client.get_model_version(self._config.model, version).run_id)
            self._client.log_batch(run_id, metrics=[Metric(name, value, _now_ms(), step) for step, value in points])

    def _experiment_id(self) -> str:
        found = self._client.get_experiment_by_name(self._config.experiment)
        return found.experiment_id if found else self._client.create_experiment(self._config.experiment)

    def _ensure_model(self) -> None:
        try:
            self._client.create_registered_model(self._config.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _model(self) -> RegisteredModel | None:
        with self._translated():
            try:
                return self._client.get_registered_model(self._config.model)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise

    @contextlib.contextmanager
    def _translated(self, version: str | None = None) -> Iterator[None]:
        try:
            yield
        except MlflowException as error:
            if version is not None and error.error_code in _ABSENT:
                raise WeightsRejected("no such version", version=version) from error
            raise self._unavailable(error) from error
        except OSError as error:  # requests' exceptions are OSErrors
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> RegistryUnavailable:
        if getattr(error, "error_code", "") in _REFUSED or "error code 401" in str(error):
            return RegistryRefused(
                "MLflow refuses this account: mend its permissions, "
                "or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
                tracking_url=self._config.tracking_url,
                cause=str(error)[:300],
            )
        return RegistryUnavailable(
            "MLflow does not answer", tracking_url=self._config.tracking_url, cause=str(error)[:300]
        )


def _policy_version(found: ModelVersion) -> PolicyVersion:
    return PolicyVersion(
        version=str(found.version),
        # Somebody may have removed a tag: then the hash fits nothing, and whoever fetches it refuses it.
        sha256=found.tags.get(SHA256_TAG, ""),
        spec_id=found.tags.get(SPEC_TAG, ""),
        tags=dict(found.tags),
        created_ns=int(found.creation_timestamp) * 1_000_000,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
