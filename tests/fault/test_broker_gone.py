"""While the broker is gone robots go on and their records wait on disk; when it is back each arrives, and the
counts of the robots say so."""

from collections import Counter
from pathlib import Path

import numpy as np

from actor.journal import read_counts
from actor.recorder import Recorder, RecorderConfig
from infra import broker, connect
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.metrics import Metrics
from infra.processes import running
from infra.topics import STEPS
from tests.actor_process import received
from tests.actor_rig import step, wait_for

FRAME = np.zeros((32, 32, 3), np.uint8)
DEADLINE_S = 150.0


def num_waiting(spool: Path) -> int:
    return sum(counts.num_waiting for counts in read_counts(spool))


def test_everything_recorded_while_the_broker_was_gone_arrives(tmp_path: Path) -> None:
    launch, address = broker.launch(tmp_path / "kafka", BrokerConfig())
    cluster = connect.bus(KafkaConfig(bootstrap_servers=address, request_timeout_s=1.0, delivery_timeout_s=2.0))
    metrics, spool = Metrics(), tmp_path / "spool"
    config = RecorderConfig(flush_period_s=0.02, in_flight_bytes=100_000, stuck_after_s=5.0)
    recorder = Recorder(spool / "actor", lambda: cluster.producer("actor", wait_s=0), config, metrics)

    def record(first: int, last: int) -> None:
        for seq in range(first, last):
            recorder.put(STEPS, step(seq, mode="correcting" if seq % 10 == 0 else "autonomous"), (FRAME,))

    record(0, 100)  # before there ever was a broker
    wait_for(lambda: num_waiting(spool) == 100, DEADLINE_S)
    with running(launch, tmp_path, drain_s=0.0):
        cluster.ensure_topics()
        record(100, 200)
        wait_for(lambda: num_waiting(spool) == 0, DEADLINE_S)
        record(200, 300)
    record(300, 400)
    wait_for(lambda: sum(counts.num_recorded for counts in read_counts(spool)) == 400, DEADLINE_S)
    wait_for(lambda: num_waiting(spool) >= 100, DEADLINE_S)
    with running(launch, tmp_path, drain_s=0.0):
        assert recorder.close(DEADLINE_S) == 0
        seqs = Counter(record.seq for record in received(cluster, STEPS))
    assert sorted(seqs) == list(range(400))
    (counts,) = read_counts(spool)
    assert (counts.num_recorded, counts.num_delivered, counts.num_dropped) == (400, 400, 0)
