"""The embedded MLflow: its own server with one worker and sqlite; artifacts beside it or in an object store.

A server that exists already is used instead by naming it in mlflow.tracking_url.
"""

import dataclasses
import http.client
import importlib.util
import sys
from pathlib import Path

from infra.ports import LOOPBACK, choose_port
from infra.processes import Launch
from policy.errors import ConfigError

_ENVIRON = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_NUM_THREADS": "1",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class MlflowServerConfig:
    """The embedded registry server."""

    port: int = 0
    """Port on 127.0.0.1; 0 for a free one."""
    artifacts_url: str = ""
    """Folder or s3://bucket/path where the server keeps weights; empty is beside its database. Keys and endpoint of a
    store come from its usual environment variables (AWS_ENDPOINT_URL, ...), and only the server needs them."""

    def __post_init__(self) -> None:
        if self.artifacts_url.startswith("s3://") and importlib.util.find_spec("boto3") is None:
            raise ConfigError("mlflow_server.artifacts_url in S3 needs boto3: install touchline[s3]")


def launch(directory: Path, config: MlflowServerConfig) -> tuple[Launch, str]:
    """Prepare a server whose files live in `directory`; returns how to start it, and its address.

    Raises:
        ConfigError: the port is in use.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = choose_port(config.port, "mlflow_server.port")
    options = {
        "--host": LOOPBACK,
        "--port": str(port),
        # The default of four workers takes 2 GB and is slower: they wait for one another on sqlite.
        "--workers": "1",
        "--backend-store-uri": f"sqlite:///{directory}/mlflow.db",
        "--artifacts-destination": config.artifacts_url or str(directory / "artifacts"),
    }
    arguments = (argument for option in options.items() for argument in option)
    start = Launch(
        name="mlflow",
        command=(sys.executable, "-m", "mlflow", "server", "--serve-artifacts", *arguments),
        environ=_ENVIRON,
        is_ready=lambda: _is_healthy(port),
        ready_within_s=120.0,
        stops_as_group=True,
    )
    return start, f"http://{LOOPBACK}:{port}"


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
