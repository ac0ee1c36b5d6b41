import math

import pytest

from policy.statistics import difference_interval, wilson_interval


def test_wilson_matches_published_figures() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for successes, trials, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson_interval(successes, trials)
        assert interval.low == pytest.approx(low, abs=1e-4)
        assert interval.high == pytest.approx(high, abs=1e-4)


def test_difference_matches_published_figures() -> None:
    # Newcombe 1998, table II, method 10: 56/70 - 48/80.
    interval = difference_interval(56, 70, 48, 80)
    assert interval.low == pytest.approx(0.0524, abs=1e-4)
    assert interval.high == pytest.approx(0.3339, abs=1e-4)


def test_nothing_tried_is_said_so() -> None:
    assert math.isnan(wilson_interval(0, 0).estimate)
    assert difference_interval(0, 0, 1, 2).low == -1.0


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        wilson_interval(3, 2)
