"""The same promises from MemoryRegistry and from MlflowRegistry on a real server."""

import dataclasses
from pathlib import Path

import pytest

from infra.memory_registry import MemoryRegistry
from infra.mlflow_registry import MlflowRegistry
from infra.registry import PolicyRegistry, checkpoint_sha256
from policy.errors import ConfigError, WeightsRejected

TAGS = {"spec_id": "abc", "algorithm": "recap"}


@pytest.fixture(params=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> PolicyRegistry:
    if request.param == "mlflow":
        return MlflowRegistry(request.getfixturevalue("mlflow_config"))
    return MemoryRegistry(tmp_path / "registry")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    directory = tmp_path / "checkpoint"
    directory.mkdir()
    (directory / "weights.safetensors").write_bytes(bytes(range(256)) * 100)
    (directory / "policy.json").write_text("{}")
    return directory


def test_publish_then_fetch_gives_the_same_files(registry: PolicyRegistry, checkpoint: Path, tmp_path: Path) -> None:
    published = registry.publish(checkpoint, tags=TAGS, params={"lr": "1e-3"}, metrics={"loss": 0.5})
    assert (published.version, published.spec_id) == ("1", "abc")
    assert published.sha256 == checkpoint_sha256(checkpoint)
    assert published.tags == {**TAGS, "sha256": published.sha256, "size_bytes": str(25_600 + 2)}
    assert published.created_ns > 0
    fetched = registry.fetch(registry.get("1"), tmp_path / "weights")
    assert fetched == tmp_path / "weights" / "1"
    assert sorted(path.name for path in fetched.iterdir()) == ["policy.json", "weights.safetensors"]
    assert checkpoint_sha256(fetched) == published.sha256
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["1"]


def test_a_damaged_copy_is_replaced(registry: PolicyRegistry, checkpoint: Path, tmp_path: Path) -> None:
    version = registry.publish(checkpoint, tags=TAGS)
    fetched = registry.fetch(version, tmp_path / "weights")
    (fetched / "weights.safetensors").write_bytes(b"cut short")
    assert checkpoint_sha256(registry.fetch(version, tmp_path / "weights")) == version.sha256


def test_files_that_are_not_what_was_published_are_rejected(
    registry: PolicyRegistry, checkpoint: Path, tmp_path: Path
) -> None:
    version = registry.publish(checkpoint, tags=TAGS)
    registry.set_tag(version.version, "sha256", "0" * 64)
    with pytest.raises(WeightsRejected, match="cut short or altered"):
        registry.fetch(registry.get(version.version), tmp_path / "weights")
    assert list((tmp_path / "weights").iterdir()) == []


def test_files_of_another_size_are_not_even_downloaded(
    registry: PolicyRegistry, checkpoint: Path, tmp_path: Path
) -> None:
    version = registry.publish(checkpoint, tags=TAGS)
    registry.set_tag(version.version, "size_bytes", "25601")
    with pytest.raises(WeightsRejected, match="25602"):
        registry.fetch(registry.get(version.version), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_what_is_fetched_is_what_was_looked_at(registry: PolicyRegistry, checkpoint: Path, tmp_path: Path) -> None:
    looked_at = registry.publish(checkpoint, tags=TAGS)
    for tag, value in (("sha256", "0" * 64), ("size_bytes", "25601")):
        registry.set_tag(looked_at.version, tag, value)
    assert checkpoint_sha256(registry.fetch(looked_at, tmp_path / "weights")) == looked_at.sha256


def test_versions_grow_and_keep_their_tags(registry: PolicyRegistry, checkpoint: Path) -> None:
    assert registry.versions() == []
    for index in range(3):
        (checkpoint / "policy.json").write_text(str(index))
        registry.publish(checkpoint, tags=TAGS)
    registry.set_tag("2", "status", "candidate")
    assert [version.version for version in registry.versions()] == ["1", "2", "3"]
    assert registry.get("2").tags["status"] == "candidate"
    assert "status" not in registry.get("3").tags
    assert registry.get("1").sha256 != registry.get("2").sha256


def test_aliases_move(registry: PolicyRegistry, checkpoint: Path) -> None:
    assert registry.aliases() == {}
    assert registry.alias("champion") is None
    registry.delete_alias("champion")
    registry.publish(checkpoint, tags=TAGS)
    registry.publish(checkpoint, tags=TAGS)
    registry.set_alias("champion", "1")
    registry.set_alias("canary", "2")
    registry.set_alias("champion", "2")
    assert registry.aliases() == {"champion": "2", "canary": "2"}
    registry.delete_alias("canary")
    assert registry.alias("canary") is None


def test_model_tags_come_and_go(registry: PolicyRegistry) -> None:
    assert registry.model_tags() == {}
    registry.set_model_tag("frozen", "yes")
    assert registry.model_tags() == {"frozen": "yes"}
    registry.set_model_tag("frozen", "")
    registry.set_model_tag("frozen", "")
    assert registry.model_tags() == {}


def test_an_unknown_version_is_rejected(registry: PolicyRegistry, checkpoint: Path, tmp_path: Path) -> None:
    known = registry.publish(checkpoint, tags=TAGS)
    for version in ("99", "rubbish"):
        for attempt in (
            lambda version=version: registry.get(version),
            lambda version=version: registry.fetch(dataclasses.replace(known, version=version), tmp_path),
            lambda version=version: registry.set_alias("champion", version),
            lambda version=version: registry.set_tag(version, "a", "b"),
            lambda version=version: registry.log_curve(version, "a", [(0, 1.0)]),
        ):
            with pytest.raises(WeightsRejected, match="no such version"):
                attempt()


def test_metrics_are_taken(registry: PolicyRegistry, checkpoint: Path) -> None:
    version = registry.publish(checkpoint, tags=TAGS, metrics={"loss": 1.0})
    registry.log_curve(version.version, "loss", [(10, 0.5), (20, 0.4)])


def test_a_checkpoint_needs_files_and_a_spec(registry: PolicyRegistry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsRejected, match="without files"):
        registry.publish(tmp_path / "empty", tags=TAGS)
    with pytest.raises(ConfigError, match="spec_id"):
        registry.publish(tmp_path / "empty", tags={})
    (tmp_path / "empty" / "folder").mkdir()
    with pytest.raises(WeightsRejected, match="no folders"):
        registry.publish(tmp_path / "empty", tags=TAGS)
