"""The embedded broker: refuses what it cannot do, and keeps its log over a restart."""

import dataclasses
import socket
import uuid
from pathlib import Path

import pytest

from infra import broker, connect, java
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.processes import running
from infra.topics import LABELS
from policy.errors import BusUnavailable, ConfigError
from policy.schema import Label

DEADLINE_S = 30.0
LABEL = Label(boot_id="b", seq=0, episode_id="e", outcome="success", progress=0, reason="", author="a", time_ns=1)


def test_acknowledged_messages_survive_sigkill_and_another_port(tmp_path: Path) -> None:
    launch, address = broker.launch(tmp_path / "kafka", BrokerConfig())
    with running(launch, tmp_path) as process:
        cluster = connect.bus(KafkaConfig(bootstrap_servers=address))
        cluster.ensure_topics()
        producer = cluster.producer("test", wait_s=DEADLINE_S)
        producer.send(LABELS, [LABEL])
        assert producer.flush(DEADLINE_S) == 0
        process.stop(drain_s=0.0)
        producer.close(timeout_s=0.1)
    launch, address = broker.launch(tmp_path / "kafka", BrokerConfig())
    with running(launch, tmp_path):
        cluster = connect.bus(KafkaConfig(bootstrap_servers=address))
        consumer = cluster.consumer(LABELS.name, {0: 0})
        assert [message.offset for message in consumer.poll(DEADLINE_S)] == [0]
        consumer.close()


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for config in (BrokerConfig(port=port), BrokerConfig(controller_port=port)):
            with pytest.raises(ConfigError, match=rf"port {port} .* in use.*set broker\."):
                broker.launch(tmp_path, config)


def test_no_java_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError, match=r"needs Java 17 or newer \(none is here\).*default-jre-headless"):
        broker.launch(tmp_path, BrokerConfig())


def test_an_old_java_is_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    with pytest.raises(ConfigError, match="is version 8"):
        java.find_java({"JAVA_HOME": str(tmp_path), "PATH": ""})


def test_a_broker_that_is_not_there_is_unavailable_and_nobody_waits() -> None:
    config = KafkaConfig(bootstrap_servers="127.0.0.1:1", request_timeout_s=0.2)
    cluster = connect.bus(config)
    producer = cluster.producer("test", wait_s=0.0)
    with pytest.raises(BusUnavailable, match="not connected yet"):
        producer.send(LABELS, [LABEL])
    producer.close()
    with pytest.raises(BusUnavailable):
        cluster.ensure_topics(timeout_s=0.0)
    with pytest.raises(BusUnavailable):
        cluster.consumer(LABELS.name, "earliest")


def test_a_producer_refuses_more_than_its_buffer(kafka_config: KafkaConfig) -> None:
    cluster = connect.bus(dataclasses.replace(kafka_config, buffer_bytes=10))
    cluster.ensure_topics()
    producer = cluster.producer("test", wait_s=DEADLINE_S)

    def send_much() -> None:
        for _ in range(1000):
            producer.send(LABELS, [LABEL])

    with pytest.raises(BusUnavailable, match="too much is unacknowledged"):
        send_much()
    assert producer.flush(DEADLINE_S) == 0
    producer.close()


def test_a_cluster_id_may_begin_with_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One random id in 64 does."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" * 16))
    broker.launch(tmp_path, broker.BrokerConfig())
    assert "cluster.id=-" in (tmp_path / "log" / "meta.properties").read_text()
