import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.advantage import AdvantageConfig, advantages, indicators, returns, split
from learner.experience import Experience

MODES = st.sampled_from(["autonomous", "correction", "held"])


@st.composite
def experiences(draw: st.DrawFn) -> Experience:
    episodes = draw(st.lists(st.lists(MODES, min_size=1, max_size=30), min_size=1, max_size=12))
    num = len(episodes)
    outcome = np.array(draw(st.lists(st.sampled_from([0, 1, 2]), min_size=num, max_size=num)))
    task = np.array(draw(st.lists(st.integers(0, 2), min_size=num, max_size=num)))
    length = np.array([len(modes) for modes in episodes])
    mode = np.array([m for modes in episodes for m in modes])
    return Experience(
        start=np.concatenate([[0], np.cumsum(length)[:-1]]),
        length=length,
        is_success=outcome == 1,
        is_failure=outcome == 2,
        task=task,
        is_demonstration=np.zeros(num, np.bool_),
        is_held_out=np.zeros(num, np.bool_),
        is_correction=mode == "correction",
        is_held=mode == "held",
        row=np.arange(len(mode)),
    )


CONFIGS = st.builds(
    AdvantageConfig,
    lookahead_steps=st.integers(0, 12),
    failure_cost_steps=st.sampled_from([0.0, 5.0, 300.0]),
    splits_at_takeover=st.booleans(),
    positive_share=st.floats(0.05, 0.95),
    positive_in_failures=st.booleans(),
)


@given(experiences(), CONFIGS)
def test_returns_are_the_sum_of_rewards_to_the_segments_end(experience: Experience, config: AdvantageConfig) -> None:
    segments = split(experience, config)
    result = returns(experience, segments, config)
    for start, length, labelled in zip(segments.start, segments.length, segments.is_labelled, strict=True):
        span = slice(start, start + length)
        expected = np.cumsum(result.reward[span][::-1])[::-1]
        assert np.allclose(result.return_to_go[span], expected, atol=1e-12, equal_nan=True)
        assert labelled != np.isnan(result.return_to_go[span]).any()


@given(experiences(), CONFIGS)
def test_returns_stay_in_bounds(experience: Experience, config: AdvantageConfig) -> None:
    values = returns(experience, split(experience, config), config).return_to_go
    known = values[np.isfinite(values)]
    assert ((known >= -1) & (known <= 0)).all()


@given(experiences(), CONFIGS, st.integers(0, 2**32 - 1))
def test_advantage_recursion_equals_its_definition(experience: Experience, config: AdvantageConfig, seed: int) -> None:
    segments = split(experience, config)
    result = returns(experience, segments, config)
    value = np.random.default_rng(seed).uniform(-1, 0, experience.num_steps)
    got = advantages(result, segments, value, config)
    for start, length in zip(segments.start, segments.length, strict=True):
        end = start + length
        for now in range(start, end):
            ahead = min(now + config.lookahead_steps, end) if config.lookahead_steps else end
            expected = result.reward[now:ahead].sum() + (value[ahead] if ahead < end else 0.0) - value[now]
            assert np.isclose(got[now], expected, atol=1e-9, equal_nan=True)


@given(experiences(), CONFIGS)
def test_segments_partition_the_steps_and_start_at_takeovers(experience: Experience, config: AdvantageConfig) -> None:
    segments = split(experience, config)
    assert segments.length.sum() == experience.num_steps
    assert set(experience.start) <= set(segments.start)
    assert (experience.episode[segments.start] == segments.episode).all()
    inner = np.setdiff1d(segments.start, experience.start)
    assert experience.is_correction[inner].all()
    if not config.splits_at_takeover:
        assert len(inner) == 0


@given(experiences(), CONFIGS, st.integers(0, 2**32 - 1))
def test_positive_share_is_the_one_asked_for(experience: Experience, config: AdvantageConfig, seed: int) -> None:
    segments = split(experience, config)
    advantage = np.random.default_rng(seed).permutation(experience.num_steps).astype(np.float64)
    is_positive, is_judged = indicators(experience, segments, advantage, config)
    assert not (is_positive & ~is_judged).any()
    assert not is_judged[experience.is_correction | experience.is_held].any()
    task = experience.task[experience.episode]
    for code in range(3):
        num_judged = int((is_judged & (task == code)).sum())
        num_positive = int((is_positive & (task == code)).sum())
        shares = (config.positive_share, config.easy_positive_share)
        if config.positive_in_failures:
            assert min(abs(num_positive - share * num_judged) for share in shares) <= 1
        else:
            assert num_positive <= max(shares) * num_judged + 1
