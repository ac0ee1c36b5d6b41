import pytest

from learner.trial import Attempt, Pair, paired
from learner.verdict import Choice, GateConfig, Word, judge_pairs, worse_task
from policy.errors import ConfigError

WON, LOST = Attempt(is_success=True, num_steps=40), Attempt(is_success=False, num_steps=120)


def pairs(ours: str, theirs: str, task: str = "plug") -> list[Pair]:
    """One letter a scene: s(uccess), q(uick success), f(ailure)."""
    attempts = {"s": WON, "q": Attempt(is_success=True, num_steps=20), "f": LOST}
    return [Pair(task=task, ours=attempts[a], theirs=attempts[b]) for a, b in zip(ours, theirs, strict=True)]


def test_waits_for_the_least_number_of_scenes() -> None:
    verdict = judge_pairs(pairs("s" * 10, "f" * 10), GateConfig())
    assert verdict.choice is Choice.WAIT
    assert verdict.reason.startswith("10 of at least 16")


def test_a_better_candidate_wins_by_success() -> None:
    verdict = judge_pairs(pairs("s" * 30, "sf" * 15), GateConfig())
    assert verdict.choice is Choice.PROMOTE
    assert "more success" in verdict.reason
    assert "30 against 15 successes on 30 paired scenes, 15 won and 0 lost" in verdict.reason
    assert verdict.evidence["log_e_better"] > verdict.evidence["log_e_worse"]  # type: ignore[operator]


def test_an_equal_candidate_is_rejected_at_the_cap() -> None:
    config = GateConfig(max_pairs=100)
    assert judge_pairs(pairs("s" * 99, "s" * 99), config).choice is Choice.WAIT
    verdict = judge_pairs(pairs("s" * 100, "s" * 100), config)
    assert verdict.choice is Choice.REJECT
    assert "within 100 scenes" in verdict.reason


def test_a_worse_candidate_is_rejected_early() -> None:
    verdict = judge_pairs(pairs("f" * 16, "s" * 16), GateConfig())
    assert verdict.choice is Choice.REJECT
    assert "worse than the champion in plug" in verdict.reason


def test_a_quicker_candidate_wins_at_equal_success() -> None:
    verdict = judge_pairs(pairs("q" * 120, "s" * 120), GateConfig())
    assert verdict.choice is Choice.PROMOTE
    assert "quicker" in verdict.reason


def test_quicker_does_not_win_where_success_suffers() -> None:
    verdict = judge_pairs(pairs("q" * 110 + "f" * 10, "s" * 120), GateConfig())
    assert verdict.choice is not Choice.PROMOTE


def test_a_regression_in_one_task_holds_promotion_back() -> None:
    good = pairs("s" * 40, "sf" * 20, task="easy")
    bad = pairs("f" * 3 + "s" * 9, "s" * 12, task="hard")
    assert judge_pairs(good + bad, GateConfig(alpha=0.1)).choice is Choice.WAIT
    verdict = judge_pairs(good + bad, GateConfig(max_pairs=52))
    assert verdict.choice is Choice.REJECT
    assert "regression in hard" in verdict.reason


def test_a_collapse_in_one_task_rejects() -> None:
    good = pairs("s" * 40, "sf" * 20, task="easy")
    verdict = judge_pairs(good + pairs("f" * 14, "s" * 14, task="hard"), GateConfig())
    assert verdict.choice is Choice.REJECT
    assert "worse than the champion in hard" in verdict.reason


def test_pairs_stop_at_a_gap_until_it_is_old() -> None:
    ours = {("plug", scene): WON for scene in range(100) if scene != 7}
    theirs = {("plug", scene): LOST for scene in range(20)}
    assert len(paired(ours, theirs)) == 7
    theirs = {("plug", scene): LOST for scene in range(100)}
    assert len(paired(ours, theirs)) == 99


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="min_pairs"):
        GateConfig(min_pairs=300)
    with pytest.raises(ConfigError, match="alpha"):
        GateConfig(alpha=0)


@pytest.mark.parametrize(
    ("ours", "theirs", "word", "held_by"),
    [
        ("s" * 10, "f" * 10, Word.NOT_ENOUGH_YET, "10 of at least 16 paired scenes"),
        ("s" * 30, "sf" * 15, Word.BETTER, ""),
        ("s" * 120, "s" * 120, Word.NOT_WORSE, ""),
        ("s" * 20, "s" * 20, Word.NOT_ENOUGH_YET, ""),
        ("f" * 16, "s" * 16, Word.WORSE, "worse than the champion in plug"),
        ("f" * 3 + "s" * 17, "s" * 20, Word.NOT_ENOUGH_YET, "a regression in plug"),
    ],
)
def test_its_word_and_what_speaks_against_more_robots(ours: str, theirs: str, word: Word, held_by: str) -> None:
    verdict = judge_pairs(pairs(ours, theirs), GateConfig())
    assert (verdict.word, verdict.held_by) == (word, held_by)


def test_a_smaller_chance_of_error_takes_more_pairs() -> None:
    lost = pairs("f" * 6, "s" * 6)
    assert worse_task(lost, 0.1) == "plug"
    assert worse_task(lost, 0.01) == ""
