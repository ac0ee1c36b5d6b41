"""Nothing beyond this machine without TLS: who listens, who dials, and that it works with a certificate."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from console.config import ConsoleConfig
from console.sockets.gateway_line import GatewayAddress, GatewayLine
from corrections.gateway import GatewayConfig
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.operator_messages import OperatorHello
from corrections.robot_link import LinkConfig
from infra import connect, tls
from infra.bus import KafkaConfig
from infra.ports import is_loopback
from infra.registry import MlflowConfig
from infra.service import Service
from policy.errors import ConfigError, GatewayLost
from tests.authority import Authority
from tests.corrections_rig import DEADLINE_S, running_gateway, ticking, until
from tests.integration.test_console_process import process, wait_for_log

NEEDS_TLS: dict[str, Callable[[], object]] = {
    r"gateway\.tls_cert and gateway\.tls_key": lambda: GatewayConfig(host="0.0.0.0"),
    r"console\.tls_cert and console\.tls_key": lambda: ConsoleConfig(host="192.0.2.1"),
    r"link\.url must be wss://": lambda: LinkConfig(url="ws://gateway.example:8790/robot"),
    r"operator\.url must be wss://": lambda: OperatorConfig(url="ws://192.0.2.1:8790/operator"),
    r"kafka\.security_protocol": lambda: connect.bus(KafkaConfig(bootstrap_servers="127.0.0.1:1,kafka.example:9092")),
    r"mlflow\.tracking_url must be https://": lambda: connect.registry(
        MlflowConfig(tracking_url="http://mlflow.example:5000")
    ),
}


@pytest.mark.parametrize("setting", NEEDS_TLS)
def test_no_door_of_ours_opens_beyond_this_machine_without_tls(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting):
        NEEDS_TLS[setting]()


def test_what_has_no_tls_listens_on_loopback_alone(kafka_address: str, mlflow_url: str) -> None:
    """The embedded broker with its controller, the embedded registry, and every process's metrics."""
    metrics = Service("probe")._http
    metrics.server_close()
    assert is_loopback(str(metrics.server_address[0]))
    ports = {int(address.rpartition(":")[2]) for address in (kafka_address, mlflow_url)}
    sockets: list[Any] = [found for found in psutil.net_connections("inet") if found.status == psutil.CONN_LISTEN]
    owners = {found.pid for found in sockets if found.laddr.port in ports}
    addresses = {found.laddr.ip.removeprefix("::ffff:") for found in sockets if found.pid in owners}
    assert len(owners) >= 2
    assert all(map(is_loopback, addresses)), addresses


def test_robots_and_people_come_in_by_wss_and_believe_their_own_authority_alone(tmp_path: Path) -> None:
    authority, another = Authority(tmp_path, "ours"), Authority(tmp_path, "another")
    cert, key = authority.issue("gateway")
    config = GatewayConfig(port=0, tls_cert=str(cert), tls_key=str(key))

    async def scenario() -> None:
        async with running_gateway(config=config) as gateway:
            url, ca_file = f"wss://127.0.0.1:{gateway.port}", str(authority.file)
            person = OperatorConfig(url=f"{url}/operator", ca_file=ca_file, operator_id="ann", timeout_s=DEADLINE_S)
            with ticking(f"{url}/robot", ca_file=ca_file) as robot:
                async with OperatorClient(person) as client:
                    await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
                    await client.acquire("r1")
                    await until(lambda: robot.link.people("r1").is_held)
            for trusted in (str(another.file), ""):
                stranger = OperatorConfig(url=f"{url}/operator", ca_file=trusted, timeout_s=DEADLINE_S)
                with pytest.raises(GatewayLost, match="certificate verify failed"):
                    async with OperatorClient(stranger):
                        pass
            plain = OperatorConfig(url=f"ws://127.0.0.1:{gateway.port}/operator", timeout_s=DEADLINE_S)
            with pytest.raises(GatewayLost):
                async with OperatorClient(plain):
                    pass
            await _console_line(GatewayAddress(url=f"{url}/operator", ca_file=ca_file))

    asyncio.run(scenario())


async def _console_line(address: GatewayAddress) -> None:
    heard: list[bool] = []
    hello = OperatorHello(operator_id="console")
    line = GatewayLine(address, hello, take=lambda data: None, changed=lambda is_up, why: heard.append(is_up))
    running = asyncio.create_task(line.run())
    await until(lambda: heard[-1:] == [True])
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_the_console_serves_https(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    cert, key = authority.issue("console")
    files = {"TOUCHLINE_CONSOLE__TLS_CERT": str(cert), "TOUCHLINE_CONSOLE__TLS_KEY": str(key)}
    with process(tmp_path / "home", "--port", "0", **files) as child:
        address = str(wait_for_log(child, "listening")["address"])
        assert address.startswith("https://127.0.0.1:")
        trusted = httpx.get(f"{address}/healthz", verify=tls.client_context(str(authority.file)), timeout=DEADLINE_S)
        assert trusted.json()["problems"].keys() == {"gateway"}
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{address}/healthz", timeout=DEADLINE_S)
