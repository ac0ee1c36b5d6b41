import json
from pathlib import Path
from typing import TypedDict

import pytest

from infra import freeze, releases
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.releases import Acting, CanaryCohort
from infra.topics import RELEASES
from infra.wire import decode, records
from policy.errors import ConfigError, WeightsRejected
from policy.schema import Release


class Decision(TypedDict):
    author: str
    reason: str


BY_JUDGE: Decision = {"author": "judge", "reason": "because"}
NOBODY = CanaryCohort(num_robots=0)


@pytest.fixture
def bus() -> MemoryBus:
    bus = MemoryBus()
    bus.ensure_topics()
    return bus


@pytest.fixture
def ledger(bus: MemoryBus) -> Ledger:
    return Ledger(bus.producer("judge"))


@pytest.fixture
def registry(tmp_path: Path) -> MemoryRegistry:
    """Versions 1 to 4; 1 is the champion."""
    registry = MemoryRegistry(tmp_path / "registry")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "weights").write_text("w")
    for _ in range(4):
        registry.publish(tmp_path / "c", tags={"spec_id": "s"})
    registry.set_alias("champion", "1")
    return registry


def lines(bus: MemoryBus) -> list[Release]:
    messages = bus.consumer(RELEASES.name, "earliest").poll(0.0)
    return [r for m in messages for r in records(RELEASES, decode(RELEASES, m.value))]


def status(registry: MemoryRegistry, version: str) -> str:
    return registry.get(version).tags["status"]


def test_a_candidate_becomes_canary_then_champion(registry: MemoryRegistry, ledger: Ledger, bus: MemoryBus) -> None:
    releases.announce(registry, ledger, "2", **BY_JUDGE)
    releases.start_canary(registry, ledger, "2", **BY_JUDGE)
    assert registry.aliases() == {"champion": "1", "canary": "2"}
    releases.promote(registry, ledger, "2", **BY_JUDGE, evidence={"rate": 0.9})
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert (status(registry, "1"), status(registry, "2")) == ("retired", "champion")
    found = lines(bus)
    assert [(r.event, r.policy_version, r.previous_version, r.seq) for r in found] == [
        ("candidate", "2", "1", 0),
        ("canary", "2", "", 1),
        ("promote", "2", "1", 2),
    ]
    assert json.loads(found[-1].evidence) == {"rate": 0.9}
    assert found[-1].reason == "because"


def test_only_robots_of_the_cohort_run_the_canary(registry: MemoryRegistry, ledger: Ledger) -> None:
    by_name = CanaryCohort(robots=("r2",))
    by_count = CanaryCohort(num_robots=1, fleet=("r1", "r2"))
    champion, canary = Acting(version="1", role="champion"), Acting(version="2", role="canary")
    assert releases.acting_versions(registry, ["r2"], by_name)["r2"] == champion
    releases.start_canary(registry, ledger, "2", **BY_JUDGE)
    assert releases.acting_versions(registry, ["r2"], by_name)["r2"] == canary
    assert releases.acting_versions(registry, ["r1"], by_name)["r1"] == champion
    assert releases.acting_versions(registry, ["r1"], by_count)["r1"] == canary
    assert releases.acting_versions(registry, ["r2"], by_count)["r2"] == champion
    assert releases.acting_versions(registry, ["r1"], NOBODY)["r1"] == champion
    releases.reject(registry, ledger, "2", **BY_JUDGE)
    assert releases.acting_versions(registry, ["r2"], by_name)["r2"] == champion


def test_nothing_acts_before_the_first_release(tmp_path: Path) -> None:
    assert releases.acting_versions(MemoryRegistry(tmp_path), ["r1"], NOBODY)["r1"] is None


