"""Which judgement of an episode counts."""

import itertools

from policy.outcome import Judgement, latest


def test_the_robots_own_judgement_counts_until_somebody_labels() -> None:
    assert latest("success", []) == "success"


def test_the_latest_label_wins_whatever_order_it_arrives_in() -> None:
    labels = [
        Judgement(time_ns=20, offset=0, outcome="failure"),
        Judgement(time_ns=10, offset=1, outcome="timed_out"),
        Judgement(time_ns=20, offset=2, outcome="success"),
    ]
    for order in itertools.permutations(labels):
        assert latest("unlabelled", order) == "success", "of one instant, the one that was stored later"
