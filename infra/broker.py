"""The embedded Kafka: one KRaft node, broker and controller in one JVM, on this machine only.

    java -cp '<jars>/*' kafka.tools.StorageTool format    once per home
    java -cp '<jars>/*' kafka.Kafka server.properties     the broker

A cluster that exists already is used instead by naming it in kafka.bootstrap_servers.
"""

import dataclasses
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from infra.java import find_java
from infra.kafka_jars import ensure_jars
from infra.ports import LOOPBACK, choose_port, is_open
from infra.processes import Launch
from infra.topics import TOPICS
from policy.errors import ConfigError

_JVM_FLAGS = ("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC")
"""Enough for 20-27 MB/s of 15 KB messages (measured); of one size, as in Kafka's own start script, and taken at once:
a heap that grows to its bound over hours looks like a leak."""
_LOG_FLAGS = tuple(
    f"-Dorg.slf4j.simpleLogger.{name}={value}"
    for name, value in {
        "defaultLogLevel": "warn",
        "showDateTime": "true",
        "dateTimeFormat": "yyyy-MM-dd HH:mm:ss",
        "showShortLogName": "true",
    }.items()
)
"""What it warns of goes to its log file; what it does all day does not."""
_FORMAT_TIMEOUT_S = 120


@dataclasses.dataclass(frozen=True, kw_only=True)
class BrokerConfig:
    """The embedded broker."""

    port: int = 0
    """Port on 127.0.0.1; 0 for a free one."""
    controller_port: int = 0
    """Port of the controller on 127.0.0.1; 0 for a free one."""
    retention_bytes: int = 8 << 30
    """Disk that one partition may take before its oldest messages go."""


def launch(directory: Path, config: BrokerConfig) -> tuple[Launch, str]:
    """Prepare a broker whose log lives in `directory`; returns how to start it, and its address.

    Raises:
        ConfigError: no Java, no jars, or a port in use.
    """
    java = find_java()
    class_path = str(ensure_jars() / "*")
    port = choose_port(config.port, "broker.port")
    controller_port = choose_port(config.controller_port, "broker.controller_port")
    properties = directory / "server.properties"
    log_dir = directory / "log"
    directory.mkdir(parents=True, exist_ok=True)
    properties.write_text(_properties(log_dir, port, controller_port, config))
    if not (log_dir / "meta.properties").exists():
        _format(java, class_path, properties)
    start = Launch(
        name="kafka",
        command=(str(java), *_JVM_FLAGS, *_LOG_FLAGS, "-cp", class_path, "kafka.Kafka", str(properties)),
        is_ready=lambda: is_open(LOOPBACK, port),
    )
    return start, f"{LOOPBACK}:{port}"


def _format(java: Path, class_path: str, properties: Path) -> None:
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # With "=", for one id in 64 begins with "-" and would be taken for an option.
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config", str(properties))
    command = [str(java), *_LOG_FLAGS, "-cp", class_path, *tool, "--ignore-formatted"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_S, check=False)
    if done.returncode:
        raise ConfigError(
            "Kafka's storage could not be formatted",
            path=str(properties.parent),
            cause=(done.stdout + done.stderr)[-1000:],
        )


def _properties(log_dir: Path, port: int, controller_port: int, config: BrokerConfig) -> str:
    max_message_bytes = 2 * max(topic.max_message_bytes for topic in TOPICS)
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": log_dir,
        "auto.create.topics.enable": "false",
        "message.max.bytes": max_message_bytes,
        "replica.fetch.max.bytes": max_message_bytes,
        "socket.request.max.bytes": 100 << 20,
        "log.retention.bytes": config.retention_bytes,
        "log.segment.bytes": 256 << 20,
        # One node: nothing can have a second copy.
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 8 << 20,
        # After a crash the node takes itself for one that may still run until the session of the one that died is over.
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 500,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
