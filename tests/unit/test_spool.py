"""The spool: bounded, what is worth most goes last, nothing is forgotten by a kill."""

from pathlib import Path

import pytest

from actor.journal import JOURNAL_FILE, Counts, entry_name, read_counts
from actor.spool import Spool
from infra.topics import STEPS
from policy.errors import ConfigError
from tests.actor_rig import step

STREAM = ("steps", "r-0", "boot")
PLENTY = 1 << 30


def add(spool: Spool, first: int, count: int = 2, *, is_precious: bool = False) -> None:
    spool.add(STEPS, [step(seq) for seq in range(first, first + count)], is_precious=is_precious)


def seqs(spool: Spool) -> list[int]:
    return [record.seq for entry in spool.unsent() for record in spool.records(entry)]


def abandon(spool: Spool) -> None:
    """What SIGKILL leaves: the lock is gone, nothing was closed."""
    import os

    os.close(spool._lock)


def entry_bytes(directory: Path) -> int:
    spool = Spool(directory / "measure", PLENTY)
    add(spool, 0)
    num_bytes = spool.num_bytes
    spool.close()
    return num_bytes


def test_what_a_killed_process_left_is_sent_by_the_next_with_the_same_numbers(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    for first in (0, 2, 4):
        add(spool, first)
    spool.deliver(next(spool.unsent()))
    abandon(spool)
    again = Spool(tmp_path / "a", PLENTY)
    assert seqs(again) == [2, 3, 4, 5]
    assert (again.recorded(STREAM), again.delivered(STREAM), again.dropped(STREAM)) == (6, 2, 0)
    again.close()


def test_the_oldest_autonomous_steps_go_first_and_corrections_last(tmp_path: Path) -> None:
    size = entry_bytes(tmp_path)
    spool = Spool(tmp_path / "a", 3 * size + size // 2)
    add(spool, 0, is_precious=True)
    for first in (2, 4):
        add(spool, first)
    add(spool, 6, is_precious=True)
    assert seqs(spool) == [0, 1, 4, 5, 6, 7]
    add(spool, 8, is_precious=True)
    assert seqs(spool) == [0, 1, 6, 7, 8, 9]
    add(spool, 10)  # itself the oldest autonomous one
    assert seqs(spool) == [0, 1, 6, 7, 8, 9]
    add(spool, 12, is_precious=True)
    assert seqs(spool) == [6, 7, 8, 9, 12, 13]
    assert (spool.recorded(STREAM), spool.dropped(STREAM), spool.delivered(STREAM)) == (14, 8, 0)
    spool.close()


def test_what_is_with_the_broker_is_not_given_up(tmp_path: Path) -> None:
    size = entry_bytes(tmp_path)
    spool = Spool(tmp_path / "a", 2 * size + size // 2)
    add(spool, 0)
    first = next(spool.unsent())
    spool.hold(first)
    for number in (2, 4):
        add(spool, number)
    assert seqs(spool) == [4, 5]
    spool.fail(first.index)
    assert seqs(spool) == [0, 1, 4, 5]
    spool.close()


def test_every_drop_is_told_with_its_worth(tmp_path: Path) -> None:
    told: list[tuple[int, bool]] = []
    spool = Spool(tmp_path / "a", 1, lambda counts, is_precious: told.append((sum(counts.values()), is_precious)))
    add(spool, 0)
    add(spool, 2, 3, is_precious=True)
    spool.lose({STREAM: 4}, is_precious=False)
    assert told == [(2, False), (3, True), (4, False)]
    spool.close()


def test_counts_add_up_after_every_kind_of_event_and_a_kill(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    for first in (0, 2, 4):
        add(spool, first)
    one, other, _ = spool.unsent()
    spool.deliver(one)
    spool.drop(other)
    spool.lose({STREAM: 3}, is_precious=False)
    expected = Counts(topic="steps", robot_id="r-0", boot_id="boot", num_recorded=9, num_dropped=5, num_waiting=2)
    assert read_counts(tmp_path) == [expected]
    assert expected.num_delivered == 2
    abandon(spool)
    assert read_counts(tmp_path) == [expected]
    again = Spool(tmp_path / "a", PLENTY)
    assert read_counts(tmp_path) == [expected]
    again.close()
    assert read_counts(tmp_path) == [expected]


def test_a_file_without_a_line_was_never_recorded(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    add(spool, 0)
    (tmp_path / "a" / entry_name(77)).write_bytes(b"half a file")
    abandon(spool)
    again = Spool(tmp_path / "a", PLENTY)
    assert seqs(again) == [0, 1]
    assert not (tmp_path / "a" / entry_name(77)).exists()
    again.close()


def test_a_line_that_was_cut_short_never_happened(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    add(spool, 0)
    abandon(spool)
    with (tmp_path / "a" / JOURNAL_FILE).open("a") as journal:
        journal.write('{"op":"drop","en')
    again = Spool(tmp_path / "a", PLENTY)
    add(again, 2)
    assert seqs(again) == [0, 1, 2, 3]
    assert again.recorded(STREAM) == 4
    again.close()


def test_entries_are_never_taken_for_older_ones_of_the_same_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    add(spool, 0)
    spool.deliver(next(spool.unsent()))
    abandon(spool)
    again = Spool(tmp_path / "a", PLENTY)
    add(again, 2)
    abandon(again)
    last = Spool(tmp_path / "a", PLENTY)
    assert seqs(last) == [2, 3]
    assert (last.recorded(STREAM), last.delivered(STREAM)) == (4, 2)
    last.close()


def test_a_disk_that_cannot_be_written_is_a_counted_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "a", PLENTY)

    def refuse(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", refuse)
        add(spool, 0)
    add(spool, 2)
    assert seqs(spool) == [2, 3]
    assert (spool.recorded(STREAM), spool.dropped(STREAM)) == (4, 2)
    spool.close()


def test_two_processes_do_not_share_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a", PLENTY)
    with pytest.raises(ConfigError, match="--name"):
        Spool(tmp_path / "a", PLENTY)
    spool.close()
    Spool(tmp_path / "a", PLENTY).close()


def test_a_long_journal_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actor.journal._COMPACT_AFTER_LINES", 5)
    spool = Spool(tmp_path / "a", PLENTY)
    for number in range(20):
        add(spool, 2 * number)
        spool.deliver(next(spool.unsent()))
    assert len((tmp_path / "a" / JOURNAL_FILE).read_text().splitlines()) < 10
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_delivered) == (40, 40)
    spool.close()
