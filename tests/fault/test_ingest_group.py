"""Two ingests share the topics' partitions, a third joins, one is killed and one stopped (SIGSTOP) until its group has
given it up, and then goes on: every acknowledged step is in the table once, and none waits for the dead."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.processes import Launch, running
from infra.topics import STEPS
from storage.audit import audit
from storage.figures import summary
from storage.tables import Lake, LakeConfig, lake_of
from storage.writer import LEDGER_KEY
from tests.lake_rig import make_step
from tests.signing_rig import robots_of

NUM_ROBOTS = 12
STEPS_PER_MESSAGE = 5
DEADLINE_S = 120.0
SESSION_TIMEOUT_S = 6.0
"""The shortest that a broker grants unless it is told otherwise."""
EVERYTHING = list(range(STEPS.num_partitions))


def ingest(name: str, home: Home, kafka: KafkaConfig) -> Launch:
    return Launch(
        name=name,
        command=(sys.executable, "-m", "storage", "--home", str(home.path), "--flush-s", "0.05", "--group", "ingest"),
        environ={
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "TOUCHLINE_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
            "TOUCHLINE_KAFKA__SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
        },
    )


class Robots(threading.Thread):
    """Robots in every partition, which send in order and now and then something old once more."""

    def __init__(self, bus: Bus, home: Home) -> None:
        super().__init__(name="robots")
        self._producer = bus.producer("robots", signer=robots_of(home))
        self._stopping = threading.Event()
        self.sent = {f"robot-{number}-b": 0 for number in range(NUM_ROBOTS)}
        """Steps that the broker has acknowledged, by boot."""

    def run(self) -> None:
        rounds = 0
        while not self._stopping.wait(0.1):
            rounds += 1
            for boot_id, num_sent in self.sent.items():
                self._send(boot_id, num_sent)
                if rounds % 7 == 0:
                    self._send(boot_id, num_sent // 2)
            assert self._producer.flush(DEADLINE_S) == 0
            self.sent = {boot_id: num_sent + STEPS_PER_MESSAGE for boot_id, num_sent in self.sent.items()}

    def _send(self, boot_id: str, first: int) -> None:
        numbers = range(first, first + STEPS_PER_MESSAGE)
        robot_id = boot_id.removesuffix("-b")
        self._producer.send(STEPS, [make_step(seq, robot_id=robot_id, boot_id=boot_id) for seq in numbers])

    def stop(self) -> None:
        self._stopping.set()
        self.join(DEADLINE_S)
        self._producer.close()


@contextlib.contextmanager
def working(robots: Robots) -> Iterator[Robots]:
    robots.start()
    try:
        yield robots
    finally:
        robots.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "ingest is stuck"
        threading.Event().wait(0.1)


def shares(lake: Lake) -> set[frozenset[int]]:
    """The partitions of whoever made the newest commits."""
    commits = lake.open(STEPS).history(12)
    ledgers = [json.loads(commit[LEDGER_KEY]) for commit in commits if LEDGER_KEY in commit]
    return {frozenset(map(int, ledger["offsets"])) for ledger in ledgers}


def is_shared(lake: Lake, num_ingests: int) -> bool:
    """Whether so many ingests commit, each on partitions of its own, and none is left out."""
    found = shares(lake)
    return len(found) == num_ingests and sorted(partition for share in found for partition in share) == EVERYTHING


def test_each_step_is_stored_once(kafka_bus: Bus, kafka_config: KafkaConfig, tmp_home: Home, tmp_path: Path) -> None:
    lake = lake_of(LakeConfig(), tmp_home)
    launches = [ingest(name, tmp_home, kafka_config) for name in ("first", "second", "third")]
    with (
        contextlib.ExitStack() as stack,
        working(Robots(kafka_bus, tmp_home)) as robots,
    ):
        first, second = [stack.enter_context(running(launch, tmp_path)) for launch in launches[:2]]
        wait_until(lambda: is_shared(lake, 2))
        third = stack.enter_context(running(launches[2], tmp_path))
        wait_until(lambda: is_shared(lake, 3))
        os.kill(first.pid, signal.SIGSTOP)
        try:
            os.kill(second.pid, signal.SIGKILL)
            wait_until(lambda: is_shared(lake, 1))
        finally:
            os.kill(first.pid, signal.SIGCONT)
        wait_until(lambda: is_shared(lake, 2))
        robots.stop()
        sent = robots.sent
        wait_until(lambda: summary(lake, STEPS).num_rows >= sum(sent.values()))
        assert [process.stop(drain_s=20.0) for process in (first, third)] == [0, 0]
    balance = audit(lake, sent)
    assert (balance.num_lost, balance.num_doubled) == (0, 0)
    assert balance.num_in_lake == sum(sent.values()) > 0
