"""What may be wrong with one task, or one body: it is said in words, and the other tasks go on."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infra.memory_registry import MemoryRegistry
from learner import critic_store
from learner.advantage import AdvantageConfig, returns, split
from learner.algorithms.recap import Recap
from learner.critic import CriticConfig
from learner.data import ArrayData
from learner.fast_gate import flaw_of_episodes
from learner.labels import Labels, Pool
from learner.mix import MixConfig, OnlineShare
from learner.process import embodiment
from learner.replay_data import is_stale
from learner.sampler import Sampler
from learner.schedule import LearnerConfig
from learner.synthetic import toy_data
from learner.task_trust import TaskTrust, trust_tasks
from learner.trial import Attempt, Pair
from learner.value import ValueConfig, fit
from learner.verdict import Choice, GateConfig, judge_pairs
from policy.errors import ConfigError

CPU = torch.device("cpu")
QUICK = ValueConfig(num_updates=5, batch_size=16, width=16, stem_channels=4, num_keypoints=2)
ANY = CriticConfig(min_ranking=-1, min_auc=0, min_episodes=10)
RECAP = Recap(critic=ANY, value=QUICK, mixing=MixConfig(scarce_autonomous_share=0.25))
LEFT, RIGHT = 0, 1


def two_tasks(**changes: Any) -> ArrayData:
    """The toy's two goals as tasks of their own."""
    data = toy_data(num_rollouts=60)
    task = np.arange(data.experience.num_episodes, dtype=np.int64) % 2
    return dataclasses.replace(
        data, tasks=("left", "right"), experience=dataclasses.replace(data.experience, task=task, **changes)
    )


def all_of_the_right_fail() -> ArrayData:
    experience = two_tasks().experience
    is_rollout = (experience.task == RIGHT) & ~experience.is_demonstration
    return two_tasks(is_success=experience.is_success & ~is_rollout, is_failure=experience.is_failure | is_rollout)


def pools(data: ArrayData, labels: Labels, task: int) -> set[int]:
    experience = data.experience
    own = experience.is_autonomous & (experience.task[experience.episode] == task)
    return set(labels.pool[own].tolist())


def trust(data: ArrayData, value: Any = None, *, is_positive: Any = None) -> TaskTrust:
    experience, config = data.experience, AdvantageConfig()
    outcome = returns(experience, split(experience, config), config)
    half = np.arange(experience.num_steps) % 2 == 0
    return trust_tasks(
        experience,
        data.tasks,
        outcome,
        np.nan_to_num(outcome.return_to_go) if value is None else value,
        half if is_positive is None else is_positive,
        experience.is_autonomous,
        ANY,
    )


def of_task(data: ArrayData, task: int) -> Any:
    return data.experience.task[data.experience.episode] == task


def test_a_task_with_one_kind_of_outcome_is_left_out_in_words() -> None:
    data = all_of_the_right_fail()
    labels = RECAP.label(data, device=CPU, seed=0)
    assert pools(data, labels, LEFT) == {Pool.AUTONOMOUS_POSITIVE, Pool.AUTONOMOUS_NEGATIVE}
    assert pools(data, labels, RIGHT) == {Pool.UNUSED}
    mix = RECAP.mix(labels)
    assert mix.autonomous_share > 0
    assert "left out of right: all 30 autonomous episodes failed" in mix.reason
    drawn = Sampler(data.experience, labels, mix, seed=0).draw(0, 64, OnlineShare(MixConfig()))
    assert set(drawn.task.tolist()) == {LEFT, RIGHT}, "the right still has its demonstrations and corrections"


def test_where_all_tasks_have_one_kind_of_outcome_people_alone_are_learned_from() -> None:
    data = toy_data(num_rollouts=30, success_rate=1.0)
    labels = RECAP.label(data, device=CPU, seed=0)
    assert labels.count(Pool.AUTONOMOUS_POSITIVE) + labels.count(Pool.AUTONOMOUS_NEGATIVE) == 0
    assert "no say: go: all 30 autonomous episodes succeeded" in RECAP.mix(labels).reason


def test_values_that_are_not_finite_in_one_task_leave_the_other_alone() -> None:
    data = two_tasks()
    value = np.where(of_task(data, RIGHT), np.nan, np.linspace(-1, 0, data.experience.num_steps))
    found = trust(data, value)
    assert found.is_trusted.tolist() == [True, False]
    assert found.left_out.startswith("right: ")
    assert "values are not finite" in found.left_out


