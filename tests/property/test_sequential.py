import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.sequential import is_convincing, log_e_value

DIFFERENCES = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=40)


@given(DIFFERENCES, st.floats(0, 0.5))
def test_evidence_is_finite_and_order_does_not_matter(differences: list[float], margin: float) -> None:
    value = log_e_value(differences, margin)
    assert math.isfinite(value)
    assert value == pytest.approx(log_e_value(sorted(differences), margin))


@given(DIFFERENCES, st.floats(0, 0.5))
def test_a_win_adds_evidence_and_a_loss_takes_it(differences: list[float], margin: float) -> None:
    value = log_e_value(differences, margin)
    assert log_e_value([*differences, 1.0], margin) > value
    assert log_e_value([*differences, -1.0], margin) < value


@given(st.floats(0.0, 0.9), st.floats(0.0, 0.4), st.integers(1, 5))
def test_expected_evidence_without_a_difference_is_at_most_one(
    discordant: float, margin: float, num_pairs: int
) -> None:
    # At the boundary of the null the mean difference is -margin: more losses than wins by that much.
    win = max(0.0, (discordant - margin) / 2)
    loss = min(1.0 - win, win + margin)
    chances = {1.0: win, -1.0: loss, 0.0: 1 - win - loss}
    expected = sum(
        math.prod(chances[d] for d in run) * math.exp(log_e_value(run, margin))
        for run in itertools.product(chances, repeat=num_pairs)
    )
    assert expected <= 1 + 1e-9


def test_ties_say_nothing_about_success_and_much_about_not_being_worse() -> None:
    assert log_e_value([0.0] * 100) == pytest.approx(0)
    assert is_convincing(log_e_value([0.0] * 150, 0.05), 0.05)
    assert not is_convincing(log_e_value([0.0] * 20, 0.05), 0.05)
