"""Of a spool whose bytes were altered in the middle everything else arrives; what is damaged is counted as given up,
named in the log and kept aside."""

import logging
from pathlib import Path

import numpy as np
import pytest

from actor.journal import DAMAGED_SUFFIX, ENTRY_SUFFIX, JOURNAL_FILE, read_counts
from actor.outbox import Outbox
from actor.spool import Spool
from infra.bus import Bus
from infra.metrics import Metrics
from infra.topics import STEPS
from tests.actor_process import received
from tests.actor_rig import step, wait_for

NUM_ENTRIES = 5
STEPS_PER_ENTRY = 10
DEADLINE_S = 60.0


def fill(directory: Path) -> None:
    """What a robot leaves whose broker was away."""
    spool = Spool(directory, max_bytes=1 << 30)
    for first in range(0, NUM_ENTRIES * STEPS_PER_ENTRY, STEPS_PER_ENTRY):
        spool.add(STEPS, [step(seq) for seq in range(first, first + STEPS_PER_ENTRY)], is_precious=False)
    spool.close()


def flip(path: Path, position: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x55
    path.write_bytes(content)
    return bytes(content)


def send_all(directory: Path, bus: Bus) -> None:
    """As the next start of the process does."""
    spool = Spool(directory, max_bytes=1 << 30)
    outbox = Outbox(
        spool, lambda: bus.producer("actor"), in_flight_bytes=1 << 20, stuck_after_s=DEADLINE_S, metrics=Metrics()
    )

    def is_empty() -> bool:
        outbox.send({})
        outbox.settle()
        return not spool.num_entries

    wait_for(is_empty, DEADLINE_S)
    outbox.close()
    spool.close()


def kept_aside(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{DAMAGED_SUFFIX}"))


@pytest.mark.parametrize("position", [40, -40, None], ids=["header", "end", "a float"])
def test_an_altered_entry_costs_its_own_records_alone(
    kafka_bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture, position: int | None
) -> None:
    fill(tmp_path / "actor")
    middle = sorted((tmp_path / "actor").glob(f"*{ENTRY_SUFFIX}"))[2]
    if position is None:  # an action that nobody executed would decode, and be believed
        position = middle.read_bytes().index(np.zeros(2, np.float32).tobytes() + np.zeros(2, np.float32).tobytes())
    altered = flip(middle, position)
    with caplog.at_level(logging.ERROR):
        send_all(tmp_path / "actor", kafka_bus)
    lost = set(range(2 * STEPS_PER_ENTRY, 3 * STEPS_PER_ENTRY))
    assert [one.seq for one in received(kafka_bus, STEPS)] == [
        seq for seq in range(NUM_ENTRIES * STEPS_PER_ENTRY) if seq not in lost
    ]
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_dropped, counts.num_waiting) == (50, len(lost), 0)
    (kept,) = kept_aside(tmp_path / "actor")
    assert kept.read_bytes() == altered
    assert str(kept) in {getattr(record, "file", "") for record in caplog.records}


def test_an_altered_line_of_the_journal_costs_its_own_entry_alone(
    kafka_bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "actor")
    journal = tmp_path / "actor" / JOURNAL_FILE
    lines = journal.read_bytes().splitlines(keepends=True)
    entry = next(number for number, line in enumerate(lines) if b'"index":2' in line)
    flip(journal, sum(map(len, lines[:entry])) + 1)
    with caplog.at_level(logging.ERROR):
        send_all(tmp_path / "actor", kafka_bus)
    assert len(received(kafka_bus, STEPS)) == (NUM_ENTRIES - 1) * STEPS_PER_ENTRY
    kept = kept_aside(tmp_path / "actor")
    assert len(kept) == 2  # the journal as it was, and the entry that no line names any more
    assert any("journal" in record.message for record in caplog.records)
    (counts,) = read_counts(tmp_path)
    assert counts.num_delivered == (NUM_ENTRIES - 1) * STEPS_PER_ENTRY
