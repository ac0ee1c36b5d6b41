"""Each scene exactly once, over restarts; candidates slice by slice, paired with the champion."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from actor.candidates import CandidateWork, GateEvaluationConfig, next_version
from actor.collection import collection_scene
from actor.proposer import ExpertProposer
from actor.scene_ledger import SceneLedger
from actor.scene_list import SceneList, first_scenes
from actor.work import CUT_REASON, Assignment, Work
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.registry import PolicyVersion
from infra.releases import CHAMPION, STATUS_TAG
from policy.errors import ConfigError, WeightsRejected
from policy.schema import Episode, Float32, SceneSplit, Source
from tests.actor_rig import TinyRobot, wait_for
from tests.unit.test_recorder import episode

ROBOT = TinyRobot()


class Still:
    """An expert that does nothing."""

    def act(self, privileged: object) -> Float32:
        return ROBOT.position


def assign(scene: int, robot: Any) -> Assignment:
    return Assignment(scene_seed=scene, source=Source.EVALUATION, proposer=ExpertProposer(robot, Still()))


def ended(scene: int, **fields: Any) -> Episode:
    return dataclasses.replace(episode(0), scene_seed=scene, **fields)


def scene_of(work: Work) -> int | None:
    assignment = work.next_episode("r-0", ROBOT)
    return None if assignment is None else assignment.scene_seed


def test_each_scene_is_handed_out_once(tmp_path: Path) -> None:
    work = SceneList("1/gate", range(3), assign, SceneLedger(tmp_path / "scenes.jsonl"))
    assert [scene_of(work) for _ in range(4)] == [0, 1, 2, None]
    was_done = work.is_done
    for scene in range(3):
        work.ended(ended(scene, outcome="success" if scene else "failure"))
    assert (was_done, work.is_done) == (False, True)
    assert work.summary() == "1/gate: 2 of 3 scenes succeeded, 66.7% [20.8%, 93.9%], median 1 steps"


def test_a_process_that_comes_back_runs_what_remains(tmp_path: Path) -> None:
    path = tmp_path / "scenes.jsonl"
    first = SceneList("1/gate", range(4), assign, SceneLedger(path))
    for _ in range(3):
        scene_of(first)
    first.ended(ended(0))
    first.ended(ended(1, outcome_reason=CUT_REASON))
    with path.open("a") as file:
        file.write('{"series": "1/gate", "sce')
    again = SceneList("1/gate", range(4), assign, SceneLedger(path))
    assert [scene_of(again) for _ in range(4)] == [1, 2, 3, None]
    again.ended(ended(1))
    third = SceneList("1/gate", range(4), assign, SceneLedger(path))
    assert [scene_of(third) for _ in range(3)] == [2, 3, None]


def test_another_series_is_another_list(tmp_path: Path) -> None:
    ledger = SceneLedger(tmp_path / "scenes.jsonl")
    SceneList("1/gate", range(1), assign, ledger).ended(ended(0))
    assert scene_of(SceneList("2/gate", range(1), assign, ledger)) == 0


def test_the_first_scenes_of_a_split_are_the_same_for_everybody() -> None:
    assert first_scenes(SceneSplit.GATE, 3) == range(1_000_000, 1_000_003)
    assert first_scenes(SceneSplit.DEMONSTRATE, 2, skip=1_000) == range(3_001_000, 3_001_002)


def test_collection_scenes_stay_in_their_split_and_differ_over_robots_boots_and_episodes() -> None:
    scenes = {collection_scene(r, b, n) for r in ("a", "b") for b in ("x", "y") for n in range(50)}
    assert len(scenes) == 200
    assert scenes <= set(SceneSplit.COLLECT.value)
    assert collection_scene("a", "x", 0) == collection_scene("a", "x", 0)


@pytest.mark.parametrize(
    ("handed", "expected"),
    [
        ({"1": 0, "2": 0}, "2"),  # the challenger before the champion
        ({"1": 0, "2": 5}, "1"),
        ({"1": 5, "2": 5, "3": 5}, "2"),
        ({"1": 10, "2": 10}, None),
        ({"1": 3, "2": 10}, "1"),
        ({}, None),
    ],
)
def test_whose_slice_is_next(handed: dict[str, int], expected: str | None) -> None:
    assert next_version(handed, champion="1", num_scenes=10) == expected


class Trials:
    """A registry with versions on trial, and the work that watches it; looked at by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "registry").mkdir(exist_ok=True)
        self.registry = MemoryRegistry(path / "registry")
        self.bad: set[str] = set()
        self.work = self.another()

    def another(self) -> CandidateWork:
        def load(directory: Path, version: PolicyVersion) -> Any:
            if version.version in self.bad:
                raise WeightsRejected("not finite", version=version.version)
            return type("Policy", (), {"version": version})()

        def give(policy: Any, scene: int) -> Assignment:
            return dataclasses.replace(assign(scene, ROBOT), policy_version=policy.version.version)

        return CandidateWork(
            self.registry,
            self.path / "weights",
            load,
            give,
            SceneLedger(self.path / "scenes.jsonl"),
            GateEvaluationConfig(num_scenes=4, slice_scenes=2),
            Metrics(),
        )

    def publish(self, status: str) -> str:
        checkpoint = self.path / "checkpoint"
        checkpoint.mkdir(exist_ok=True)
        (checkpoint / "weights").write_text("w")
        return self.registry.publish(checkpoint, tags={"spec_id": "s", STATUS_TAG: status}).version

    def run(self, work: CandidateWork | None = None) -> list[tuple[str, int]]:
        """Everything that can be handed out, as (version, number of the scene)."""
        work, done = work or self.work, []
        work.look()
        while (assignment := work.next_episode("r-0", ROBOT)) is not None:
            done.append((assignment.policy_version, assignment.scene_seed - 1_000_000))
            work.ended(ended(assignment.scene_seed, policy_version=assignment.policy_version))
            work.look()
        return done


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    trials = Trials(tmp_path)
    trials.registry.set_alias(CHAMPION, trials.publish(CHAMPION))
    return trials


