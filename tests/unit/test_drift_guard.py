"""The fast gate's bounds on the error over held-out demonstrations: against the champion, and against the base."""

import math

import pytest

from learner.fast_gate import FastGateConfig, flaw_of_losses
from policy.errors import ConfigError

_CONFIG = FastGateConfig(max_error_ratio=2.0, max_drift_ratio=3.0)


def _flaw(ours: float, champion: float, base: float) -> str:
    return flaw_of_losses(ours, champion=champion, base=base, config=_CONFIG)


def test_a_little_worse_passes() -> None:
    assert _flaw(0.19, champion=0.1, base=0.1) == ""


def test_much_worse_than_the_champion_does_not() -> None:
    assert "the champion's 0.1000, 2 times it at most" in _flaw(0.21, champion=0.1, base=0.1)


def test_small_steps_add_up_against_the_base() -> None:
    assert "the base's 0.1000, 3 times it at most" in _flaw(0.31, champion=0.2, base=0.1)


@pytest.mark.parametrize(("champion", "base"), [(math.nan, math.nan), (0.5, math.nan), (math.nan, 0.5)])
def test_what_is_not_known_is_no_bound(champion: float, base: float) -> None:
    assert _flaw(0.9, champion=champion, base=base) == ""


def test_an_error_that_is_no_number_is_a_flaw() -> None:
    assert "nan" in _flaw(math.nan, champion=0.1, base=0.1)


def test_a_bound_below_one_would_refuse_everything() -> None:
    with pytest.raises(ConfigError, match="max_drift_ratio"):
        FastGateConfig(max_drift_ratio=0.5)
