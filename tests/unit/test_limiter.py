"""SamplesPerStep: never more draws than allowed, and settings that would wait for ever are refused."""

import pytest

from policy.errors import ConfigError
from storage.limiter import LimiterConfig, SamplesPerStep


def test_sampling_waits_for_steps() -> None:
    limiter = SamplesPerStep(LimiterConfig(samples_per_step=2.0, min_steps=10, ahead_samples=0), batch_size=8)
    limiter.add_steps(9)
    assert limiter.num_allowed == 0
    limiter.add_steps(1)
    assert limiter.num_allowed == 20
    may_sample = []
    for _ in range(3):
        may_sample.append(limiter.may_sample)
        limiter.add_samples(8 * limiter.may_sample)
    assert may_sample == [True, True, False]
    limiter.add_steps(2)
    assert limiter.may_sample
    assert limiter.samples_per_step == pytest.approx(16 / 12)


def test_being_behind_is_no_debt() -> None:
    limiter = SamplesPerStep(LimiterConfig(samples_per_step=1.0, min_steps=1, ahead_samples=0), batch_size=1)
    limiter.add_steps(5)
    limiter.add_samples(9)
    assert limiter.num_allowed == 0


@pytest.mark.parametrize(
    ("ratio", "min_steps", "ahead", "batch_size", "named"),
    [
        (0.0, 1, 10, 1, "samples_per_step"),
        (1.0, 0, 10, 1, "min_steps"),
        (1.0, 1, 10, 0, "batch"),
        (1.0, 10, 0, 64, "ahead_samples"),
    ],
)
def test_settings_that_wait_for_ever_are_refused(
    ratio: float, min_steps: int, ahead: int, batch_size: int, named: str
) -> None:
    config = LimiterConfig(samples_per_step=ratio, min_steps=min_steps, ahead_samples=ahead)
    with pytest.raises(ConfigError, match=named):
        SamplesPerStep(config, batch_size)
