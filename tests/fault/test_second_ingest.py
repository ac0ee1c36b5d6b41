"""An ingest that was stopped (SIGSTOP) and replaced, and goes on beside its successor, is fenced: every acknowledged
step is in the table once, also those that came twice, late, or in another order."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.processes import Launch, running
from infra.topics import STEPS
from storage.audit import audit
from storage.figures import summary
from storage.tables import Lake, LakeConfig, lake_of
from tests.lake_rig import make_step
from tests.signing_rig import robots_of

STEPS_PER_MESSAGE = 5
BOOT_ID = "r0-b"
DEADLINE_S = 120.0


def ingest(name: str, home: Home, kafka: KafkaConfig) -> Launch:
    return Launch(
        name=name,
        command=(sys.executable, "-m", "storage", "--home", str(home.path), "--flush-s", "0.05"),
        environ={
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "TOUCHLINE_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
        },
    )


class Sender:
    """A robot's spool after a bad day: in any order, some of it twice."""

    def __init__(self, bus: Bus, home: Home) -> None:
        self._producer = bus.producer("robot", signer=robots_of(home))
        self._chance = random.Random(1)
        self.num_sent = 0

    def send(self, num_steps: int) -> None:
        """New steps, shuffled, and some that were sent before; returns when the broker has them."""
        firsts = list(range(self.num_sent, self.num_sent + num_steps, STEPS_PER_MESSAGE))
        again = [self._chance.randrange(0, self.num_sent + 1) for _ in range(len(firsts) // 3)]
        self._chance.shuffle(firsts)
        for first in [*firsts, *again]:
            last = min(first + STEPS_PER_MESSAGE, self.num_sent + num_steps)
            self._producer.send(STEPS, [make_step(seq, boot_id=BOOT_ID) for seq in range(first, last)])
        assert self._producer.flush(DEADLINE_S) == 0
        self.num_sent += num_steps

    def close(self) -> None:
        self._producer.close()


def wait_for_rows(lake: Lake, num_rows: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while summary(lake, STEPS).num_rows < num_rows:
        assert time.monotonic() < deadline, "ingest is stuck"
        threading.Event().wait(0.05)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_each_step_is_stored_once(kafka_bus: Bus, kafka_config: KafkaConfig, tmp_home: Home, tmp_path: Path) -> None:
    lake = lake_of(LakeConfig(), tmp_home)
    with (
        contextlib.closing(Sender(kafka_bus, tmp_home)) as sender,
        running(ingest("first", tmp_home, kafka_config), tmp_path) as first,
        contextlib.ExitStack() as stack,
    ):
        sender.send(100)
        wait_for_rows(lake, 100)
        with stopped(first.pid):
            sender.send(100)
            stack.enter_context(running(ingest("second", tmp_home, kafka_config), tmp_path))
            wait_for_rows(lake, 200)
            sender.send(100)
        for _ in range(5):
            sender.send(50)
        wait_for_rows(lake, sender.num_sent)
    balance = audit(lake, {BOOT_ID: sender.num_sent})
    assert balance.num_in_lake == sender.num_sent == 550
    assert balance.is_exact
