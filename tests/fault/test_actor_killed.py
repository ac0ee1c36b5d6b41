"""An actor that is killed with SIGKILL loses nothing that it ever counted, and sends nothing twice under
another number: its own counts and the broker's records agree, boot by boot."""

import os
import signal
from pathlib import Path

import pytest

from actor.journal import read_counts
from infra import connect, identity, weight_signing
from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.processes import running
from infra.registry import MlflowConfig
from infra.releases import CHAMPION
from infra.topics import EPISODES, STEPS
from tests.actor_process import actor, delivered_by_boot, received, unique_by_boot
from tests.actor_rig import SPEC, save_policy, wait_for

NUM_KILLS = 2
DEADLINE_S = 150.0


@pytest.fixture
def released(mlflow_config: MlflowConfig, tmp_home: Home, tmp_path: Path) -> MlflowConfig:
    registry = connect.registry(mlflow_config)
    version = registry.publish(save_policy(tmp_path / "checkpoint"), tags={"spec_id": SPEC.spec_id})
    weight_signing.sign_weights(registry, identity.service(tmp_home.path, "learner"), version)
    weight_signing.give_order(registry, identity.service(tmp_home.path, "judge"), version.version, CHAMPION)
    registry.set_alias(CHAMPION, version.version)
    return mlflow_config


def num_recorded(home: Home) -> int:
    return sum(counts.num_recorded for counts in read_counts(home.spool) if counts.topic == STEPS.name)


def wait_for_steps(home: Home, num_steps: int) -> None:
    wait_for(lambda: num_recorded(home) >= num_steps, DEADLINE_S)


def test_counts_and_broker_agree_after_kills(
    kafka_bus: Bus, kafka_config: KafkaConfig, released: MlflowConfig, tmp_home: Home
) -> None:
    launch = actor(tmp_home, kafka_config, released, rate=10.0)
    for _ in range(NUM_KILLS):
        before = num_recorded(tmp_home)
        with running(launch, tmp_home.logs) as process:
            wait_for_steps(tmp_home, before + 100)
            os.kill(process.pid, signal.SIGKILL)
    with running(launch, tmp_home.logs) as process:
        before = num_recorded(tmp_home)
        wait_for_steps(tmp_home, before + 50)
        assert process.stop(drain_s=30.0) == 0
    counts = read_counts(tmp_home.spool)
    assert sum(c.num_waiting + c.num_dropped for c in counts) == 0
    assert len({c.boot_id for c in counts}) == 2 * (NUM_KILLS + 1)
    for topic in (STEPS, EPISODES):
        assert delivered_by_boot(tmp_home, topic) == unique_by_boot(received(kafka_bus, topic))
