"""MLflow's own accounts: a robot reads weights and writes nothing, whatever it holds; services write what is theirs."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra import connect, mlflow_server
from infra.mlflow_server import MlflowServerConfig
from infra.processes import running
from infra.registry import CHAMPION, MlflowConfig, PolicyRegistry
from policy.errors import RegistryRefused

PASSWORDS = {name: f"{name}, in this test alone" for name in ("admin", "learner", "judge", "r1")}
TIMEOUT_S = 60.0
CONFIG = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/accounts.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


class Server:
    """A server that asks everybody for a name and a password."""

    def __init__(self, url: str) -> None:
        self.config = MlflowConfig(tracking_url=url, request_timeout_s=int(TIMEOUT_S))
        for name in ("learner", "judge", "r1"):
            self.ask("2.0/mlflow/users/create", {"username": name, "password": PASSWORDS[name]})

    def ask(self, path: str, fields: dict[str, str], account: str = "admin") -> httpx.Response:
        """Call MLflow's own API as somebody."""
        url = f"{self.config.tracking_url}/api/{path}"
        return httpx.post(url, json=fields, auth=(account, PASSWORDS[account]), timeout=TIMEOUT_S).raise_for_status()

    def put_file(self, path: str, name: str) -> int:
        """Upload a file past the client; the answer's status."""
        url = f"{self.config.tracking_url}/api/2.0/mlflow-artifacts/artifacts/{path}"
        return httpx.put(url, content=b"other", auth=(name, PASSWORDS[name]), timeout=TIMEOUT_S).status_code

    @contextlib.contextmanager
    def registry(self, name: str, password: str = "") -> Iterator[PolicyRegistry]:
        """Our door, in a process that has this account in its environment."""
        with pytest.MonkeyPatch.context() as environ:
            environ.setenv("MLFLOW_TRACKING_USERNAME", name)
            environ.setenv("MLFLOW_TRACKING_PASSWORD", password or PASSWORDS[name])
            yield connect.registry(self.config)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mlflow-accounts")
    config = folder / "accounts.ini"
    config.write_text(CONFIG.format(folder=folder))
    launch, url = mlflow_server.launch(folder, MlflowServerConfig())
    launch = dataclasses.replace(
        launch,
        command=(*launch.command, "--app-name", "basic-auth"),
        environ={
            **launch.environ,
            "MLFLOW_AUTH_CONFIG_PATH": str(config),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test alone",
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORDS["admin"],
        },
        ready_within_s=240.0,
    )
    with running(launch, folder):
        yield Server(url)


@pytest.fixture(scope="module")
def version(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A version that the learner has published, and may manage; the judge may too."""
    checkpoint = tmp_path_factory.mktemp("checkpoint")
    (checkpoint / "weights.safetensors").write_bytes(b"weights")
    with server.registry("learner") as registry:
        published = registry.publish(checkpoint, tags={"spec_id": "s"})
    for kind, identifier in (("registered_model", server.config.model), ("experiment", "1")):
        granted = {"resource_type": kind, "resource_id": identifier, "username": "judge", "permission": "MANAGE"}
        server.ask("3.0/mlflow/users/permissions/grant", granted, account="learner")
    return published.version


def test_a_robots_account_reads_weights(server: Server, version: str, tmp_path: Path) -> None:
    with server.registry("judge") as registry:
        registry.set_alias(CHAMPION, version)
        registry.set_tag(version, "status", "champion")
    with server.registry("r1") as registry:
        assert registry.aliases() == {CHAMPION: version}
        assert registry.get(version).tags["status"] == "champion"
        fetched = registry.fetch(registry.get(version), tmp_path)
    assert (fetched / "weights.safetensors").read_bytes() == b"weights"


def test_a_robots_account_writes_nothing(server: Server, version: str, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"other")
    with server.registry("r1") as registry:
        for write in (
            lambda: registry.set_alias(CHAMPION, version),
            lambda: registry.delete_alias(CHAMPION),
            lambda: registry.set_tag(version, "sha256", "0"),
            lambda: registry.set_model_tag("freeze", "x"),
            lambda: registry.log_curve(version, "loss", [(0, 1.0)]),
            lambda: registry.publish(tmp_path, tags={"spec_id": "s"}),
        ):
            with pytest.raises(RegistryRefused, match="MLFLOW_TRACKING_USERNAME"):
                write()
        assert [found.version for found in registry.versions()] == [version]
        assert registry.aliases() == {CHAMPION: version}


def test_a_robots_account_replaces_no_file_past_the_client(server: Server, version: str, tmp_path: Path) -> None:
    with server.registry("learner") as registry:
        run_id = registry._client.get_model_version(server.config.model, version).run_id  # type: ignore[attr-defined]
    own = f"1/{run_id}/artifacts/checkpoint/weights.safetensors"
    for path in (own, f"./{own}", f"elsewhere/%2e%2e/{own}", "elsewhere/weights.safetensors"):
        assert server.put_file(path, "r1") in (400, 403, 404), path
    with server.registry("r1") as registry:
        fetched = registry.fetch(registry.get(version), tmp_path)
    assert (fetched / "weights.safetensors").read_bytes() == b"weights"


def test_a_wrong_password_is_named(server: Server, version: str) -> None:
    with server.registry("r1", password="a guess") as registry:
        with pytest.raises(RegistryRefused, match="MLFLOW_TRACKING_PASSWORD"):
            registry.aliases()
        with pytest.raises(RegistryRefused):
            registry.get(version)
