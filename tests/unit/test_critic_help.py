import math

import numpy as np
import pytest

from learner.critic_help import (
    AlarmQuality,
    DropCalibration,
    DropConfig,
    DropWatch,
    HelpRules,
    WatchedEpisode,
    alarm_quality,
    largest_fall,
    reason,
)
from policy.errors import ConfigError
from policy.statistics import conformal_quantile


def test_the_fall_is_measured_from_the_highest_point_within_the_window() -> None:
    watch = DropWatch(window_steps=10)
    falls = [watch.add(step, -0.2 if step < 10 else -0.6) for step in range(30)]
    assert falls[:12] == [0.0] * 12
    assert falls[12] == pytest.approx(0.4)
    assert falls[21] == pytest.approx(0.4)
    assert falls[22] == 0.0


def test_one_odd_value_is_no_fall() -> None:
    watch = DropWatch(window_steps=60)
    assert all(watch.add(step, -0.9 if step == 20 else -0.2) == 0.0 for step in range(40))


def test_a_restart_forgets_what_was_before() -> None:
    watch = DropWatch(window_steps=60)
    for step in range(10):
        watch.add(step, -0.1)
    watch.restart()
    assert all(watch.add(step, -0.9) == 0.0 for step in range(10, 20))


def test_the_largest_fall_of_an_episode_needs_no_unbroken_steps() -> None:
    values = {step: -0.1 if step < 30 else -0.5 for step in range(0, 60, 2)}
    assert largest_fall(values, window_steps=20) == pytest.approx(0.4)
    assert largest_fall({}, window_steps=20) == 0.0


def test_the_conformal_quantile_needs_enough_scores() -> None:
    assert conformal_quantile([0.1] * 18, 0.95) == math.inf
    assert conformal_quantile([*[0.1] * 18, 0.3], 0.95) == 0.3
    assert conformal_quantile(list(range(99)), 0.9) == 89


def test_the_conformal_quantile_keeps_its_promise() -> None:
    rng = np.random.default_rng(0)
    exceeded = [
        new > conformal_quantile(list(known), 0.9)
        for known, new in zip(rng.exponential(size=(2000, 30)), rng.exponential(size=2000), strict=True)
    ]
    assert 0.05 < np.mean(exceeded) < 0.12


def test_nothing_is_unusual_until_enough_is_known_of_the_task() -> None:
    calibration = DropCalibration(DropConfig(min_episodes=20))
    for number in range(20):
        assert calibration.threshold("plug") == math.inf
        calibration.add("plug", number / 100)
    assert calibration.threshold("plug") == pytest.approx(0.19)
    assert calibration.threshold("other") == math.inf
    calibration.clear()
    assert calibration.threshold("plug") == math.inf


def test_noise_asks_for_nobody_where_successes_never_fall() -> None:
    calibration = DropCalibration(DropConfig(min_episodes=20, min_fall=0.05))
    for _ in range(20):
        calibration.add("plug", 0.0)
    assert calibration.threshold("plug") == 0.05


def test_one_request_an_episode_and_some_quiet_for_each_robot() -> None:
    rules = HelpRules(DropConfig(quiet_s=20))
    assert rules.may_ask("r1", "e1", 100.0)
    assert not rules.may_ask("r1", "e1", 200.0)
    assert rules.may_ask("r1", "e2", 200.0)
    assert not rules.may_ask("r1", "e3", 219.0)
    assert rules.may_ask("r1", "e3", 220.0)
    assert rules.may_ask("r2", "e4", 100.0)


def test_requests_are_counted_right_false_and_missed() -> None:
    episodes = [
        WatchedEpisode(episode_id="failed", is_success=False, is_helped=False),
        WatchedEpisode(episode_id="rescued", is_success=True, is_helped=True),
        WatchedEpisode(episode_id="fine", is_success=True, is_helped=False),
        WatchedEpisode(episode_id="unnoticed", is_success=False, is_helped=False),
        WatchedEpisode(episode_id="seen by a person first", is_success=False, is_helped=True),
        WatchedEpisode(episode_id="quiet", is_success=True, is_helped=False),
    ]
    quality = alarm_quality({"failed", "rescued", "fine", "still running"}, episodes)
    assert quality == AlarmQuality(num_right=2, num_false_alarms=1, num_missed=1)
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.recall == pytest.approx(2 / 3)
    nothing = alarm_quality(set(), [])
    assert math.isnan(nothing.precision)
    assert math.isnan(nothing.recall)


def test_the_reason_is_in_words() -> None:
    assert reason(0.4234, 3.0) == "value fell 0.42 in 3 s"


@pytest.mark.parametrize(
    "fields",
    [
        {"coverage": 1.0},
        {"window_s": 0.0},
        {"min_fall": 1.5},
        {"min_scored_share": -0.1},
        {"min_episodes": 0},
        {"min_episodes": 30, "max_episodes": 20},
    ],
)
def test_settings_are_checked(fields: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        DropConfig(**fields)  # type: ignore[arg-type]
