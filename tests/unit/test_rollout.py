"""A version reaches the fleet by robot count: the moves, who may run it, and what each leaves in the ledger."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pytest

from infra import freeze, releases, rollback_plan, rollout, rollout_state
from infra.fleet import load_doors
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.releases import Acting, CanaryCohort
from infra.rollout_state import RolloutConfig
from infra.topics import RELEASES
from infra.wire import decode, records
from policy.errors import ConfigError, WeightsRejected
from policy.schema import Release

FLEET = tuple(f"r{number}" for number in range(8))
COHORT = CanaryCohort(fleet=FLEET)
SECOND = 1_000_000_000


class Decision(TypedDict):
    author: str
    reason: str


BY_ANN: Decision = {"author": "ann", "reason": "because"}


class Desk:
    """Versions 1 to 4, 1 the champion; a clock that tests set."""

    def __init__(self, directory: Path) -> None:
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.ledger = Ledger(self.bus.producer("test"))
        self.registry = MemoryRegistry(directory / "registry")
        (directory / "c").mkdir()
        (directory / "c" / "weights").write_text("w")
        for _ in range(4):
            self.registry.publish(directory / "c", tags={"spec_id": "s"})
        self.registry.set_alias("champion", "1")

    def start(self, version: str = "2", cohort: CanaryCohort = COHORT, now_s: int = 0, **stages: object) -> Release:
        config = RolloutConfig(**stages)  # type: ignore[arg-type]
        return rollout.start(
            self.registry, self.ledger, version, cohort=cohort, config=config, **BY_ANN, now_ns=now_s * SECOND
        )

    def move(self, move: Callable[..., Release], **more: object) -> Release:
        return move(self.registry, self.ledger, **BY_ANN, **more)

    def on_trial(self, cohort: CanaryCohort = COHORT) -> list[str]:
        acting = releases.acting_versions(self.registry, FLEET, cohort)
        return [robot for robot, found in acting.items() if found is not None and found.role == "canary"]

    def lines(self) -> list[Release]:
        messages = self.bus.consumer(RELEASES.name, "earliest").poll(0.0)
        return [r for m in messages for r in records(RELEASES, decode(RELEASES, m.value))]

    def state(self) -> rollout_state.Rollout:
        found = rollout.under_way(self.registry)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_one_robot_then_three_then_all(desk: Desk) -> None:
    desk.start()
    assert desk.state().stages == (1, 3, 8)
    assert desk.on_trial() == ["r0"]
    assert desk.state().next_robots == ("r0", "r1", "r2")
    desk.move(rollout.next_stage, evidence={"rate": 0.9})
    assert desk.on_trial() == ["r0", "r1", "r2"]
    assert desk.state().leads_to_all
    assert desk.state().next_robots == FLEET
    desk.move(rollout.next_stage)
    assert desk.registry.aliases() == {"champion": "2", "previous": "1"}
    assert rollout.under_way(desk.registry) is None
    assert desk.registry.model_tags() == {}
    assert [(r.event, r.policy_version, r.previous_version, r.author, r.reason) for r in desk.lines()] == [
        ("canary", "2", "", "ann", "because"),
        ("rollout_stage", "2", "1", "ann", "because"),
        ("promote", "2", "1", "ann", "because"),
    ]
    first, second, third = [json.loads(r.evidence) for r in desk.lines()]
    assert first == {"stage": 0, "stages": [1, 3, 8], "robots": ["r0"]}
    assert second == {"rate": 0.9, "stage": 1, "stages": [1, 3, 8], "robots": ["r0", "r1", "r2"]}
    assert (third["stage"], third["robots"]) == (2, list(FLEET))


def test_the_state_is_in_the_registry_for_everybody(desk: Desk) -> None:
    desk.start()
    desk.move(rollout.next_stage)
    # A robot whose own settings name no fleet obeys all the same.
    assert desk.on_trial(CanaryCohort()) == ["r0", "r1", "r2"]


def test_robots_named_as_canaries_go_first(desk: Desk) -> None:
    cohort = CanaryCohort(robots=("r5", "r6"), fleet=FLEET)
    desk.start(cohort=cohort)
    assert desk.on_trial(cohort) == ["r5"]
    desk.move(rollout.next_stage)
    assert desk.on_trial(cohort) == ["r0", "r5", "r6"]


@pytest.mark.parametrize("fleet", [(), FLEET])
def test_canaries_by_name_that_the_fleet_does_not_have_are_refused(desk: Desk, fleet: tuple[str, ...]) -> None:
    """Else the rollout would wait for nobody's work or, of a fleet that names nobody else, promote untried."""
    with pytest.raises(ConfigError, match=r"add them to canary.fleet .*missing=\('r9',\)"):
        desk.start(cohort=CanaryCohort(robots=("r9", *fleet[:1]), fleet=fleet))
    assert desk.registry.aliases() == {"champion": "1"}
    assert rollout.under_way(desk.registry) is None
    assert desk.lines() == []


