"""Promotions while the world changes: what a history's figures say."""

from typing import Any

import pytest

from policy.errors import ConfigError
from study.history import compared, recovery, summary
from study.promotions import PromotionConfig


def _success(won: int) -> dict[str, Any]:
    hours = {"robot_hours": 0.1, "steps_of_successes": 40.0, "throughput_per_robot_hour": won / 0.1}
    return {"num_successes": won, "num_episodes": 100, "success_rate": won / 100, **hours, "failed_scenes": [1]}


def _entry(won: int, start: int = 50, *, is_promoted: bool = True) -> dict[str, Any]:
    counts = {"robot_minutes": 5.0, "num_correction_steps": 10, "is_promoted": is_promoted}
    return {**counts, **compared(_success(won), _success(start))}


def test_a_jump_is_over_when_success_is_back() -> None:
    curve = [_entry(won) for won in (80, 90, 60, 80, 88, 70)]
    assert recovery(curve, 3) == {"jump": 3, "before": 0.9, "num_rounds": 3, "robot_minutes": 15.0}


def test_a_jump_that_is_never_made_good_says_so() -> None:
    assert recovery([_entry(won) for won in (90, 60, 80)], 2)["num_rounds"] is None


def test_rounds_below_the_start_are_counted_and_clear_ones_apart() -> None:
    found = summary([_entry(80), _entry(48), _entry(20, is_promoted=False)])
    assert (found["num_promoted"], found["num_refused"]) == (2, 1)
    assert (found["num_below_start"], found["num_clearly_below_start"]) == (2, 1)
    assert found["num_episodes"] == 300
    assert found["success_rate"] == pytest.approx(148 / 300)
    assert found["start_success_rate"] == pytest.approx(0.5)


def test_scenes_are_not_kept_in_every_round() -> None:
    assert "failed_scenes" not in _entry(80)


@pytest.mark.parametrize("field", ["num_episodes", "num_updates", "num_scenes", "num_rounds_kept"])
def test_a_round_needs_some_of_everything(field: str) -> None:
    fields = {"num_episodes": 1, "num_updates": 1, "num_scenes": 1, field: 0}
    with pytest.raises(ConfigError, match=field):
        PromotionConfig(**fields)  # type: ignore[arg-type]


def test_a_jump_needs_a_round_before_it() -> None:
    with pytest.raises(ConfigError, match="jump"):
        PromotionConfig(num_episodes=1, num_updates=1, num_scenes=1, jumps=(1,))
