"""A rollout on MemoryRegistry and on MlflowRegistry with a real server: the same states, and room for a big fleet."""

import json
from pathlib import Path

import pytest

from infra import releases, rollout
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.mlflow_registry import MlflowRegistry
from infra.registry import PolicyRegistry
from infra.releases import CanaryCohort
from infra.rollout_state import RolloutConfig

FLEET = tuple(f"robot-in-hall-{number:04d}" for number in range(500))


@pytest.fixture(params=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> PolicyRegistry:
    if request.param == "mlflow":
        return MlflowRegistry(request.getfixturevalue("mlflow_config"))
    return MemoryRegistry(tmp_path / "registry")


def test_a_rollout_of_a_big_fleet(registry: PolicyRegistry, tmp_path: Path) -> None:
    bus = MemoryBus()
    bus.ensure_topics()
    ledger = Ledger(bus.producer("test"))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "weights").write_text("w")
    for _ in range(2):
        registry.publish(tmp_path / "c", tags={"spec_id": "s"})
    registry.set_alias("champion", "1")
    cohort, config = CanaryCohort(fleet=FLEET), RolloutConfig(stages=("1", "100", "all"))

    def roles() -> list[str]:
        acting = [releases.acting_versions(registry, FLEET, CanaryCohort())[FLEET[number]] for number in (0, 99, 100)]
        return [found.role for found in acting if found is not None]

    rollout.start(registry, ledger, "2", cohort=cohort, config=config, author="ann", reason="é 'quoted' \n words")
    assert roles() == ["canary", "champion", "champion"]
    rollout.pause(registry, ledger, author="ann", reason="lunch")
    state = rollout.under_way(registry)
    assert state is not None
    assert (state.is_paused, state.fleet, state.stages) == (True, FLEET, (1, 100, 500))
    rollout.resume(registry, ledger, author="ann", reason="back")
    rollout.next_stage(registry, ledger, author="ann", reason="good")
    assert roles() == ["canary", "canary", "champion"]
    registry.set_tag("2", releases.VERDICT_TAG, json.dumps({"reason": "x" * 4_000}))
    assert len(registry.get("2").tags[releases.VERDICT_TAG]) > 4_000
    rollout.next_stage(registry, ledger, author="ann", reason="good")
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert rollout.under_way(registry) is None
    assert "rollout" not in registry.model_tags()
