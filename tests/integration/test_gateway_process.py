"""The human side's processes as a person or a supervisor meets them: start, refuse in words, end cleanly."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corrections.__main__ import main
from corrections.operator_client import OperatorClient, OperatorConfig
from infra import scrape
from infra.ports import free_port
from policy.schema import Outcome
from tests.corrections_rig import DEADLINE_S, ticking, until


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TOUCHLINE_")}
    nobody = f"127.0.0.1:{free_port()}"
    return kept | {"TOUCHLINE_HOME": str(home), "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": nobody} | extra


@contextmanager
def process(home: Path, *words: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "corrections", *words]
    child = subprocess.Popen(command, env=environment(home, **extra), stderr=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def wait_for_log(child: subprocess.Popen[str], message: str) -> dict[str, object]:
    assert child.stderr is not None
    for line in child.stderr:
        fields: dict[str, object] = json.loads(line)
        if fields["message"] == message:
            return fields
    raise AssertionError(f"the process ended without saying {message!r}")


def test_the_gateway_serves_without_a_broker_and_ends_cleanly(tmp_path: Path) -> None:
    async def visit(port: object) -> None:
        config = OperatorConfig(url=f"ws://127.0.0.1:{port}/operator", operator_id="ann", timeout_s=DEADLINE_S)
        with ticking(f"ws://127.0.0.1:{port}/robot", token="secret") as robot:
            async with OperatorClient(config, token="secret") as client:
                await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
                await client.acquire("r1")
                await until(lambda: robot.link.people("r1").is_held)
                await client.label("e1", Outcome.SUCCESS)
                await client.wait_for(lambda: client.receipt is not None, DEADLINE_S)
                await client.release()

    with process(tmp_path, "gateway", "--port", "0", "--drain-s", "20", TOUCHLINE_GATEWAY_TOKEN="secret") as child:
        metrics_port = wait_for_log(child, "started")["metrics_port"]
        asyncio.run(visit(wait_for_log(child, "listening")["port"]))
        assert isinstance(metrics_port, int)
        leases = {
            sample.labels["event"]: sample.value
            for family in scrape.metrics(metrics_port, tmp_path, timeout_s=DEADLINE_S)
            for sample in family.samples
            if sample.name == "touchline_lease_events_total"
        }
        assert (leases["granted"], leases["released"]) == (1.0, 1.0)
        child.send_signal(signal.SIGTERM)
        _, rest = child.communicate(timeout=60)
        assert child.returncode == 0, rest
        assert re.search("records lost", rest), "what the broker never took is said"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("gateway", "--host", "0.0.0.0"), "set gateway.tls_cert and gateway.tls_key"),
        (("gateway", "--port", "99999"), "port must be 0 to 65535"),
        (("gateway", "--bootstrap-servers", ""), "the gateway needs kafka.bootstrap_servers"),
        (("operator", "--operators", "0"), "operators must be 1 to 64"),
        (("device", "check", "--device", "spacemouse"), "no SpaceMouse is plugged in"),
        (("nonsense",), "usage"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    words: tuple[str, ...],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in environment(tmp_path).items():
        monkeypatch.setenv(name, text)
    monkeypatch.delenv("TOUCHLINE_GATEWAY_TOKEN", raising=False)
    assert main(words) == 2
    assert complaint in capsys.readouterr().err


def test_scripted_people_wait_for_a_gateway_and_end_cleanly(tmp_path: Path) -> None:
    nobody = f"ws://127.0.0.1:{free_port()}/operator"
    with process(tmp_path, "operator", "--url", nobody) as child:
        wait_for_log(child, "waiting for the gateway")
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
        assert child.returncode == 0
