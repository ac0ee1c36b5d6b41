"""Ten minutes without a broker fill the spool: corrections stay, the oldest autonomous steps go, each is counted."""

import functools
from pathlib import Path

from actor.journal import read_counts
from actor.recorder import Recorder, RecorderConfig
from infra import wire
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.topics import STEPS
from tests.actor_rig import step, wait_for

AWAY_S, RATE_HZ, CORRECTED = 600, 2, range(100, 140)
"""Robot time, which the test does not wait for; the steps in which a person drove."""
SPOOL_BYTES = 150_000


def is_recorded(folder: Path, num_steps: int) -> bool:
    return sum(counts.num_recorded for counts in read_counts(folder)) == num_steps


def test_the_record_of_ten_minutes(tmp_path: Path) -> None:
    bus, metrics = MemoryBus(), Metrics()
    bus.ensure_topics()
    bus.is_available = False
    config = RecorderConfig(flush_period_s=0.01, spool_bytes=SPOOL_BYTES)
    recorder = Recorder(tmp_path / "actor", lambda: bus.producer("actor"), config, metrics)
    num_steps = AWAY_S * RATE_HZ
    for seq in range(num_steps):
        recorder.put(STEPS, step(seq, mode="correcting" if seq in CORRECTED else "autonomous"))
        if seq % 20 == 19:  # ten seconds of robot time
            wait_for(functools.partial(is_recorded, tmp_path, seq + 1))
    assert metrics.value("touchline_spool_bytes") <= SPOOL_BYTES
    bus.is_available = True
    assert recorder.close(60.0) == 0
    messages = [message for partition in bus.log(STEPS.name) for message in partition]
    arrived = sorted(record.seq for m in messages for record in wire.records(STEPS, wire.decode(STEPS, m.value)))
    (counts,) = read_counts(tmp_path)
    assert (counts.num_recorded, counts.num_delivered) == (num_steps, len(arrived))
    assert counts.num_dropped == num_steps - len(arrived) > 0
    assert set(CORRECTED) <= set(arrived)
    autonomous = [seq for seq in arrived if seq not in CORRECTED]
    assert autonomous == list(range(autonomous[0], num_steps))  # the newest, without a gap
    assert metrics.value("touchline_steps_dropped_total", robot="r-0", kind="autonomous") == counts.num_dropped
