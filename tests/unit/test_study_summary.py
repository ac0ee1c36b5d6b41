"""From findings to tables: every number with its n, its seeds and its interval."""

import json
import math
from pathlib import Path

import pytest

from study import summary
from study.cell import Finding
from study.compare import compare, difference, over_seeds, pool, ratio_over_seeds
from study.plan import Arm
from study.question_a import QUESTION


def _finding(num_successes: int, num_episodes: int = 100, steps: float = 40.0) -> Finding:
    return {
        "num_successes": num_successes,
        "num_episodes": num_episodes,
        "success_rate": num_successes / num_episodes,
        "robot_hours": num_episodes * 50 / 20 / 3600,
        "steps_of_successes": steps if num_successes else None,
        "num_correction_steps": 7,
    }


def _arm(name: str, seed: int, help: str = "scarce") -> Arm:
    return Arm(task="plug_insertion", seed=seed, name=name, setting=(help, "fast", "same"))


def test_seeds_pool_by_their_episodes() -> None:
    pooled = pool([_finding(50, 100, 40), _finding(30, 50, 60)])
    assert (pooled.num_seeds, pooled.num_episodes) == (2, 150)
    assert pooled.success.estimate == pytest.approx(80 / 150)
    assert pooled.steps_of_successes == pytest.approx((50 * 40 + 30 * 60) / 80)
    assert pooled.throughput_per_robot_hour == pytest.approx(80 / (150 * 50 / 20 / 3600))


def test_no_success_has_no_length() -> None:
    assert math.isnan(pool([_finding(0)]).steps_of_successes)


def test_few_seeds_are_compared_over_their_episodes() -> None:
    apart = difference([_finding(90)], [_finding(60)])
    assert apart.interval.estimate == pytest.approx(0.3)
    assert apart.is_clear
    assert "1 seed" in apart.method


def test_seeds_that_disagree_are_not_clear_however_many_episodes_they_have() -> None:
    ours = [_finding(900, 1000), _finding(600, 1000), _finding(700, 1000)]
    theirs = [_finding(600, 1000), _finding(620, 1000), _finding(650, 1000)]
    apart = difference(ours, theirs)
    assert apart.interval.estimate == pytest.approx((0.3 - 0.02 + 0.05) / 3)
    assert not apart.is_clear
    assert "3 seeds" in apart.method


def test_a_difference_that_every_seed_shows_is_clear() -> None:
    apart = difference([_finding(90), _finding(88), _finding(91)], [_finding(70), _finding(69), _finding(70)])
    assert apart.is_clear
    assert apart.interval.low > 0.15


def test_seeds_must_pair() -> None:
    with pytest.raises(ValueError, match="zip"):
        difference([_finding(1)], [])


def test_other_measures_have_no_interval_from_few_seeds() -> None:
    ours, theirs = [{"ranking": 0.4}, {"ranking": 0.5}], [{"ranking": 0.3}, {"ranking": 0.3}]
    apart = difference(ours, theirs, "ranking")
    assert apart.interval.estimate == pytest.approx(0.15)
    assert not apart.is_clear
    assert apart.method == "no interval from 2 seed(s)"
    assert difference([*ours, {"ranking": 0.45}], [*theirs, {"ranking": 0.3}], "ranking").is_clear


def test_the_mean_over_seeds_is_students() -> None:
    interval = over_seeds([0.4, 0.5, 0.6])
    # t(0.975, 2 degrees) = 4.303, standard deviation 0.1.
    assert (interval.low, interval.high) == pytest.approx((0.5 - 0.2484, 0.5 + 0.2484), abs=1e-3)
    assert math.isnan(over_seeds([0.4, 0.5]).low)


def test_ratios_average_by_their_logarithms() -> None:
    assert ratio_over_seeds([0.5, 2.0]).estimate == pytest.approx(1.0)
    interval = ratio_over_seeds([0.4, 0.5, 0.6])
    assert 0 < interval.low < interval.estimate < interval.high
    assert interval.estimate == pytest.approx((0.4 * 0.5 * 0.6) ** (1 / 3))


def test_only_seeds_that_have_both_are_compared() -> None:
    findings = {_arm("recap", 0): _finding(90), _arm("hg_dagger", 0): _finding(80), _arm("recap", 1): _finding(10)}
    (comparison,) = compare(findings, "recap", "hg_dagger")
    assert comparison.seeds == (0,)
    assert comparison.difference.interval.estimate == pytest.approx(0.1)


def test_settings_are_compared_apart() -> None:
    findings = {
        _arm("recap", 0, "scarce"): _finding(90),
        _arm("hg_dagger", 0, "scarce"): _finding(80),
        _arm("recap", 0, "plenty"): _finding(70),
    }
    assert [one.setting for one in compare(findings, "recap", "hg_dagger")] == [("scarce", "fast", "same")]


def test_files_hold_what_was_measured(tmp_path: Path) -> None:
    findings = {
        Arm(task="plug_insertion", seed=0, name="base", setting=("", "", "")): _finding(50),
        _arm("recap", 0): _finding(90),
        _arm("hg_dagger", 0): _finding(80),
    }
    summary.write(tmp_path, QUESTION, findings)
    written = json.loads((tmp_path / summary.SUMMARY).read_text())
    assert written["plug_insertion"]["recap"]["success_rate"] == pytest.approx(0.9)
    assert set(written["plug_insertion"]["base"]) == {
        "success_rate",
        "success_low",
        "success_high",
        "num_episodes",
        "throughput_per_robot_hour",
    }
    text = (tmp_path / summary.RESULTS).read_text()
    assert "| plug_insertion | scarce | fast | same | recap | 0.208 | 1.792 | - | 0 |" in text
    assert "| plug_insertion | scarce | fast | same | recap | 0.900 [0.826, 0.945] | 100 | 0 |" in text
    assert "recap - hg_dagger | +0.100" in text


def test_nothing_found_yet_is_no_error(tmp_path: Path) -> None:
    summary.write(tmp_path, QUESTION, {})
    assert json.loads((tmp_path / summary.SUMMARY).read_text()) == {}
