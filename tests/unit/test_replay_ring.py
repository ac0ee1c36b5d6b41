"""The ring: contiguous episodes, the oldest overwritten, and a stamp that never lies."""

from pathlib import Path

import numpy as np
import pytest

from policy.errors import LakeError
from storage.frames import StepArrays, frame_shape
from storage.replay_ring import Ring
from tests.lake_rig import toy_spec

SPEC = toy_spec()


def arrays(number: int, length: int) -> StepArrays:
    return StepArrays(
        frames=np.full((length, *frame_shape(SPEC)), number % 256, np.uint8),
        state=np.full((length, 3), number, np.float32),
        tactile=np.zeros((length, 1), np.float32),
        executed_action=np.zeros((length, 2), np.float32),
        proposed_action=np.zeros((length, 2), np.float32),
        control_mode=np.zeros(length, np.int8),
        command_delay_ms=np.zeros(length, np.float32),
    )


def append(ring: Ring, number: int, length: int, *, is_kept: bool = False) -> None:
    ring.append(
        arrays(number, length),
        episode_id=str(number),
        kafka_offset=number,
        step_offsets={0: number},
        operator_id="",
        is_kept=is_kept,
    )


def check(ring: Ring) -> None:
    taken = np.zeros(ring.capacity, np.int64)
    for entry in ring.entries.values():
        rows = slice(entry.start, entry.start + entry.length)
        taken[rows] += 1
        assert (ring.columns.state[rows] == int(entry.episode_id)).all()
        assert (ring.columns.frames[rows] == int(entry.episode_id) % 256).all()
    assert taken.max(initial=0) <= 1


def test_random_lengths_over_many_laps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ring = Ring(tmp_path, SPEC, 64, {})
    for number in range(300):
        append(ring, number, int(rng.integers(1, 20)))
        check(ring)
        assert str(number) in ring.entries
        kept = [int(name) for name in ring.entries]
        assert kept == list(range(kept[0], number + 1))
        assert ring.floor == kept[0] - 1
    ring.release()


def test_what_is_kept_stays_over_many_laps_and_a_kill(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    ring, kept = Ring(tmp_path, SPEC, 64, {}), set()
    for number in range(300):
        length = int(rng.integers(1, 9))
        is_kept = number % 20 == 3 and ring.can_keep(length)
        if is_kept:
            kept.add(str(number))
        had_room = ring.has_room(length, is_kept=is_kept)
        before = set(ring.entries)
        append(ring, number, length, is_kept=is_kept)
        assert had_room == (before <= set(ring.entries))
        check(ring)
        assert kept <= set(ring.entries)
        others = [int(name) for name in ring.entries if name not in kept and int(name) > ring.floor]
        assert others == [one for one in range(ring.floor + 1, number + 1) if str(one) not in kept]
        if number == 150:
            ring.save_stamp()
            ring.release()
            ring = Ring(tmp_path, SPEC, 64, {})
    assert 4 <= len(kept) < 15, "half of the ring, and no more"
    assert not ring.can_keep(9)
    ring.release()


@pytest.mark.parametrize("num_written", [5, 40])
def test_a_kill_at_any_moment_leaves_a_stamp_that_is_true(tmp_path: Path, num_written: int) -> None:
    ring = Ring(tmp_path, SPEC, 64, {})
    ring.save_stamp()
    for number in range(num_written):
        append(ring, number, 7)
        if number % 9 == 4:
            ring.save_stamp()
    ring.release()  # as a kill does: no stamp, no lock
    again = Ring(tmp_path, SPEC, 64, {})
    assert again.is_reused
    assert len(again.entries) > 0
    check(again)
    for number in range(num_written, num_written + 20):
        append(again, number, 5)
        check(again)
    again.release()


def test_another_identity_starts_empty_and_the_old_one_never_comes_back(tmp_path: Path) -> None:
    ring = Ring(tmp_path, SPEC, 64, {"tables": "a"})
    append(ring, 1, 5)
    ring.save_stamp()
    ring.release()
    other = Ring(tmp_path, SPEC, 64, {"tables": "b"})
    assert not other.is_reused
    append(other, 2, 5)
    other.release()
    assert not Ring(tmp_path, SPEC, 64, {"tables": "a"}).is_reused


def test_a_damaged_stamp_is_rebuilt(tmp_path: Path) -> None:
    Ring(tmp_path, SPEC, 64, {}).release()
    (tmp_path / "ring.json").write_text("{")
    assert not Ring(tmp_path, SPEC, 64, {}).is_reused


def test_an_episode_longer_than_the_ring_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="longer than the ring"):
        append(Ring(tmp_path, SPEC, 8, {}), 0, 9)


def test_an_episode_has_room_exactly_while_none_gives_way(tmp_path: Path) -> None:
    ring = Ring(tmp_path, SPEC, 20, {})
    for number in range(40):
        length = 3 + number % 5
        before, had_room = set(ring.entries), ring.has_room(length)
        append(ring, number, length)
        assert had_room == before.issubset(ring.entries)
    ring.release()
