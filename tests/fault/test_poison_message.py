"""A message that is no record of ours is set aside with its reason, and delays nothing behind it."""

import json
import sys
import threading
import time
import urllib.request
from pathlib import Path

from infra import scrape
from infra.bus import Bus, KafkaConfig, Message
from infra.home import Home
from infra.kafka_producer import KafkaProducer
from infra.ports import free_port
from infra.processes import Launch, running
from infra.topics import DEAD_LETTERS, EPISODES, LABELS, STEPS
from infra.wire import encode
from storage.tables import LakeConfig, lake_of
from tests.lake_rig import delivered, make_episode, make_label, make_step
from tests.signing_rig import robots_of, service_of

DEADLINE_S = 60.0


def test_the_stream_goes_on(kafka_bus: Bus, kafka_config: KafkaConfig, tmp_home: Home, tmp_path: Path) -> None:
    port = free_port()
    launch = Launch(
        name="ingest",
        command=(sys.executable, "-m", "storage", "--home", str(tmp_home.path), "--flush-s", "0.05",
                 "--metrics-port", str(port)),
        environ={
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_config.bootstrap_servers,
            "TOUCHLINE_KAFKA__TOPIC_PREFIX": kafka_config.topic_prefix,
        },
    )  # fmt: skip
    poison = {
        STEPS.name: [b"\xff" * 100, encode([make_label(0, "e", "success", 0)]), encode([make_step(1)])[:200]],
        EPISODES.name: [b"", encode([make_step(1)])],
        LABELS.name: [b"{}"],
    }
    producer = kafka_bus.producer("robot", signer=robots_of(tmp_home))
    people = kafka_bus.producer("gateway", signer=service_of(tmp_home, "gateway"))
    assert isinstance(producer, KafkaProducer)
    for name, values in poison.items():
        producer.send_bytes(name, [(b"r0", value) for value in values], {})
    producer.send(STEPS, [make_step(0, boot_id="r0-b")])
    producer.send(EPISODES, [make_episode(0, 1, boot_id="r0-b")])
    people.send(LABELS, [make_label(0, "r0-b/e0", "success", 1)])
    assert producer.flush(DEADLINE_S) == people.flush(DEADLINE_S) == 0
    lake = lake_of(LakeConfig(), tmp_home)
    with running(launch, tmp_path) as ingest:
        until_stored = time.monotonic() + DEADLINE_S
        while not all(delivered(lake, topic) for topic in (STEPS, EPISODES, LABELS)):
            assert time.monotonic() < until_stored, ingest.log_tail()
            threading.Event().wait(0.05)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert json.load(answer)["is_healthy"]
        families = scrape.metrics(port, tmp_home.path, timeout_s=5)
        (letters_of_steps,) = (
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "touchline_dead_letters_total" and sample.labels["topic"] == "steps"
        )
        assert letters_of_steps == 3.0
        assert ingest.stop(drain_s=20.0) == 0
    producer.close()
    people.close()
    assert delivered(lake, STEPS) == [("r0-b", 0)]
    letters = kafka_bus.consumer(DEAD_LETTERS, "earliest")
    found: list[Message] = []
    until_read = time.monotonic() + DEADLINE_S
    while len(found) < 6:
        assert time.monotonic() < until_read
        found += letters.poll(0.5)
    letters.close()
    assert sorted(letter.value for letter in found) == sorted(value for values in poison.values() for value in values)
    assert all(letter.headers["reason"] for letter in found)