def test_a_rejected_version_stays_out_unless_forced(registry: MemoryRegistry, ledger: Ledger) -> None:
    releases.reject(registry, ledger, "3", **BY_JUDGE)
    with pytest.raises(ConfigError, match="rejected"):
        releases.promote(registry, ledger, "3", **BY_JUDGE)
    with pytest.raises(ConfigError, match="rejected"):
        releases.start_canary(registry, ledger, "3", **BY_JUDGE)
    releases.promote(registry, ledger, "3", **BY_JUDGE, force=True)
    assert registry.alias("champion") == "3"


def test_rollback_goes_back_one_champion_at_a_time(registry: MemoryRegistry, ledger: Ledger) -> None:
    releases.promote(registry, ledger, "2", **BY_JUDGE)
    releases.promote(registry, ledger, "3", **BY_JUDGE)
    releases.rollback(registry, ledger, author="ann", reason="drops plugs")
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert status(registry, "3") == "rejected"
    last = releases.rollback(registry, ledger, author="ann", reason="worse")
    assert (last.event, last.policy_version, last.previous_version) == ("rollback", "1", "2")
    assert registry.aliases() == {"champion": "1"}
    with pytest.raises(ConfigError, match="no previous champion"):
        releases.rollback(registry, ledger, author="ann", reason="again")


def test_rollback_to_a_named_version_ends_its_canary(registry: MemoryRegistry, ledger: Ledger) -> None:
    releases.promote(registry, ledger, "2", **BY_JUDGE)
    releases.start_canary(registry, ledger, "4", **BY_JUDGE)
    releases.rollback(registry, ledger, author="ann", reason="known good", version="4")
    assert registry.aliases() == {"champion": "4"}


def test_a_freeze_stops_promotions_but_not_rollbacks(registry: MemoryRegistry, ledger: Ledger) -> None:
    releases.promote(registry, ledger, "2", **BY_JUDGE)
    freeze.freeze(registry, ledger, author="ann", reason="audit")
    assert freeze.is_frozen(registry)
    with pytest.raises(ConfigError, match=r"frozen.*ann.*audit"):
        releases.promote(registry, ledger, "3", **BY_JUDGE)
    with pytest.raises(ConfigError, match=r"frozen.*ann.*audit"):
        releases.start_canary(registry, ledger, "3", **BY_JUDGE)
    releases.rollback(registry, ledger, author="ann", reason="bad")
    freeze.thaw(registry, ledger, author="ann", reason="done")
    assert not freeze.is_frozen(registry)
    releases.promote(registry, ledger, "3", **BY_JUDGE)


def test_a_freeze_expires(registry: MemoryRegistry, ledger: Ledger) -> None:
    freeze.freeze(registry, ledger, author="ann", reason="lunch", expires_ns=1_000)
    assert freeze.is_frozen(registry, now_ns=999)
    assert not freeze.is_frozen(registry, now_ns=1_000)


def test_the_champion_is_neither_promoted_again_nor_rejected(registry: MemoryRegistry, ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="already"):
        releases.promote(registry, ledger, "1", **BY_JUDGE)
    with pytest.raises(ConfigError, match="rollback"):
        releases.reject(registry, ledger, "1", **BY_JUDGE)
    with pytest.raises(WeightsRejected):
        releases.promote(registry, ledger, "9", **BY_JUDGE)


def test_a_release_is_in_force_while_the_broker_is_away_and_its_line_follows(
    registry: MemoryRegistry, ledger: Ledger, bus: MemoryBus
) -> None:
    bus.is_available = False
    releases.promote(registry, ledger, "2", **BY_JUDGE)
    releases.promote(registry, ledger, "3", **BY_JUDGE)
    assert registry.alias("champion") == "3"
    assert ledger.flush() == 2
    bus.is_available = True
    releases.rollback(registry, ledger, author="ann", reason="bad")
    assert [(line.event, line.policy_version, line.seq) for line in lines(bus)] == [
        ("promote", "2", 0),
        ("promote", "3", 1),
        ("rollback", "2", 2),
    ]
    assert ledger.flush() == 0
