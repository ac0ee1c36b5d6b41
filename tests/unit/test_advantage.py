import numpy as np
import pytest

from learner.advantage import AdvantageConfig, advantages, indicators, returns, split, takeovers
from learner.experience import Experience
from policy.errors import ConfigError, SchemaError


def experience(
    modes: list[str], successes: list[bool], *, demonstration: bool = False, num_tasks: int = 1
) -> Experience:
    """One letter a step: a(utonomous), c(orrection), h(eld)."""
    length = np.array([len(m) for m in modes])
    mode = np.array(list("".join(modes)))
    success = np.array(successes)
    return Experience(
        start=np.concatenate([[0], np.cumsum(length)[:-1]]),
        length=length,
        is_success=success,
        is_failure=~success,
        task=np.arange(len(modes)) % num_tasks,
        is_demonstration=np.full(len(modes), demonstration),
        is_held_out=np.zeros(len(modes), np.bool_),
        is_correction=mode == "c",
        is_held=mode == "h",
        row=np.arange(len(mode)),
    )


def test_returns_of_a_success_and_of_a_failure() -> None:
    both = experience(["aaaa", "aa"], [True, False])
    config = AdvantageConfig()
    result = returns(both, split(both, config), config)
    # Longest episode 4, so C_fail 4 and the divisor 8.
    assert result.return_to_go * 8 == pytest.approx([-3, -2, -1, 0, -5, -4])
    assert result.reward * 8 == pytest.approx([-1, -1, -1, 0, -1, -4])


def test_split_gives_the_prefix_the_failed_return_and_the_suffix_its_own() -> None:
    helped = experience(["aahccaa"], [True])
    config = AdvantageConfig(failure_cost_steps=10)
    result = returns(helped, split(helped, config), config)
    assert result.return_to_go * 17 == pytest.approx([-12, -11, -10, -3, -2, -1, 0])
    whole = AdvantageConfig(failure_cost_steps=10, splits_at_takeover=False)
    assert returns(helped, split(helped, whole), whole).return_to_go[0] * 17 == pytest.approx(-6)


def test_a_pause_inside_an_intervention_is_no_second_takeover() -> None:
    steps = experience(["ahchcac", "ccaac", "hhc"], [True, True, True])
    assert np.flatnonzero(takeovers(steps)).tolist() == [2, 6, 11]


def test_window_to_the_end_is_return_minus_value() -> None:
    steps = experience(["aaa"], [True])
    config = AdvantageConfig(lookahead_steps=0)
    segments = split(steps, config)
    result = returns(steps, segments, config)
    value = np.array([-0.5, -0.3, -0.1])
    assert advantages(result, segments, value, config) == pytest.approx(result.return_to_go - value)


def test_positive_steps_lie_in_successes_unless_allowed() -> None:
    steps = experience(["aaaa", "aaaa"], [True, False])
    advantage = np.array([0.0, 1, 2, 3, 4, 5, 6, 7])
    config = AdvantageConfig(positive_share=0.75)
    positive, judged = indicators(steps, split(steps, config), advantage, config)
    assert judged.all()
    assert positive.tolist() == [False, False, True, True, False, False, False, False]
    everywhere = AdvantageConfig(positive_share=0.75, positive_in_failures=True)
    positive, _ = indicators(steps, split(steps, everywhere), advantage, everywhere)
    assert positive.sum() == 6


def test_an_easy_task_labels_fewer_steps_positive() -> None:
    steps = experience(["aaaaaaaaaa"] * 2, [True, False], num_tasks=2)
    advantage = np.arange(20, dtype=np.float64)
    config = AdvantageConfig(positive_in_failures=True)
    positive, _ = indicators(steps, split(steps, config), advantage, config)
    assert positive[:10].sum() == 1
    assert positive[10:].sum() == 4


def test_demonstrations_are_not_judged() -> None:
    steps = experience(["aaaa"], [True], demonstration=True)
    config = AdvantageConfig()
    _, judged = indicators(steps, split(steps, config), np.arange(4.0), config)
    assert not judged.any()


def test_shares_and_counts_are_checked() -> None:
    with pytest.raises(ConfigError, match="positive_share"):
        AdvantageConfig(positive_share=1.0)
    with pytest.raises(ConfigError, match="lookahead_steps"):
        AdvantageConfig(lookahead_steps=-1)
    with pytest.raises(SchemaError, match="one after the other"):
        Experience(
            start=np.array([1]),
            length=np.array([2]),
            is_success=np.array([True]),
            is_failure=np.array([False]),
            task=np.array([0]),
            is_demonstration=np.array([False]),
            is_held_out=np.zeros(1, np.bool_),
            is_correction=np.zeros(2, np.bool_),
            is_held=np.zeros(2, np.bool_),
            row=np.arange(2),
        )
