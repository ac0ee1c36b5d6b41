"""While the broker is stopped (SIGSTOP) robots go on and their records wait on disk; when it goes on each is there,
however often a robot sent it meanwhile."""

import os
import signal
from pathlib import Path

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

DEADLINE_S = 150.0


def test_everything_recorded_while_the_broker_was_stopped_arrives(tmp_path: Path) -> None:
    launch, address = broker.launch(tmp_path / "kafka", BrokerConfig())
    cluster = connect.bus(KafkaConfig(bootstrap_servers=address, request_timeout_s=1.0, delivery_timeout_s=2.0))
    metrics, spool = Metrics(), tmp_path / "spool"
    config = RecorderConfig(flush_period_s=0.02, stuck_after_s=5.0)

    def num_waiting() -> int:
        return sum(counts.num_waiting for counts in read_counts(spool))

    with running(launch, tmp_path, drain_s=0.0) as process:
        cluster.ensure_topics()
        recorder = Recorder(spool / "actor", lambda: cluster.producer("actor", wait_s=0), config, metrics)
        for seq in range(100):
            recorder.put(STEPS, step(seq))
        assert recorder.drain(DEADLINE_S) == 0
        os.killpg(process.pid, signal.SIGSTOP)
        for seq in range(100, 200):
            recorder.put(STEPS, step(seq))
        wait_for(lambda: num_waiting() == 100, DEADLINE_S)
        os.killpg(process.pid, signal.SIGCONT)
        for seq in range(200, 300):
            recorder.put(STEPS, step(seq))
        assert recorder.close(DEADLINE_S) == 0
        assert {record.seq for record in received(cluster, STEPS)} == set(range(300))
    (counts,) = read_counts(spool)
    assert (counts.num_recorded, counts.num_delivered, counts.num_dropped) == (300, 300, 0)
