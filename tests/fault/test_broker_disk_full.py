"""A broker whose disk is full ends and says why; robots go on, their records wait on disk, and all that it ever
acknowledged is there when it starts again."""

import resource
from pathlib import Path

import numpy as np

from actor.journal import read_counts
from actor.recorder import Recorder, RecorderConfig
from infra import broker, connect
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.metrics import Metrics
from infra.processes import Process, running
from infra.topics import STEPS
from tests.actor_process import received
from tests.actor_rig import step, wait_for

DEADLINE_S = 150.0
FULL_BYTES = 400_000


def leave_no_room(process: Process) -> None:
    """The kernel refuses to write any of its files beyond a size, as a full disk does."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))


def ends(process: Process) -> None:
    wait_for(lambda: process.exit_code() is not None, DEADLINE_S)
    assert process.exit_code() != 0
    assert "log dirs" in process.log_tail()


def test_everything_arrives_when_the_brokers_disk_has_room_again(tmp_path: Path) -> None:
    launch, address = broker.launch(tmp_path / "kafka", BrokerConfig())
    cluster = connect.bus(KafkaConfig(bootstrap_servers=address, request_timeout_s=1.0, delivery_timeout_s=2.0))
    spool, rng = tmp_path / "spool", np.random.default_rng(0)
    config = RecorderConfig(flush_period_s=0.02, stuck_after_s=5.0)
    recorder = Recorder(spool / "actor", lambda: cluster.producer("actor", wait_s=0), config, Metrics())

    def record(first: int, last: int) -> None:
        for seq in range(first, last):
            recorder.put(STEPS, step(seq), (rng.integers(0, 255, (56, 56, 3), np.uint8),))
        wait_for(lambda: num("num_recorded") == last, DEADLINE_S)

    def num(field: str) -> int:
        return sum(getattr(counts, field) for counts in read_counts(spool))

    with running(launch, tmp_path, drain_s=0.0) as process:
        cluster.ensure_topics()
        record(0, 20)
        wait_for(lambda: num("num_waiting") == 0, DEADLINE_S)
        leave_no_room(process)
        record(20, 120)  # 7 KB each
        ends(process)
    with running(launch, tmp_path, drain_s=0.0) as process:  # started again, and still no room
        leave_no_room(process)
        ends(process)
    record(120, 200)
    assert 20 <= num("num_delivered") < 120
    with running(launch, tmp_path, drain_s=0.0):
        assert recorder.close(DEADLINE_S) == 0
        assert {record.seq for record in received(cluster, STEPS)} == set(range(200))
    (counts,) = read_counts(spool)
    assert (counts.num_recorded, counts.num_delivered, counts.num_dropped) == (200, 200, 0)
