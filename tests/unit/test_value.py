import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from learner.advantage import AdvantageConfig, returns, split
from learner.critic import CriticConfig, discrimination, fit_critic, measure, ranks, spearman
from learner.synthetic import toy_data
from learner.value import ValueConfig, fit, score, smoothed_bins
from policy.errors import ConfigError

CPU = torch.device("cpu")
SMALL = ValueConfig(num_updates=150, batch_size=32, width=16, stem_channels=4, num_keypoints=2, learning_rate=1e-2)


def test_smoothed_bins_keep_the_return_as_their_expectation() -> None:
    values = torch.tensor([-0.9, -0.5, -0.1234])
    target = smoothed_bins(values, 201, 4.0)
    assert torch.allclose(target.sum(dim=1), torch.ones(3))
    assert torch.allclose(target @ torch.linspace(-1, 0, 201), values, atol=1e-4)
    at_the_ends = smoothed_bins(torch.tensor([-1.0, 0.0]), 201, 4.0) @ torch.linspace(-1, 0, 201)
    assert torch.allclose(at_the_ends, torch.tensor([-1.0, 0.0]), atol=0.02)


def test_fit_lowers_the_error_and_repeats_exactly() -> None:
    data = toy_data()
    config = AdvantageConfig()
    target = returns(data.experience, split(data.experience, config), config).return_to_go
    steps = np.arange(data.experience.num_steps)
    network, loss = fit(data, steps, target, SMALL, device=CPU, seed=3)
    values = score(network, data, steps)
    assert np.isfinite(loss)
    assert ((values >= -1) & (values <= 0)).all()
    assert np.abs(values - target).mean() < np.abs(target - target.mean()).mean()
    again, loss_again = fit(data, steps, target, SMALL, device=CPU, seed=3)
    assert loss_again == loss
    assert np.array_equal(score(again, data, steps), values)


def test_critic_values_every_episode_without_having_seen_it() -> None:
    data = toy_data(num_rollouts=60)
    config = AdvantageConfig()
    segments = split(data.experience, config)
    target = returns(data.experience, segments, config)
    result = fit_critic(
        data,
        data.experience,
        segments,
        target,
        config=CriticConfig(min_episodes=20),
        value_config=SMALL,
        device=CPU,
        seed=0,
    )
    assert np.isfinite(result.value).all()
    assert len(result.networks) == 2
    assert result.report.ranking > 0.25
    assert result.report.auc > 0.7
    assert result.report.is_trusted
    assert sum(count for _, _, count in result.report.calibration) == int(data.experience.is_autonomous.sum())


def test_a_critic_without_episodes_has_no_say() -> None:
    data = toy_data(num_rollouts=4)
    config = AdvantageConfig()
    segments = split(data.experience, config)
    target = returns(data.experience, segments, config)
    result = fit_critic(
        data,
        data.experience,
        segments,
        target,
        config=CriticConfig(),
        value_config=SMALL,
        device=CPU,
        seed=0,
    )
    assert not result.report.is_trusted
    assert "4 autonomous episodes" in result.report.reason


def test_a_critic_that_ranks_at_random_has_no_say() -> None:
    data = toy_data(num_rollouts=60)
    config = AdvantageConfig()
    target = returns(data.experience, split(data.experience, config), config)
    noise = np.random.default_rng(0).uniform(-1, 0, data.experience.num_steps)
    report = measure(data.experience, target, noise, 0.0, CriticConfig())
    assert not report.is_trusted
    assert "below" in report.reason


def test_ranks_are_scipys() -> None:
    drawn = np.random.default_rng(0).integers(9, size=50).astype(np.float64)
    assert ranks(drawn).tolist() == rankdata(drawn).tolist()
    assert ranks(drawn[:0]).tolist() == []


def test_ranking_measures() -> None:
    assert spearman(np.array([1.0, 2, 3]), np.array([1.0, 4, 9])) == pytest.approx(1)
    assert np.isnan(spearman(np.array([1.0, 1]), np.array([0.0, 1])))
    assert discrimination(np.array([0.9, 0.1, 0.5]), np.array([True, False, False])) == pytest.approx(1)
    assert discrimination(np.array([0.5, 0.5]), np.array([True, False])) == pytest.approx(0.5)
    assert np.isnan(discrimination(np.array([0.5]), np.array([True])))


def test_sizes_are_checked() -> None:
    with pytest.raises(ConfigError, match="num_bins"):
        ValueConfig(num_bins=1)
    with pytest.raises(ConfigError, match="num_folds"):
        CriticConfig(num_folds=1)
