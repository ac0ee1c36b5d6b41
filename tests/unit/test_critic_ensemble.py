"""Several networks a fold: their mean judges what none of them saw."""

import numpy as np
import pytest
import torch

from learner.advantage import AdvantageConfig, returns, split
from learner.critic import CriticConfig, CriticFit, fit_critic
from learner.synthetic import toy_data
from learner.value import ValueConfig, score
from policy.errors import ConfigError

_DATA = toy_data(num_rollouts=16, num_helped=2)
_VALUE = ValueConfig(num_updates=4, width=8, stem_channels=4, num_keypoints=2, batch_size=16)


def _fit(num_networks: int) -> CriticFit:
    segments = split(_DATA.experience, AdvantageConfig())
    return fit_critic(
        _DATA,
        _DATA.experience,
        segments,
        returns(_DATA.experience, segments, AdvantageConfig()),
        config=CriticConfig(num_networks=num_networks, min_episodes=2),
        value_config=_VALUE,
        device=torch.device("cpu"),
        seed=0,
    )


def test_every_value_is_the_mean_of_its_folds_networks() -> None:
    fitted = _fit(2)
    assert len(fitted.networks) == 4
    steps = np.arange(_DATA.experience.num_steps)
    scores = [score(network, _DATA, steps) for network in fitted.networks]
    folds = np.stack([np.mean(scores[:2], axis=0), np.mean(scores[2:], axis=0)])
    assert np.isclose(folds, fitted.value, atol=1e-6).any(axis=0).all()
    assert not np.allclose(scores[0], scores[1])


def test_one_network_is_the_first_of_two() -> None:
    one, two = _fit(1), _fit(2)
    ours, theirs = (next(fitted.networks[0].parameters()) for fitted in (one, two))
    torch.testing.assert_close(ours, theirs)


def test_a_fold_needs_a_network() -> None:
    with pytest.raises(ConfigError, match="num_networks"):
        CriticConfig(num_networks=0)
