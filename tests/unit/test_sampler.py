import dataclasses

import numpy as np
import pytest
import torch

from learner.algorithms.filtered_bc import FilteredBc
from learner.algorithms.hg_dagger import HgDagger
from learner.algorithms.recap import Recap
from learner.critic import CriticConfig
from learner.labels import Pool, without_critic
from learner.mix import Mix, MixConfig, OnlineShare, choose
from learner.sampler import Sampler
from learner.synthetic import toy_data
from learner.value import ValueConfig
from policy.errors import ConfigError

FIXED = MixConfig(is_adaptive=False)
HALF = Mix(autonomous_share=0.5, negative_share=0.25, reason="")


def test_same_seed_and_update_draw_the_same_steps() -> None:
    data = toy_data()
    labels = FilteredBc().label(data, device=torch.device("cpu"), seed=0)
    first = Sampler(data.experience, labels, HALF, seed=5)
    second = Sampler(data.experience, labels, HALF, seed=5)
    online = OnlineShare(FIXED)
    assert np.array_equal(first.draw(7, 64, online).steps, second.draw(7, 64, online).steps)
    assert not np.array_equal(first.draw(7, 64, online).steps, first.draw(8, 64, online).steps)
    assert not np.array_equal(
        first.draw(7, 64, online).steps, Sampler(data.experience, labels, HALF, seed=6).draw(7, 64, online).steps
    )


def test_batches_follow_the_mix() -> None:
    data = toy_data(num_rollouts=40)
    pool = FilteredBc().label(data, device=torch.device("cpu"), seed=0).pool.copy()
    pool[(pool == Pool.UNUSED) & data.experience.is_autonomous] = Pool.AUTONOMOUS_NEGATIVE
    draw = Sampler(data.experience, without_critic(pool), HALF, seed=0).draw(0, 40_000, OnlineShare(FIXED))
    shares = np.bincount(pool[draw.steps], minlength=5) / len(draw.steps)
    assert shares == pytest.approx([0, 0.25, 0.25, 0.375, 0.125], abs=0.01)
    assert draw.is_online.mean() == pytest.approx(0.75, abs=0.01)


def test_goals_have_a_share_of_their_own_and_their_actions_are_no_targets() -> None:
    data = toy_data(num_rollouts=40)
    labels = HgDagger().label(data, device=torch.device("cpu"), seed=0)
    goal = data.experience.is_autonomous & data.goals.is_known
    labels = dataclasses.replace(labels, is_goal=goal)
    mix = Mix(autonomous_share=0.0, negative_share=0.0, reason="", goal_share=0.25)
    draw = Sampler(data.experience, labels, mix, seed=0).draw(0, 40_000, OnlineShare(FIXED))
    assert (~draw.is_imitated).mean() == pytest.approx(0.25, abs=0.01)
    assert goal[draw.steps[~draw.is_imitated]].all()
    assert (labels.pool[draw.steps[draw.is_imitated]] != Pool.UNUSED).all()
    assert not draw.is_online[~draw.is_imitated].any()
    shares = np.bincount(labels.pool[draw.steps[draw.is_imitated]], minlength=3) / draw.is_imitated.sum()
    assert shares == pytest.approx([0, 0.5, 0.5], abs=0.01), "people's samples are as without goals"


def test_without_goals_their_share_goes_to_what_is_imitated() -> None:
    data = toy_data(num_rollouts=0)
    labels = HgDagger().label(data, device=torch.device("cpu"), seed=0)
    mix = Mix(autonomous_share=0.0, negative_share=0.0, reason="", goal_share=0.25)
    assert Sampler(data.experience, labels, mix, seed=0).draw(0, 256, OnlineShare(FIXED)).is_imitated.all()


def test_with_plentiful_help_recap_draws_hg_daggers_batches() -> None:
    data = toy_data(num_rollouts=40)
    plentiful = MixConfig(plentiful_corrections=1)
    recap = Recap(mixing=plentiful, critic=CriticConfig(min_ranking=-1, min_auc=0), value=ValueConfig(num_updates=2))
    people = HgDagger(mixing=plentiful)
    drawn = []
    for algorithm in (recap, people):
        labels = algorithm.label(data, device=torch.device("cpu"), seed=0)
        drawn.append(Sampler(data.experience, labels, algorithm.mix(labels), seed=0))
        assert labels.is_goal.any() == (algorithm is recap), "there would be goals to learn"
    for update in range(20):
        ours, theirs = (sampler.draw(update, 64, OnlineShare(FIXED)).steps for sampler in drawn)
        assert np.array_equal(ours, theirs)


