"""Fixtures that several tiers share; the real broker and the real registry start once a session."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from infra import broker, connect, mlflow_server
from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.processes import running
from infra.registry import MlflowConfig

# No timed assertions: a busy machine must not fail a property.
settings.register_profile("touchline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("touchline")


@pytest.fixture(scope="session")
def kafka_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real broker without topics; see `kafka_config`."""
    directory = tmp_path_factory.mktemp("kafka")
    launch, address = broker.launch(directory, broker.BrokerConfig())
    with running(launch, directory):
        yield address


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real MLflow server, empty at first; see `mlflow_config`."""
    directory = tmp_path_factory.mktemp("mlflow")
    launch, url = mlflow_server.launch(directory, mlflow_server.MlflowServerConfig())
    with running(launch, directory):
        yield url


@pytest.fixture
def kafka_config(kafka_address: str) -> KafkaConfig:
    """The broker with a topic prefix of this test alone, so that no test sees another's messages."""
    return KafkaConfig(bootstrap_servers=kafka_address, topic_prefix=f"{uuid.uuid4().hex[:8]}-")


@pytest.fixture
def kafka_bus(kafka_config: KafkaConfig) -> Iterator[Bus]:
    """A real bus with the topics of this test alone."""
    bus = connect.bus(kafka_config)
    bus.ensure_topics()
    yield bus
    bus.close()


@pytest.fixture
def mlflow_config(mlflow_url: str) -> MlflowConfig:
    """The server with a model of this test alone."""
    return MlflowConfig(tracking_url=mlflow_url, model=f"test-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def tmp_home(tmp_path: Path) -> Home:
    """An empty home directory."""
    return Home(tmp_path / "home")
