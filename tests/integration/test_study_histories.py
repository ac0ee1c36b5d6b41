"""Cells without a policy of their own, and histories of many: critics, and promotions in a world that changes."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from infra import whole_file
from policy import checkpoint
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import Outcome
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from robots import tasks
from study import critics, episode, question_g, work
from study.cell import Cell, Finding, Kind, Order
from study.plan import MINIATURE
from study.recipes import FAST, Recipes
from study.rollout import demonstrate

_TASK = tasks.find("plug_insertion")
_NUM_SHOWN = 10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cell, Cell]:
    """(folder, base, collection): an untrained policy, and an expert's episodes in the place of its own."""
    folder = tmp_path_factory.mktemp("artefacts")
    recipes = Recipes({"task": "plug_insertion", "seed": 0}, MINIATURE, {})
    base = recipes.base()
    collection = recipes.collection(base, FAST, round=1)
    robot = _TASK.make_robot({})
    shown = list(demonstrate(_TASK, robot, range(_NUM_SHOWN)))
    episode.save(folder / base.id / work.EPISODES, shown)
    worked = [
        dataclasses.replace(one, is_demonstration=False, outcome=Outcome.SUCCESS if number % 2 else Outcome.FAILURE)
        for number, one in enumerate(shown)
    ]
    episode.save(folder / collection.id / work.EPISODES, worked)
    steps = [observation for one in shown for observation in one.observations]
    normaliser = Normaliser.fit(
        state=np.stack([o.state for o in steps]),
        tactile=np.stack([o.tactile for o in steps]),
        action=np.stack([action for one in shown for action in one.actions]),
    )
    words = Vocabulary.of({o.instruction for o in steps})
    checkpoint.save(folder / base.id / work.POLICY, Policy.create(PolicyConfig(), robot.spec, words, normaliser))
    whole_file.write_text(folder / base.id / work.GUIDANCE, '{"reference": "null", "scale": 1.0}')
    return folder, base, collection


def _order(cell: Cell, folder: Path) -> Order:
    (folder / cell.id).mkdir(exist_ok=True)
    return Order.from_json(cell.to_json())


def test_a_critic_is_measured_without_a_policy(made: tuple[Path, Cell, Cell]) -> None:
    folder, base, collection = made
    changes = {"critic": {"min_episodes": 4}, "value": {"num_updates": 3, "batch_size": 8}}
    cell = Recipes({"task": "plug_insertion", "seed": 0}, MINIATURE, {}).critic(base, collection, changes)
    assert cell.kind is Kind.CRITIC
    found = work.critic(_order(cell, folder), folder)
    assert (found["num_rollouts"], found["num_failures"]) == (10, 5)
    assert -1 <= found["ranking_low"] <= found["ranking"] <= found["ranking_high"] <= 1
    assert 0 <= found["auc_low"] <= found["auc"] <= found["auc_high"] <= 1
    assert found["calibration_error"] == pytest.approx(critics.calibration_error(found["calibration"]))
    assert set(found["lookahead"]) == {"4", "8", "16", "0"}
    assert all(-1 <= value <= 1 for value in found["lookahead"].values())


def test_too_few_episodes_give_a_reason_in_place_of_figures(made: tuple[Path, Cell, Cell]) -> None:
    folder, base, collection = made
    cell = Recipes({"task": "plug_insertion", "seed": 0}, MINIATURE, {}).critic(base, collection, {})
    found = work.critic(_order(cell, folder), folder)
    assert found["ranking"] is None
    assert found["reason"] == "10 autonomous episodes with an outcome, 40 needed"


def test_an_expert_comes_nearer_all_the_time(made: tuple[Path, Cell, Cell]) -> None:
    folder, base, _ = made
    robot = _TASK.make_robot({})
    data = episode.load([folder / base.id / work.EPISODES], robot.spec)
    to_go = critics.distance_to_go(data, robot)
    assert to_go is not None
    last = data.experience.start + data.experience.length - 1
    assert np.all(to_go[last] < 0), "inside the target's hole"
    assert np.all(to_go[data.experience.start] > 0.02)


def test_a_task_without_such_a_way_has_no_distance(tmp_path: Path) -> None:
    task = tasks.find("busybox")
    robot = task.make_robot({})
    episode.save(tmp_path / "shown.npz", list(demonstrate(task, robot, [1])))
    assert critics.distance_to_go(episode.load([tmp_path / "shown.npz"], robot.spec), robot) is None


def test_promotions_in_a_world_that_changes(made: tuple[Path, Cell, Cell]) -> None:
    folder, base, _ = made
    # Short episodes: an untrained policy uses up whatever time it has.
    recipes = Recipes({"task": "plug_insertion", "seed": 0, "options": {"max_steps": 16}}, MINIATURE, {})
    conditions, jumps = question_g.conditions(3), question_g.jumps(3)
    histories: dict[bool, Finding] = {}
    for is_gated in (True, False):
        cell = recipes.drift(base, FAST, conditions, jumps=jumps, is_gated=is_gated)
        histories[is_gated] = work.drift(_order(cell, folder), folder)
        assert not list((folder / cell.id).glob("round-*.npz")), "episodes that nobody needs any more"
    gated, every = histories[True], histories[False]
    assert [entry["round"] for entry in gated["curve"]] == [1, 2, 3]
    assert [entry["options"] for entry in gated["curve"]] == conditions
    # None of them ever succeeds: without evidence nothing is promoted, without a judge everything is.
    assert (gated["num_promoted"], gated["num_refused"]) == (0, 3)
    assert all("no convincing evidence within 4 scenes" in entry["reason"] for entry in gated["curve"])
    assert (every["num_promoted"], every["num_refused"]) == (3, 0)
    assert gated["num_episodes"] == 3 * MINIATURE.promotion_scenes
    assert [one["jump"] for one in gated["recoveries"]] == [2, 3]