def test_a_critic_that_is_nan_has_no_say_and_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        network, loss = fit(*args, **kwargs)
        with torch.no_grad():
            next(network.parameters()).fill_(float("nan"))
        return network, loss

    monkeypatch.setattr("learner.critic.fit", broken)
    data = two_tasks()
    labels = RECAP.label(data, device=CPU, seed=0)
    assert pools(data, labels, LEFT) == pools(data, labels, RIGHT) == {Pool.UNUSED}
    reason = RECAP.mix(labels).reason
    assert "left: " in reason
    assert "right: " in reason
    assert "values are not finite" in reason
    registry = MemoryRegistry(tmp_path)
    critic_store.offer(registry, labels, critic_version="v")
    assert registry.versions() == []


@pytest.mark.parametrize(("share", "words"), [(0, "no step is above"), (1, "every step is above")])
def test_a_threshold_that_tells_nothing_apart_leaves_its_task_out(share: int, words: str) -> None:
    data = two_tasks()
    is_positive = np.where(of_task(data, RIGHT), bool(share), np.arange(data.experience.num_steps) % 2 == 0)
    found = trust(data, is_positive=is_positive)
    assert found.is_trusted.tolist() == [True, False]
    assert found.left_out.startswith(f"right: {words}")


def test_a_task_with_few_episodes_waits_for_more() -> None:
    data = two_tasks()
    few = (np.cumsum(data.experience.task == RIGHT) > 12) & (data.experience.task == RIGHT)
    known = {"is_success": data.experience.is_success & ~few, "is_failure": data.experience.is_failure & ~few}
    found = trust(two_tasks(**known))
    assert found.is_trusted.tolist() == [True, False]
    assert found.left_out == "right: 4 autonomous episodes with an outcome, 10 needed"


def test_a_body_without_touch_is_learned_for() -> None:
    data = toy_data(num_rollouts=40)
    numb = dataclasses.replace(
        data, spec=dataclasses.replace(data.spec, tactile=()), tactile=np.zeros((len(data.state), 0), np.float32)
    )
    labels = RECAP.label(numb, device=CPU, seed=0)
    assert labels.count(Pool.AUTONOMOUS_POSITIVE) > 0
    assert np.isfinite(labels.value[numb.experience.is_autonomous]).all()


def test_an_unknown_task_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean plug_insertion"):
        embodiment(LearnerConfig(task="plug_insertoin"))


def test_a_task_that_nobody_demonstrated_does_not_disturb_the_others() -> None:
    data = two_tasks()
    experience = data.experience
    stranger = np.where(experience.is_demonstration, LEFT, experience.task)
    labels = RECAP.label(two_tasks_of(data, stranger), device=CPU, seed=0)
    assert pools(data, labels, LEFT) == {Pool.AUTONOMOUS_POSITIVE, Pool.AUTONOMOUS_NEGATIVE}


def two_tasks_of(data: ArrayData, task: Any) -> ArrayData:
    return dataclasses.replace(data, experience=dataclasses.replace(data.experience, task=task))


@pytest.mark.parametrize("num_won", [20, 60, 120])
@pytest.mark.parametrize("num_lost", [2, 4, 8])
def test_better_on_one_task_never_pays_for_worse_on_another(num_won: int, num_lost: int) -> None:
    won, lost = Attempt(is_success=True, num_steps=40), Attempt(is_success=False, num_steps=120)
    pairs = [Pair(task="left", ours=won, theirs=lost)] * num_won
    pairs += [Pair(task="right", ours=lost, theirs=won)] * num_lost + [Pair(task="right", ours=won, theirs=won)] * 4
    verdict = judge_pairs(pairs, GateConfig())
    assert verdict.choice is not Choice.PROMOTE
    assert "right" in verdict.held_by


def test_the_fast_gate_looks_at_each_task() -> None:
    ours = {
        (task, scene): Attempt(is_success=task == "left", num_steps=9)
        for task in ("left", "right")
        for scene in range(8)
    }
    theirs = {scene: Attempt(is_success=True, num_steps=9) for scene in ours}
    assert flaw_of_episodes(ours, theirs).endswith("the champion's rate is 100% in right")
    assert flaw_of_episodes(theirs, theirs) == ""


def test_episodes_of_weights_that_many_newer_ones_replaced_are_stale() -> None:
    version = np.array(["", "1", "1", "2", "3", "1", "4"], object)
    is_rollout = version != ""
    assert np.flatnonzero(is_stale(version, is_rollout, 2)).tolist() == [3, 4], "a rollback made 1 new again"
    assert not is_stale(version, is_rollout, 0).any()
    assert not is_stale(version, is_rollout, 10).any()