@pytest.mark.parametrize(
    ("cohort", "stages"),
    [
        (CanaryCohort(fleet=FLEET[:2]), (1, 2)),
        (CanaryCohort(fleet=FLEET[:1]), (1,)),
        (CanaryCohort(), (0,)),
        (CanaryCohort(num_robots=0, fleet=FLEET), (0,)),
    ],
)
def test_a_small_fleet_has_fewer_stages(desk: Desk, cohort: CanaryCohort, stages: tuple[int, ...]) -> None:
    desk.start(cohort=cohort)
    assert desk.state().stages == stages
    assert len(desk.on_trial(cohort)) == (stages[0] if len(stages) > 1 else 0)
    for _ in stages[1:] or stages:
        desk.move(rollout.next_stage)
    assert desk.registry.alias("champion") == "2"


def test_a_pause_keeps_the_robots_and_stops_the_soak(desk: Desk) -> None:
    desk.start(now_s=100)
    assert desk.state().elapsed_s(130 * SECOND) == 30
    desk.move(rollout.pause, now_ns=130 * SECOND)
    assert desk.state().is_paused
    assert desk.state().elapsed_s(500 * SECOND) == 30
    assert desk.on_trial() == ["r0"]
    with pytest.raises(ConfigError, match="paused already"):
        desk.move(rollout.pause)
    desk.move(rollout.resume, now_ns=500 * SECOND)
    assert desk.state().elapsed_s(510 * SECOND) == 40
    with pytest.raises(ConfigError, match="not paused"):
        desk.move(rollout.resume)
    assert [r.event for r in desk.lines()] == ["canary", "rollout_pause", "rollout_resume"]


def test_a_person_may_go_on_in_a_pause_and_it_stays_paused(desk: Desk) -> None:
    desk.start(now_s=100)
    desk.move(rollout.pause, now_ns=130 * SECOND)
    desk.move(rollout.next_stage, now_ns=200 * SECOND)
    assert desk.state().is_paused
    assert desk.state().elapsed_s(300 * SECOND) == 0
    assert desk.on_trial() == ["r0", "r1", "r2"]


def test_an_abort_sends_all_robots_back_even_while_frozen(desk: Desk) -> None:
    desk.start()
    desk.move(rollout.next_stage)
    freeze.freeze(desk.registry, desk.ledger, **BY_ANN)
    desk.move(rollout.abort, evidence={"rate": 0.1})
    assert desk.on_trial() == []
    assert desk.registry.aliases() == {"champion": "1"}
    assert desk.registry.get("2").tags["status"] == "rejected"
    assert [r.event for r in desk.lines()][-3:] == ["freeze", "reject", "rollout_abort"]
    assert json.loads(desk.lines()[-1].evidence) == {
        "rate": 0.1,
        "stage": 1,
        "stages": [1, 3, 8],
        "robots": ["r0", "r1", "r2"],
    }
    with pytest.raises(ConfigError, match="no rollout is under way"):
        desk.move(rollout.abort)


def test_nothing_widens_while_frozen(desk: Desk) -> None:
    desk.start()
    freeze.freeze(desk.registry, desk.ledger, **BY_ANN)
    with pytest.raises(ConfigError, match="frozen"):
        desk.move(rollout.next_stage)
    with pytest.raises(ConfigError, match="on trial"):
        desk.start("3")
    assert desk.on_trial() == ["r0"]


def test_a_decision_about_an_earlier_stage_is_refused(desk: Desk) -> None:
    desk.start()
    desk.move(rollout.next_stage, from_stage=0)
    with pytest.raises(ConfigError, match="moved on to stage 2"):
        desk.move(rollout.next_stage, from_stage=0)
    assert desk.state().stage == 1