def test_candidate_and_champion_run_the_same_scenes_in_turns(trials: Trials) -> None:
    trials.publish("candidate")
    assert trials.run() == [("2", 0), ("2", 1), ("1", 0), ("1", 1), ("2", 2), ("2", 3), ("1", 2), ("1", 3)]
    assert trials.run() == []


def test_a_later_candidate_meets_a_champion_that_has_its_scenes(trials: Trials) -> None:
    trials.publish("candidate")
    trials.run()
    trials.registry.set_tag("2", STATUS_TAG, "rejected")
    trials.publish("canary")
    assert trials.run() == [("3", scene) for scene in range(4)]


def test_a_decision_stops_the_slice(trials: Trials) -> None:
    trials.publish("candidate")
    trials.work.look()
    trials.work.next_episode("r-0", ROBOT)
    trials.registry.set_tag("2", STATUS_TAG, "rejected")
    trials.work.look()
    assignment = trials.work.next_episode("r-0", ROBOT)
    assert assignment is not None
    assert assignment.policy_version == "1"


def test_an_evaluator_that_comes_back_resumes(trials: Trials) -> None:
    trials.publish("candidate")
    trials.work.look()
    assignment = trials.work.next_episode("r-0", ROBOT)
    assert assignment is not None
    trials.work.ended(ended(assignment.scene_seed, policy_version="2"))
    done = trials.run(trials.another())
    assert sorted(done) == [("1", 0), ("1", 1), ("1", 2), ("1", 3), ("2", 1), ("2", 2), ("2", 3)]


def test_weights_that_must_not_act_are_not_evaluated(trials: Trials) -> None:
    trials.bad.add(trials.publish("candidate"))
    assert [version for version, _ in trials.run()] == ["1"] * 4


def test_a_registry_that_is_away_is_waited_for(trials: Trials) -> None:
    trials.registry.is_available = False
    trials.work.start()
    assert trials.work.next_episode("r-0", ROBOT) is None
    trials.registry.is_available = True
    wait_for(lambda: trials.work.next_episode("r-0", ROBOT))
    trials.work.close()


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError):
        GateEvaluationConfig(num_scenes=0)
    with pytest.raises(ConfigError):
        GateEvaluationConfig(num_scenes=2_000_000)
