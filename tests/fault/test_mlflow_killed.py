"""While MLflow is gone robots go on acting on the weights that they have, also in a process that starts meanwhile."""

import os
import signal
from pathlib import Path

from actor.journal import read_counts
from infra import connect, identity, mlflow_server, weight_signing
from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.mlflow_server import MlflowServerConfig
from infra.processes import running
from infra.registry import MlflowConfig
from infra.releases import CHAMPION
from infra.topics import STEPS
from tests.actor_process import actor, received
from tests.actor_rig import SPEC, save_policy, wait_for

DEADLINE_S = 150.0


def wait_for_steps(home: Home, num_more: int) -> None:
    def num_recorded() -> int:
        return sum(counts.num_recorded for counts in read_counts(home.spool) if counts.topic == STEPS.name)

    before = num_recorded()
    wait_for(lambda: num_recorded() >= before + num_more, DEADLINE_S)


def test_robots_keep_acting(kafka_bus: Bus, kafka_config: KafkaConfig, tmp_home: Home, tmp_path: Path) -> None:
    server, url = mlflow_server.launch(tmp_path / "mlflow", MlflowServerConfig())
    settings = MlflowConfig(tracking_url=url, model="fault")
    launch = actor(tmp_home, kafka_config, settings, rate=10.0)
    with running(server, tmp_path) as mlflow:
        registry = connect.registry(settings)
        published = registry.publish(save_policy(tmp_path / "checkpoint"), tags={"spec_id": SPEC.spec_id})
        version = published.version
        weight_signing.sign_weights(registry, identity.service(tmp_home.path, "learner"), published)
        weight_signing.give_order(registry, identity.service(tmp_home.path, "judge"), version, CHAMPION)
        registry.set_alias(CHAMPION, version)
        with running(launch, tmp_home.logs) as process:
            wait_for_steps(tmp_home, 20)
            os.killpg(mlflow.pid, signal.SIGKILL)
            wait_for(lambda: mlflow.exit_code() is not None, DEADLINE_S)
            wait_for_steps(tmp_home, 100)
            os.kill(process.pid, signal.SIGKILL)
        with running(launch, tmp_home.logs) as process:  # knows its weights from disk alone
            wait_for_steps(tmp_home, 50)
            assert process.stop(drain_s=30.0) == 0
    steps = received(kafka_bus, STEPS)
    assert {step.policy_version for step in steps} == {version}
    assert len({step.boot_id for step in steps}) == 4
