"""A broker of its own for a benchmark, and nothing else of a fleet."""

import contextlib
import dataclasses
from collections.abc import Iterator

from infra import broker, connect
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.home import Home
from infra.processes import running

_READY_S = 180.0
"""A busy machine takes its time; starting is not measured."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broker:
    """One that runs."""

    config: KafkaConfig
    """How to reach it."""
    pid: int


@contextlib.contextmanager
def kafka_alone(home: Home) -> Iterator[Broker]:
    """Started, with all topics, and stopped at the end."""
    launch, address = broker.launch(home.kafka, BrokerConfig())
    with running(dataclasses.replace(launch, ready_within_s=_READY_S), home.logs) as process:
        config = KafkaConfig(bootstrap_servers=address)
        with contextlib.closing(connect.bus(config)) as bus:
            bus.ensure_topics()
        yield Broker(config=config, pid=process.pid)
