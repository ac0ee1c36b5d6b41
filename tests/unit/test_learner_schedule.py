"""How long a round trains."""

import pytest

from learner.schedule import LearnerConfig
from policy.errors import ConfigError


@pytest.mark.parametrize(
    ("round", "num_steps", "expected"), [(0, 10_000, 50), (1, 10_000, 80), (1, 100, 25), (1, 0, 1)]
)
def test_little_data_gets_fewer_updates(round: int, num_steps: int, expected: int) -> None:
    config = LearnerConfig(base_updates=50, round_updates=80, max_samples_per_step=4.0)
    assert config.num_updates(round, num_steps=num_steps, batch_size=16) == expected


def test_a_round_that_could_draw_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_samples_per_step"):
        LearnerConfig(max_samples_per_step=0.0)
