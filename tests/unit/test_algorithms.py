import dataclasses

import numpy as np
import pytest
import torch

from learner import algorithms
from learner.advantage import AdvantageConfig
from learner.algorithms.filtered_bc import FilteredBc
from learner.algorithms.hg_dagger import HgDagger
from learner.algorithms.recap import ConditionConfig, Recap
from learner.algorithms.recap_random import RecapRandom
from learner.critic import CriticConfig
from learner.labels import Pool
from learner.mix import MixConfig
from learner.synthetic import toy_data
from learner.value import ValueConfig
from policy.batch import Indicator
from policy.errors import ConfigError
from policy.flow import Guidance, Reference

CPU = torch.device("cpu")
QUICK = ValueConfig(num_updates=5, batch_size=16, width=16, stem_channels=4, num_keypoints=2)
ANY = CriticConfig(min_ranking=-1, min_auc=0, min_episodes=10)
NEVER = dataclasses.replace(ANY, min_ranking=0.999)


def test_every_name_makes_its_algorithm() -> None:
    settings = {
        "advantage": AdvantageConfig(),
        "critic": CriticConfig(),
        "value": ValueConfig(),
        "mixing": MixConfig(),
        "condition": ConditionConfig(),
    }
    for name in algorithms.NAMES:
        assert algorithms.create(name, **settings).name == name  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="recap, hg_dagger"):
        algorithms.create("recpa", **settings)  # type: ignore[arg-type]


def test_recap_labels_autonomous_steps_once_its_critic_passes() -> None:
    data = toy_data()
    labels = Recap(critic=ANY, value=QUICK).label(data, device=CPU, seed=0)
    autonomous = data.experience.is_autonomous
    assert labels.report is not None
    assert labels.report.is_trusted
    assert (labels.pool[autonomous] != Pool.UNUSED).all()
    assert (labels.pool[data.experience.is_correction] == Pool.CORRECTION).all()
    assert (labels.indicator[labels.pool == Pool.AUTONOMOUS_NEGATIVE] == Indicator.NEGATIVE).all()
    assert (labels.indicator[~autonomous] == Indicator.POSITIVE).all()


def test_recap_rests_on_people_while_its_critic_fails() -> None:
    data = toy_data()
    recap = Recap(critic=NEVER, value=QUICK)
    labels = recap.label(data, device=CPU, seed=0)
    assert (labels.pool[data.experience.is_autonomous] == Pool.UNUSED).all()
    mix = recap.mix(labels)
    assert mix.autonomous_share == 0
    assert "the critic has no say" in mix.reason
    assert recap.guidance(labels) == Guidance()


def test_guidance_needs_a_negative_condition_and_fades_as_help_becomes_plentiful() -> None:
    labels = Recap(critic=ANY, value=QUICK).label(toy_data(), device=CPU, seed=0)
    half = MixConfig(scarce_autonomous_share=0.25, plentiful_corrections=2 * labels.count(Pool.CORRECTION))
    asked = ConditionConfig(guidance_scale=2.0)
    assert Recap(mixing=half, condition=asked).guidance(labels) == Guidance(reference=Reference.NEGATIVE, scale=1.5)
    plentiful = dataclasses.replace(half, plentiful_corrections=1)
    assert Recap(mixing=plentiful, condition=asked).guidance(labels) == Guidance()
    nothing_imitated = dataclasses.replace(half, scarce_autonomous_share=0.0)
    assert Recap(mixing=nothing_imitated, condition=asked).guidance(labels) == Guidance()


def test_recap_learns_where_its_own_successes_led_and_imitates_none_of_them() -> None:
    data = toy_data()
    recap = Recap(critic=NEVER, value=QUICK, mixing=MixConfig(plentiful_corrections=1_000_000))
    labels = recap.label(data, device=CPU, seed=0)
    experience = data.experience
    expected = experience.is_autonomous & experience.is_success[experience.episode]
    # Up to a takeover the policy's part has failed, whatever the person made of the rest.
    expected &= ~experience.is_helped[experience.episode]
    assert expected.any()
    assert np.array_equal(labels.is_goal, expected)
    mix = recap.mix(labels)
    assert mix.autonomous_share == 0
    assert f"25% of a batch learn where {expected.sum()} autonomous steps led" in mix.reason
    plenty = dataclasses.replace(recap, mixing=MixConfig(plentiful_corrections=1)).mix(labels)
    assert plenty.goal_share == 0
    assert mix.online_share == recap.mixing.scarce_online_share
    assert "corrections are 10% of people's samples, good ones being few" in mix.reason
    assert plenty.online_share is None, "SOP's rule"
    assert "being few" not in plenty.reason
    assert "learn where" not in plenty.reason
    assert not HgDagger().label(data, device=CPU, seed=0).is_goal.any()


def test_many_corrections_of_people_who_seldom_help_are_no_better_than_few() -> None:
    recap = Recap(critic=NEVER, value=QUICK, mixing=MixConfig(plentiful_corrections=10))
    labels = recap.label(toy_data(), device=CPU, seed=0)
    assert recap.mix(labels).online_share is None, "SOP's rule"
    (corrections,) = np.nonzero(labels.pool == Pool.CORRECTION)
    labels.pool[corrections[12:]] = Pool.UNHELPFUL
    mix = recap.mix(labels)
    assert mix.online_share == recap.mixing.scarce_online_share
    helpful_share = 12 / len(corrections)
    assert mix.goal_share == pytest.approx((1 - 12 * helpful_share / 10) * recap.mixing.goal_share)
    assert f"{len(corrections) - 12} correction steps more did not help" in mix.reason


def test_the_control_keeps_the_share_and_loses_the_information() -> None:
    data = toy_data()
    real = Recap(critic=ANY, value=QUICK).label(data, device=CPU, seed=0)
    control = RecapRandom(critic=ANY, value=QUICK).label(data, device=CPU, seed=0)
    for pool in Pool:
        assert real.count(pool) == control.count(pool)
    assert (real.pool != control.pool).any()
    assert real.is_goal.sum() == control.is_goal.sum()
    assert real.is_goal[data.experience.is_autonomous].any()
    goals = control.is_goal
    assert not data.experience.is_success[data.experience.episode[goals]].all(), "failures led somewhere too"
    assert data.experience.is_autonomous[goals].all()
    assert np.array_equal(real.advantage, control.advantage)


def test_imitation_baselines() -> None:
    data = toy_data()
    people = HgDagger().label(data, device=CPU, seed=0)
    assert {int(p) for p in np.unique(people.pool)} == {Pool.UNUSED, Pool.DEMONSTRATION, Pool.CORRECTION}
    filtered = FilteredBc().label(data, device=CPU, seed=0)
    used = filtered.pool == Pool.AUTONOMOUS_POSITIVE
    episode = data.experience.episode
    assert used.any()
    assert data.experience.is_success[episode[used]].all()
    helped = np.unique(episode[data.experience.is_correction])
    assert not used[np.isin(episode, helped)].any()
    assert filtered.count(Pool.AUTONOMOUS_NEGATIVE) == 0
    for algorithm, labels in ((HgDagger(), people), (FilteredBc(), filtered)):
        assert algorithm.guidance(labels) == Guidance()
        assert algorithm.mix(labels).reason
        assert algorithm.mix(labels).online_share is None, "SOP's rule"
