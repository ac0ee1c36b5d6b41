"""Every acknowledged step is in the table exactly once, though ingest is killed at random moments and the
broker is killed and restarted under load."""

import contextlib
import gc
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import broker, connect
from infra.bus import KafkaConfig, Producer
from infra.home import Home
from infra.processes import Keeper, Launch, Process
from infra.topics import STEPS
from policy.errors import BusUnavailable
from storage.audit import audit
from storage.figures import summary
from storage.tables import LakeConfig, lake_of
from tests.lake_rig import make_step
from tests.signing_rig import robots_of

NUM_ROBOTS = 3
STEPS_PER_MESSAGE = 5
NUM_KILLS = 4
STEPS_BETWEEN_KILLS = 150
DEADLINE_S = 120.0


class Robot:
    """Sends steps in order and again until each is acknowledged; now and then it repeats old ones."""

    def __init__(self, producer: Producer, name: str, stopping: threading.Event) -> None:
        self.robot_id, self.boot_id = name, f"{name}-0"
        self.num_acknowledged = 0
        self._producer = producer
        self._stopping = stopping
        self._random = random.Random(name)
        self.thread = threading.Thread(target=self._run, name=name)

    def _run(self) -> None:
        while not self._stopping.is_set():
            first = self.num_acknowledged
            self._deliver(first)
            self.num_acknowledged += STEPS_PER_MESSAGE
            if self._random.random() < 0.2:  # a spool sent once more after a crash of the robot
                self._deliver(self._random.randrange(0, first + 1))
            self._stopping.wait(0.005)

    def _deliver(self, first: int) -> None:
        steps = [
            make_step(seq, boot_id=self.boot_id, robot_id=self.robot_id)
            for seq in range(first, first + STEPS_PER_MESSAGE)
        ]
        while True:
            answered = threading.Event()
            errors: list[Exception] = []

            def on_delivery(
                error: Exception | None, answered: threading.Event = answered, errors: list[Exception] = errors
            ) -> None:
                errors.extend([error] if error else [])
                answered.set()

            try:
                self._producer.send(STEPS, steps, on_delivery=on_delivery)
            except BusUnavailable:
                answered.wait(0.1)
                continue
            assert answered.wait(DEADLINE_S)
            if not errors:
                return


@contextlib.contextmanager
def sending(robots: list[Robot], stopping: threading.Event) -> Iterator[None]:
    for robot in robots:
        robot.thread.start()
    try:
        yield
    finally:
        stopping.set()
        for robot in robots:
            robot.thread.join(DEADLINE_S)


def wait_for_steps(robots: list[Robot], num_more: int) -> None:
    target = sum(robot.num_acknowledged for robot in robots) + num_more
    deadline = time.monotonic() + DEADLINE_S
    while sum(robot.num_acknowledged for robot in robots) < target:
        assert time.monotonic() < deadline, "the robots are stuck"
        threading.Event().wait(0.02)


def kill(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    while process.exit_code() is None:
        threading.Event().wait(0.01)


@pytest.fixture
def collected() -> Iterator[None]:
    """kafka-python leaves sockets of refused connections open: collect them while that is ignored."""
    yield
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_each_acknowledged_step_is_stored_once(collected: None, tmp_home: Home, tmp_path: Path) -> None:
    broker_launch, address = broker.launch(tmp_home.kafka, broker.BrokerConfig())
    config = KafkaConfig(bootstrap_servers=address, request_timeout_s=3.0, delivery_timeout_s=600.0)
    ingest_launch = Launch(
        name="ingest",
        command=(sys.executable, "-m", "storage", "--home", str(tmp_home.path), "--flush-s", "0.1"),
        environ={"TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": address, "TOUCHLINE_MAINTENANCE__MIN_SMALL_FILES": "20",
                 "TOUCHLINE_MAINTENANCE__INTERVAL_S": "1"},
    )  # fmt: skip
    chance = random.Random(3)
    lake = lake_of(LakeConfig(), tmp_home)
    with Keeper() as keeper:
        kafka = Process(broker_launch, tmp_path, keeper)
        kafka.wait_ready()
        bus = connect.bus(config)
        bus.ensure_topics()
        stopping = threading.Event()
        producer = bus.producer("robots", signer=robots_of(tmp_home))
        robots = [Robot(producer, f"robot-{number}", stopping) for number in range(NUM_ROBOTS)]
        with sending(robots, stopping):
            for round_number in range(NUM_KILLS):
                ingest = Process(ingest_launch, tmp_path, keeper)
                wait_for_steps(robots, STEPS_BETWEEN_KILLS)
                wait_for_rows(tmp_home, num_rows_of(tmp_home) + chance.randrange(1, 200))
                if round_number == NUM_KILLS // 2:
                    kill(kafka)
                    kafka = Process(broker_launch, tmp_path, keeper)
                    kafka.wait_ready()
                    wait_for_steps(robots, STEPS_BETWEEN_KILLS)
                kill(ingest)
            wait_for_steps(robots, STEPS_BETWEEN_KILLS)
        sent = {robot.boot_id: robot.num_acknowledged for robot in robots}
        ingest = Process(ingest_launch, tmp_path, keeper)
        wait_for_rows(tmp_home, sum(sent.values()))
        assert ingest.stop(drain_s=20.0) == 0
        balance = audit(lake, sent)
        assert balance.num_sent > NUM_KILLS * STEPS_BETWEEN_KILLS
        assert (balance.num_lost, balance.num_doubled) == (0, 0)
        producer.close()
        bus.close()
        kafka.stop(drain_s=10.0)


def num_rows_of(home: Home) -> int:
    return summary(lake_of(LakeConfig(), home), STEPS).num_rows


def wait_for_rows(home: Home, num_rows: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while num_rows_of(home) < num_rows:
        assert time.monotonic() < deadline, "ingest is stuck"
        threading.Event().wait(0.05)
