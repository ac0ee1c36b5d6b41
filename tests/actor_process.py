"""A real actor process with tiny robots, for the tests that kill things."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from actor.journal import read_counts
from infra import wire
from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.processes import Launch
from infra.registry import MlflowConfig
from infra.topics import Topic

ROOT = Path(__file__).parents[1]


def actor(home: Home, kafka: KafkaConfig, mlflow: MlflowConfig, *arguments: str, rate: float = 2.0) -> Launch:
    """How to start `python -m actor` on two tiny robots."""
    environ = {
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOUCHLINE_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
        "TOUCHLINE_MLFLOW__TRACKING_URL": mlflow.tracking_url,
        "TOUCHLINE_MLFLOW__MODEL": mlflow.model,
        "TOUCHLINE_MLFLOW__REQUEST_TIMEOUT_S": "2",
        "TOUCHLINE_WEIGHTS__POLL_S": "1",
        "TOUCHLINE_LINK__URL": "ws://127.0.0.1:1/robot",
    }
    task = ("--task", "tests.actor_rig:TinyRobot", "--robots", "2", "--rate", str(rate))
    return Launch(
        name="actor",
        command=(sys.executable, "-m", "actor", "--home", str(home.path), *task, *arguments),
        environ=environ,
    )


def received(bus: Bus, topic: Topic) -> list[Any]:
    """Everything on a topic by now."""
    consumer = bus.consumer(topic.name, "earliest")
    wanted = sum(consumer.end_offsets().values())
    messages: list[Any] = []
    while len(messages) < wanted:
        messages += consumer.poll(5.0)
    consumer.close()
    return [record for message in messages for record in wire.records(topic, wire.decode(topic, message.value))]


def delivered_by_boot(home: Home, topic: Topic) -> Counter[str]:
    """What the robots themselves say that the broker has, per boot."""
    return Counter({c.boot_id: c.num_delivered for c in read_counts(home.spool) if c.topic == topic.name})


def unique_by_boot(records: list[Any]) -> Counter[str]:
    """Different sequence numbers per boot, as ingest would keep them."""
    return Counter(boot for boot, _ in {(record.boot_id, record.seq) for record in records})