def test_what_cannot_start(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="champion already"):
        desk.start("1")
    with pytest.raises(WeightsRejected):
        desk.start("9")
    releases.reject(desk.registry, desk.ledger, "3", **BY_ANN)
    with pytest.raises(ConfigError, match="rejected"):
        desk.start("3")
    desk.start("2")
    with pytest.raises(ConfigError, match="under way already"):
        desk.start("2")
    with pytest.raises(ConfigError, match="version 2 is on trial"):
        desk.start("4")
    desk.registry.delete_alias("champion")
    with pytest.raises(ConfigError, match="no champion"):
        desk.start("4")


def test_a_canary_that_a_person_started_can_be_taken_over(desk: Desk) -> None:
    releases.start_canary(desk.registry, desk.ledger, "2", **BY_ANN)
    assert rollout.under_way(desk.registry) is None
    desk.start("2")
    assert desk.state().stage == 0


def test_another_canary_ends_the_rollout(desk: Desk) -> None:
    desk.start()
    desk.move(rollout.next_stage)
    releases.start_canary(desk.registry, desk.ledger, "3", **BY_ANN)
    assert rollout.under_way(desk.registry) is None
    assert desk.on_trial() == ["r0"]


@pytest.mark.parametrize("text", ["not json", "[]", '{"version": "2"}', '{"version": "2", "stages": 3, "fleet": []}'])
def test_robots_survive_a_state_that_they_cannot_read(desk: Desk, text: str) -> None:
    desk.start()
    desk.registry.set_model_tag("rollout", text)
    assert desk.on_trial() == ["r0"]
    assert rollout.under_way(desk.registry) is None


def test_a_rollback_lists_what_each_robot_would_run(desk: Desk) -> None:
    releases.promote(desk.registry, desk.ledger, "2", **BY_ANN)
    desk.start("3")
    found = rollback_plan.plan(desk.registry, COHORT, FLEET[:2])
    champion, canary, back = (
        Acting(version=v, role=r) for v, r in (("2", "champion"), ("3", "canary"), ("1", "champion"))
    )
    assert (found.champion, found.target) == ("2", "1")
    assert [(c.robot_id, c.now, c.then, c.changes) for c in found.robots] == [
        ("r0", canary, canary, False),
        ("r1", champion, back, True),
    ]
    found = rollback_plan.plan(desk.registry, COHORT, FLEET[:1], version="3")
    assert found.robots[0].then == Acting(version="3", role="champion")
    assert desk.registry.aliases() == {"champion": "2", "previous": "1", "canary": "3"}
    with pytest.raises(WeightsRejected):
        rollback_plan.plan(desk.registry, COHORT, FLEET, version="9")
    with pytest.raises(ConfigError, match="no previous champion"):
        rollback_plan.plan(desk.registry, COHORT, FLEET, version="2")


def test_it_says_where_it_stands(desk: Desk) -> None:
    desk.start()
    assert desk.state().in_words == "version 2 at stage 1 of 3, on r0"
    desk.move(rollout.pause)
    assert desk.state().in_words.endswith("paused by ann: because")


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((), '"all" at the end'),
        (("1", "3"), '"all" at the end'),
        (("1", "x", "all"), '"all" at the end'),
        (("3", "3", "all"), "must rise"),
        (("0", "all"), "must rise"),
    ],
)
def test_stages_are_checked(stages: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RolloutConfig(stages=stages)


def test_soak_is_checked() -> None:
    with pytest.raises(ConfigError, match="negative"):
        RolloutConfig(min_soak_s=-1)


def test_the_supervisors_robots_join_those_of_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_CANARY__FLEET", "real-1,r0")
    monkeypatch.setenv("TOUCHLINE_CANARY__ROBOTS", "real-1")
    cohort = load_doors().cohort(["r0", "r1"])
    assert (cohort.robots, cohort.fleet) == (("real-1",), ("real-1", "r0", "r1"))
    monkeypatch.setenv("TOUCHLINE_CANARY__ROBOTS", "real-2")
    with pytest.raises(ConfigError, match="real-2"):
        load_doors().cohort(["r0", "r1"])