def test_a_mix_may_say_how_much_corrections_are_in_place_of_sops_rule() -> None:
    data = toy_data(num_rollouts=40)
    labels = HgDagger().label(data, device=torch.device("cpu"), seed=0)
    shares = []
    for share in (None, 0.1):
        mix = dataclasses.replace(HALF, autonomous_share=0.0, online_share=share)
        draw = Sampler(data.experience, labels, mix, seed=0).draw(0, 40_000, OnlineShare(FIXED))
        shares.append(draw.is_online.mean())
    assert shares == pytest.approx([0.5, 0.1], abs=0.01)


def test_tasks_weigh_the_same_whatever_their_size() -> None:
    data = toy_data(num_demonstrations=9, num_rollouts=0, num_helped=0)
    experience = dataclasses.replace(data.experience, task=np.array([0] * 8 + [3]))
    labels = FilteredBc().label(dataclasses.replace(data, experience=experience), device=torch.device("cpu"), seed=0)
    draw = Sampler(experience, labels, HALF, seed=0).draw(0, 20_000, OnlineShare(FIXED))
    assert (draw.task == 3).mean() == pytest.approx(0.5, abs=0.02)
    assert not draw.is_online.any()


def test_long_stuck_episodes_weigh_no_more_than_short_ones() -> None:
    data = toy_data(num_demonstrations=0, num_helped=0, num_rollouts=30)
    pool = np.full(data.experience.num_steps, Pool.AUTONOMOUS_NEGATIVE, np.int8)
    draw = Sampler(data.experience, without_critic(pool), HALF, seed=0).draw(0, 60_000, OnlineShare(FIXED))
    per_episode = np.bincount(data.experience.episode[draw.steps]) / 60_000
    assert per_episode == pytest.approx(1 / 30, abs=0.005)


def test_nothing_to_learn_from_is_said() -> None:
    data = toy_data()
    with pytest.raises(ConfigError, match="nothing to learn from"):
        Sampler(data.experience, without_critic(np.zeros(data.experience.num_steps, np.int8)), HALF, seed=0)


def test_choice_reads_the_data() -> None:
    config = MixConfig(scarce_autonomous_share=0.25)
    plenty = choose(config, num_corrections=2000, num_positive=400, num_negative=600)
    scarce = choose(config, num_corrections=50, num_positive=400, num_negative=600)
    assert plenty.autonomous_share == 0
    assert plenty.reason.startswith("corrections lead: 2000")
    assert scarce.autonomous_share == pytest.approx(0.95 * config.scarce_autonomous_share)
    assert scarce.reason.startswith("autonomous steps weigh more: 50")
    assert scarce.negative_share == 0.5
    alone = choose(config, num_corrections=50, num_positive=0, num_negative=0, why_not_autonomous=": why")
    assert alone.autonomous_share == 0
    assert alone.reason.endswith("no autonomous steps: why")
    default = choose(MixConfig(), num_corrections=50, num_positive=400, num_negative=600, why_not_autonomous=": why")
    assert default.autonomous_share == 0
    assert default.reason == "50 correction steps and demonstrations are imitated; no autonomous steps"


def test_adaptive_share_follows_the_losses_within_its_clip() -> None:
    online = OnlineShare(MixConfig(window_updates=3))
    assert online.share(0) == 0.5
    for _ in range(3):
        online.observe(0, is_online=True, loss=0.4)
        online.observe(0, is_online=False, loss=0.4)
    expected = np.exp(0.6) / (np.exp(0.6) + np.exp(0.4))
    assert online.share(0) == pytest.approx(expected)
    assert online.share(1) == 0.5
    for _ in range(3):
        online.observe(0, is_online=True, loss=1000.0)
    assert online.share(0) == 0.8
    for _ in range(3):
        online.observe(0, is_online=True, loss=0.0)
        online.observe(0, is_online=False, loss=1000.0)
    assert online.share(0) == 0.2
    again = OnlineShare(MixConfig(window_updates=3))
    again.restore(online.to_dict())
    assert again.share(0) == online.share(0)
    assert again.to_dict() == online.to_dict()


def test_shares_are_checked() -> None:
    with pytest.raises(ConfigError, match="min_online_share"):
        MixConfig(online_share=0.9)
    with pytest.raises(ConfigError, match="max_negative_share"):
        MixConfig(max_negative_share=1.5)
    with pytest.raises(ConfigError, match="plentiful_corrections"):
        MixConfig(plentiful_corrections=0)
