"""The exactly-once rule: ranges melt, messages at or below an offset are dropped, growth is bounded."""

import numpy as np

from storage import offsets
from storage.offsets import Ledger, SeqRanges


def test_ranges_melt_and_answer() -> None:
    ranges = SeqRanges([(5, 7), (0, 2)])
    assert 3 not in ranges
    assert ranges.take(3)
    assert not ranges.take(3)
    assert list(ranges) == [(0, 3), (5, 7)]
    assert ranges.take(4)
    assert list(ranges) == [(0, 7)]
    ranges.add(6, 20)
    assert list(ranges) == [(0, 20)]
    assert len(ranges) == 1


def test_a_message_at_or_below_the_offset_is_dropped_whole() -> None:
    ledger = Ledger({0: 4})
    assert ledger.is_taken(0, 4)
    assert not ledger.take(0, 4, ["b"], [9]).any()
    assert 9 not in ledger.delivered("b")
    assert ledger.take(0, 5, ["b"], [9]).all()
    assert ledger.offsets == {0: 5}


def test_records_sent_twice_or_late_are_dropped_alone() -> None:
    ledger = Ledger()
    np.testing.assert_array_equal(ledger.take(0, 0, ["b"] * 3, [5, 6, 5]), [True, True, False])
    np.testing.assert_array_equal(ledger.take(0, 1, ["b", "b", "c"], [4, 6, 6]), [True, False, True])


def test_a_dead_letter_moves_the_offset_alone() -> None:
    ledger = Ledger()
    assert len(ledger.take(3, 8, (), ())) == 0
    assert ledger.offsets == {3: 8}


def test_json_round_trip_keeps_offsets_ranges_and_order() -> None:
    ledger = Ledger()
    ledger.take(1, 7, ["a", "b", "a"], [0, 5, 2])
    again = Ledger.from_json(ledger.to_json(), lambda boot: SeqRanges())
    assert again.offsets == {1: 7}
    assert list(again.delivered("a")) == [(0, 0), (2, 2)]
    assert again.to_json() == ledger.to_json()


def test_forgotten_boots_are_recalled_from_the_table() -> None:
    asked = []

    def recall(boot_id: str) -> SeqRanges:
        asked.append(boot_id)
        return SeqRanges([(0, 0)])

    ledger = Ledger(recall=recall, max_boots=2)
    ledger.take(0, 0, ["a", "b", "c"], [0, 0, 0])
    assert asked == []
    ledger.forget_oldest()
    assert not ledger.take(0, 1, ["a"], [0]).any()
    assert asked == ["a"]


def test_a_ledger_too_long_for_a_commit_says_that_it_is_not_whole() -> None:
    num_ranges = offsets.MAX_RANGES_IN_COMMIT + 1
    ledger = Ledger()
    ledger.take(0, 0, ["gappy"] * num_ranges, list(range(0, 2 * num_ranges, 2)))
    ledger.take(0, 1, ["fine"], [0])
    asked = []

    def recall(boot_id: str) -> SeqRanges:
        asked.append(boot_id)
        return SeqRanges()

    again = Ledger.from_json(ledger.to_json(), recall)
    assert list(again.delivered("fine")) == [(0, 0)]
    again.delivered("gappy")
    assert asked == ["gappy"]
