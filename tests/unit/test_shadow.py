"""A shadow from alias to report: who may be one, what is compared with what, and what people are told."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from infra import releases, shadow
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from learner.live_shadow import LiveShadow, Shadow, ShadowConfig
from learner.shadow_follower import ShadowFollower
from learner.synthetic import toy_spec
from policy import checkpoint
from policy.errors import ConfigError, WeightsRejected
from policy.schema import Step
from tests.critic_rig import message
from tests.shadow_rig import HORIZON, a_policy, acted_by


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


class Desk:
    """Three versions in a registry, 1 the champion."""

    def __init__(self, directory: Path) -> None:
        self.registry, bus = MemoryRegistry(directory / "registry"), MemoryBus()
        bus.ensure_topics()
        self.ledger = Ledger(bus.producer("test"))
        self.now_s = 0.0
        for seed in range(3):
            checkpoint.save(directory / str(seed), a_policy(seed))
            self.registry.publish(directory / str(seed), tags={"spec_id": toy_spec().spec_id})
        self.registry.set_alias("champion", "1")
        self.metrics = Metrics()
        self.live = LiveShadow(ShadowConfig(), self.metrics, clock_s=lambda: self.now_s, wall_ns=lambda: 7)
        self.follower = ShadowFollower(self.registry, directory / "own", self.live)

    def shadow(self, version: str) -> None:
        shadow.set_shadow(self.registry, self.ledger, version, author="ann", reason="a look")
        self.follower.look()
        self.live.cycle(self.follower.current)

    def hear(self, steps: list[Step]) -> None:
        for step in steps:
            self.live.take_steps(message([step]))
            self.now_s += 10
            self.live.cycle(self.follower.current)

    def compared(self) -> dict[str, int]:
        """Steps by robot."""
        report = self.live.report
        return {} if report is None else {robot_id: gaps.num_steps for robot_id, gaps in report.robots.items()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_alias_that_no_robot_follows(desk: Desk) -> None:
    line = shadow.set_shadow(desk.registry, desk.ledger, "2", author="ann", reason="a look")
    assert (line.event, line.policy_version, line.previous_version) == ("shadow", "2", "")
    assert desk.registry.aliases() == {"champion": "1", "shadow": "2"}
    assert releases.acting_versions(desk.registry, ["r1"], releases.CanaryCohort())["r1"] == releases.Acting(
        version="1", role="champion"
    )
    line = shadow.set_shadow(desk.registry, desk.ledger, "3", author="ann", reason="another")
    assert (line.policy_version, line.previous_version) == ("3", "2")
    line = shadow.clear_shadow(desk.registry, desk.ledger, author="ann", reason="seen")
    assert (line.event, line.policy_version, line.previous_version) == ("shadow_end", "", "3")
    with pytest.raises(ConfigError, match="no shadow"):
        shadow.clear_shadow(desk.registry, desk.ledger, author="ann", reason="again")
    with pytest.raises(ConfigError, match="champion acts already"):
        shadow.set_shadow(desk.registry, desk.ledger, "1", author="ann", reason="a look")
    with pytest.raises(WeightsRejected):
        shadow.set_shadow(desk.registry, desk.ledger, "9", author="ann", reason="a look")


def test_a_shadow_that_is_released_is_none_any_more(desk: Desk) -> None:
    shadow.set_shadow(desk.registry, desk.ledger, "2", author="ann", reason="a look")
    releases.promote(desk.registry, desk.ledger, "2", author="ann", reason="good")
    assert desk.registry.aliases() == {"champion": "2", "previous": "1"}
    shadow.set_shadow(desk.registry, desk.ledger, "1", author="ann", reason="what would it do now?")
    releases.rollback(desk.registry, desk.ledger, author="ann", reason="bad")
    assert desk.registry.aliases() == {"champion": "1"}


def test_a_policy_differs_from_itself_by_one_and_from_another_by_more(desk: Desk) -> None:
    desk.shadow("2")
    # As if version 1 had the weights of version 2: compared with itself.
    for number in range(4):
        desk.hear(acted_by(a_policy(1), 40, robot_id=f"r{number}", seed=number))
    same = desk.live.report
    assert same is not None
    assert sum(gaps.num_steps for gaps in same.robots.values()) == 160
    own = sum(gaps.action for gaps in same.robots.values()) / sum(gaps.noise for gaps in same.robots.values())
    assert own**0.5 == pytest.approx(1.0, abs=0.15)
    biased = acted_by(a_policy(1), 40)
    biased = [dataclasses.replace(s, episode_id="e2", proposed_action=s.proposed_action + 1) for s in biased]
    desk.hear(biased)
    assert desk.live.report is not None
    assert desk.live.report.robots["r1"].ratio > 1.5 * same.robots["r1"].ratio


def test_only_the_champions_own_work_is_compared(desk: Desk) -> None:
    desk.shadow("2")
    steps = acted_by(a_policy(0), 8)
    desk.hear([dataclasses.replace(step, policy_version="3") for step in steps])
    desk.hear([dataclasses.replace(step, source="evaluation") for step in steps])
    desk.hear([dataclasses.replace(step, control_mode="correcting") for step in steps])
    desk.hear([dataclasses.replace(step, chunk_index=-1) for step in steps])
    desk.hear([dataclasses.replace(step, episode_id="unseen start") for step in steps[1:HORIZON]])
    assert desk.compared() == {}
    desk.hear(steps)
    assert desk.compared() == {"r1": 8}


def test_a_few_steps_a_second_whoever_was_seen_least_first(desk: Desk) -> None:
    desk.live = LiveShadow(ShadowConfig(max_steps=2), desk.metrics, clock_s=lambda: desk.now_s)
    follower = ShadowFollower(desk.registry, desk.follower._directory, desk.live)
    shadow.set_shadow(desk.registry, desk.ledger, "2", author="ann", reason="a look")
    follower.look()
    desk.live.cycle(follower.current)
    robots = [acted_by(a_policy(0), 3, robot_id=f"r{number}") for number in range(3)]
    for index in range(3):
        for steps in robots:
            desk.live.take_steps(message([steps[index]]))
        desk.live.cycle(follower.current)
        desk.live.cycle(follower.current)  # too early: nothing happens
        desk.now_s += 1
    assert desk.live.report is not None
    assert {r: gaps.num_steps for r, gaps in desk.live.report.robots.items()} == {"r0": 2, "r1": 2, "r2": 2}
    assert desk.metrics.value("touchline_shadow_steps_total") == 6


def test_what_people_read(desk: Desk) -> None:
    desk.shadow("2")
    desk.follower.publish()
    assert shadow.SHADOW_TAG not in desk.registry.get("2").tags
    desk.hear(acted_by(a_policy(0), 8, robot_id="r1"))
    desk.hear(acted_by(a_policy(0), 4, robot_id="r2"))
    desk.follower.publish()
    found = json.loads(desk.registry.get("2").tags[shadow.SHADOW_TAG])
    assert (found["version"], found["champion"], found["at_ns"]) == ("2", "1", 7)
    assert (found["num_steps"], found["num_robots"]) == (12, 2)
    assert found["ratio"] == pytest.approx(found["action_gap"] / found["noise_gap"], rel=0.01)
    assert {name: own["num_steps"] for name, own in found["robots"].items()} == {"r1": 8, "r2": 4}
    assert desk.follower.status == "version 2 proposes beside the champion"


def test_another_champion_begins_anew_with_the_same_weights(desk: Desk) -> None:
    desk.shadow("2")
    first = desk.follower.current
    assert isinstance(first, Shadow)
    desk.hear(acted_by(a_policy(0), 4))
    desk.registry.set_alias("champion", "3")
    desk.follower.look()
    second = desk.follower.current
    assert second is not None
    assert (second.champion, second.policy is first.policy) == ("3", True)
    desk.live.cycle(second)
    assert desk.live.report is None
    desk.registry.delete_alias("shadow")
    desk.follower.look()
    assert (desk.follower.current, desk.follower.status) == (None, "no shadow")


def test_weights_that_are_not_what_was_published_are_refused(desk: Desk, tmp_path: Path) -> None:
    weights = tmp_path / "registry" / "2" / checkpoint.WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-10])
    desk.shadow("2")
    assert desk.follower.current is None
    assert desk.follower.status.startswith("shadow refused: the weights are cut short or altered")
    strange = a_policy(3)
    strange = dataclasses.replace(strange, spec=dataclasses.replace(strange.spec, name="other"))
    checkpoint.save(tmp_path / "strange", strange)
    desk.registry.publish(tmp_path / "strange", tags={"spec_id": toy_spec().spec_id})
    desk.shadow("4")
    assert "another embodiment" in desk.follower.status
