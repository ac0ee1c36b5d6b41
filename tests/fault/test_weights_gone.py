"""An alias whose version is missing moves no robot: the registry refuses a version that it does not know, and one
whose files are gone is refused by the robots in words, while the weights before it go on."""

import threading
from pathlib import Path

import pytest

from actor.acting_policy import Loader
from actor.weight_sync import SyncConfig, WeightSync
from infra import connect
from infra.metrics import Metrics
from infra.registry import MlflowConfig, PolicyRegistry
from infra.releases import CHAMPION, CanaryCohort
from policy.errors import RegistryError
from tests.actor_rig import SPEC, save_policy

WEIGHTS_FILE = "weights.safetensors"


def publish(registry: PolicyRegistry, folder: Path, seed: int) -> str:
    return registry.publish(save_policy(folder, seed=seed), tags={"spec_id": SPEC.spec_id}).version


def delete_from_server(base: Path, checkpoint: Path) -> None:
    """Somebody tidied up the server's disk."""
    content = (checkpoint / WEIGHTS_FILE).read_bytes()
    found = {path.resolve() for path in base.glob(f"mlflow*/artifacts/**/{WEIGHTS_FILE}")}
    stored = [path for path in found if path.read_bytes() == content]
    assert stored
    for path in stored:
        path.unlink()


def test_the_weights_before_it_go_on(
    mlflow_config: MlflowConfig, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    registry = connect.registry(mlflow_config)
    good, bad = publish(registry, tmp_path / "good", 0), publish(registry, tmp_path / "bad", 1)
    sync = WeightSync(
        registry,
        tmp_path / "weights",
        ("r-0",),
        Loader(spec=SPEC),
        metrics=Metrics(),
        hint=lambda timeout_s: None,
        closing=threading.Event(),
        cohort=CanaryCohort(),
        config=SyncConfig(),
    )
    registry.set_alias(CHAMPION, good)
    sync.look()
    with pytest.raises(RegistryError):
        registry.set_alias(CHAMPION, "99")
    delete_from_server(tmp_path_factory.getbasetemp(), tmp_path / "bad")
    registry.set_alias(CHAMPION, bad)
    sync.look()
    released = sync.released("r-0")
    assert released is not None
    assert released.policy.version.version == good
    assert sync.refusal("r-0").startswith(f"version {bad}: ")
    registry.set_alias(CHAMPION, good)
    sync.look()
    assert sync.refusal("r-0") == ""
