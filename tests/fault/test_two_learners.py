"""A second learner on the same home is refused in one line, and the first does not notice."""

import dataclasses
import os
import subprocess
from pathlib import Path

from infra.bus import Bus, KafkaConfig
from infra.fleet import environ_of, service_launch
from infra.home import HOME_VARIABLE, Home
from infra.local import CONFIG_ERROR_CODE
from infra.processes import running
from infra.registry import MlflowConfig

DEADLINE_S = 120.0


def test_the_second_is_refused(
    kafka_bus: Bus, kafka_config: KafkaConfig, mlflow_config: MlflowConfig, tmp_home: Home, tmp_path: Path
) -> None:
    settings = {"kafka": dataclasses.asdict(kafka_config), "mlflow": dataclasses.asdict(mlflow_config)}
    environ = {**environ_of(settings), HOME_VARIABLE: str(tmp_home.path)}
    launch = service_launch("learner", ("learner",), environ)
    ring = tmp_home.replay / "ring.lock"
    ready = dataclasses.replace(launch, is_ready=ring.exists)
    with running(ready, tmp_path) as first:
        second = subprocess.run(
            launch.command,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert second.returncode == CONFIG_ERROR_CODE
        assert "another process uses this replay directory" in second.stderr.splitlines()[-1]
        assert first.exit_code() is None
