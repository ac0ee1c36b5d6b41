"""The verdict's numbers, by hand."""

import json
import math
from typing import Any

import pytest

from learner.sequential import log_e_value, num_more_needed
from learner.trial import Attempt, Pair
from learner.verdict import GateConfig
from learner.verdict_record import verdict_record
from policy.statistics import difference_interval, wilson_interval

WON, LOST = Attempt(is_success=True, num_steps=40), Attempt(is_success=False, num_steps=120)
QUICK = Attempt(is_success=True, num_steps=20)


def pairs(ours: str, theirs: str, task: str = "plug") -> list[Pair]:
    attempts = {"s": WON, "q": QUICK, "f": LOST}
    return [Pair(task=task, ours=attempts[a], theirs=attempts[b]) for a, b in zip(ours, theirs, strict=True)]


def test_counts_rates_and_intervals_per_task() -> None:
    record = verdict_record(pairs("sssf", "sfff") + pairs("s" * 20, "s" * 20, "latch"), GateConfig())
    tasks: Any = record["tasks"]
    plug, latch = tasks
    ours, theirs, gap = wilson_interval(3, 4), wilson_interval(1, 4), difference_interval(3, 4, 1, 4)
    assert plug == {
        "task": "plug",
        "candidate": {"n": 4, "k": 3, "low": ours.low, "high": ours.high},
        "champion": {"n": 4, "k": 1, "low": theirs.low, "high": theirs.high},
        "difference": 0.5,
        "low": gap.low,
        "high": gap.high,
    }
    assert (latch["task"], latch["difference"]) == ("latch", 0.0)
    assert (record["num_pairs"], record["min_pairs"], record["max_pairs"]) == (24, 16, 200)


def test_it_is_json_from_the_first_pair_on() -> None:
    for found in ([], pairs("s", "f")):
        record = json.loads(json.dumps(verdict_record(found, GateConfig()), allow_nan=False))
        assert record["word"] == "not_enough_yet"
        assert record["e_values"]["needed"] == pytest.approx(math.log(20))


def test_the_forecast_of_wins_alone() -> None:
    # The mean over the bets of (1 + b)^n is about (2^(n+1) - 1) / (n + 1): 18 at six wins, 32 at seven.
    assert [num_more_needed([1.0] * n, 0.05) for n in (1, 3, 6, 7, 9)] == [6, 4, 1, 0, 0]
    assert log_e_value([1.0] * 6) < math.log(20) <= log_e_value([1.0] * 7)


def test_no_forecast_where_the_gap_is_zero_or_reversed() -> None:
    assert num_more_needed([], 0.05) is None
    assert num_more_needed([0.0] * 20, 0.05) is None
    assert num_more_needed([1.0, -1.0] * 10, 0.05) is None
    assert num_more_needed([-1.0] * 20, 0.05) is None


def test_a_smaller_gap_takes_more() -> None:
    wide, narrow = [1.0, 0.0] * 3, [1.0, 0.0, 0.0, 0.0, -1.0, 1.0]
    first, second = num_more_needed(wide, 0.05), num_more_needed(narrow, 0.05)
    assert first is not None
    assert second is not None
    assert 0 < first < second
    assert log_e_value(wide + [1.0, 0.0] * first) >= math.log(20)


def test_how_many_more_are_never_fewer_than_the_least() -> None:
    assert verdict_record(pairs("s" * 10, "f" * 10), GateConfig())["num_more_needed"] == 6
    assert verdict_record(pairs("s" * 30, "f" * 30), GateConfig())["num_more_needed"] == 0


def test_a_quicker_candidate_without_a_gap_in_success_has_a_forecast() -> None:
    config = GateConfig()
    record = verdict_record(pairs("q" * 40, "s" * 40), config)
    # Nothing to wait for but the proof that success is not lower: log(1 + b * margin) a pair.
    assert record["num_more_needed"] == num_more_needed([0.0] * 40, config.alpha / 2, config.success_margin)
    assert isinstance(record["num_more_needed"], int)
    assert 0 < record["num_more_needed"] < 100
    assert verdict_record(pairs("s" * 40, "s" * 40), config)["num_more_needed"] is None


def test_only_pairs_up_to_the_cap_count() -> None:
    record = verdict_record(pairs("s" * 30, "f" * 30), GateConfig(max_pairs=20))
    assert record["num_pairs"] == 20
