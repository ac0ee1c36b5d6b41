"""A robot that records for a broker that can go, for the tests that take it away."""

from contextlib import AbstractContextManager
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


class Recording:
    """One robot, and a broker of its own that is not started."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._spool = folder, folder / "spool"
        self._launch, address = broker.launch(folder / "kafka", BrokerConfig())
        self._bus = connect.bus(KafkaConfig(bootstrap_servers=address, request_timeout_s=1.0, delivery_timeout_s=2.0))
        config = RecorderConfig(flush_period_s=0.02, in_flight_bytes=100_000, stuck_after_s=5.0)
        self._recorder = Recorder(
            self._spool / "actor", lambda: self._bus.producer("actor", wait_s=0), config, Metrics()
        )
        self._rng = np.random.default_rng(0)
        self._num_steps = 0

    def broker(self) -> AbstractContextManager[Process]:
        """It runs, on the same address and log each time."""
        return running(self._launch, self._folder, drain_s=0.0)

    def ensure_topics(self) -> None:
        self._bus.ensure_topics()

    def record(self, count: int) -> None:
        """So many steps more, of 7 KB; each tenth is a correction. They are on disk when this returns."""
        for seq in range(self._num_steps, self._num_steps + count):
            frame = self._rng.integers(0, 255, (56, 56, 3), np.uint8)
            self._recorder.put(STEPS, step(seq, mode="correcting" if seq % 10 == 0 else "autonomous"), (frame,))
        self._num_steps += count
        wait_for(lambda: self.num("num_recorded") == self._num_steps, DEADLINE_S)

    def num(self, field: str) -> int:
        """A count of the robot's own."""
        return sum(getattr(counts, field) for counts in read_counts(self._spool))

    def wait_until_sent(self) -> None:
        wait_for(lambda: self.num("num_waiting") == 0, DEADLINE_S)

    def end(self) -> None:
        """Nothing is lost: every step is with the broker, which runs, and the robot's counts say so."""
        assert self._recorder.close(DEADLINE_S) == 0
        assert {record.seq for record in received(self._bus, STEPS)} == set(range(self._num_steps))
        (counts,) = read_counts(self._spool)
        found = (counts.num_recorded, counts.num_delivered, counts.num_dropped)
        assert found == (self._num_steps, self._num_steps, 0)
