"""The console as a person or a supervisor meets it: start, sign in by link, refuse in words, end cleanly."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from console.__main__ import PASSWORD_VARIABLE, main
from console.people.roles import Role
from console.people.users import UserFile, users_file
from infra import console_link
from infra.home import Home
from infra.ports import free_port
from policy.errors import ConfigError
from tests.console_rig import CHEAP, PASSWORD

TIMEOUT_S = 30.0


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TOUCHLINE_")}
    nobody = f"127.0.0.1:{free_port()}"
    return (
        kept
        | {
            "TOUCHLINE_HOME": str(home),
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": nobody,
            "TOUCHLINE_MLFLOW__TRACKING_URL": f"http://{nobody}",
            "TOUCHLINE_OPERATOR__URL": f"ws://{nobody}/operator",
        }
        | extra
    )


@contextmanager
def process(home: Path, *words: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "console", *words]
    child = subprocess.Popen(command, env=environment(home, **extra), stderr=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def wait_for_log(child: subprocess.Popen[str], message: str) -> dict[str, object]:
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line)
        fields: dict[str, object] = json.loads(line)
        if fields["message"] == message:
            return fields
    raise AssertionError(f"the process ended without saying {message!r}: {lines}")


def test_it_serves_with_everything_away_and_ends_cleanly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with process(tmp_path, "--port", "0") as child:
        address = str(wait_for_log(child, "listening")["address"])
        assert console_link.address(Home(tmp_path)) == address
        health = httpx.get(f"{address}/healthz", timeout=TIMEOUT_S)
        assert health.status_code == 503
        assert health.json()["problems"].keys() == {"gateway"}
        assert main(["link", "--home", str(tmp_path)]) == 0
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=TIMEOUT_S) as http:
            assert http.get(capsys.readouterr().out.strip()).status_code == 200
            session = http.get("/api/session").json()
            assert session["role"] == "admin"
            assert session["limits"]["command_rate_hz"] == 50
            assert session["mapping"].keys() == {"dead_zone", "curve", "speeds", "axes"}
            page = http.get("/", headers={"Accept": "text/html"})
            assert page.status_code == 200
            assert page.text.count("<script") - page.text.count("src=") == 1, "no inline script but the import map"
            for path in ("/api/episodes", "/api/learning", "/api/weights", "/api/fleet", "/api/series"):
                answer = http.get(path)
                assert answer.status_code in (200, 503), (path, answer.text)
        child.send_signal(signal.SIGTERM)
        assert child.wait(TIMEOUT_S) == 0
        assert console_link.address(Home(tmp_path)) == ""


def test_a_port_in_use_is_refused_in_words(tmp_path: Path) -> None:
    with process(tmp_path, "--port", "0") as first:
        port = str(wait_for_log(first, "listening")["address"]).rpartition(":")[2]
        with process(tmp_path, "--port", port) as second:
            _, said = second.communicate(timeout=TIMEOUT_S)
            assert second.returncode == 2
            assert f"port {port} on 127.0.0.1 is in use" in said
            assert "console.port (--port)" in said


def test_listening_beyond_this_machine_is_refused_without_tls(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"set console\.tls_cert and console\.tls_key"):
        main(["--host", "0.0.0.0", "--home", str(tmp_path)])


def test_users_are_managed_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ["--home", str(tmp_path)]
    with pytest.raises(ConfigError, match=PASSWORD_VARIABLE):
        main(["user", *where, "add", "ann", "--role", "operator"])
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    assert main(["user", *where, "add", "ann", "--role", "operator"]) == 0
    with pytest.raises(ConfigError, match="no such role"):
        main(["user", *where, "add", "bob", "--role", "king"])
    assert main(["user", *where, "list"]) == 0
    assert capsys.readouterr().out == "ann may sign in as operator\noperator  ann\n"
    person = UserFile(users_file(tmp_path), CHEAP).check("ann", PASSWORD)
    assert person is not None
    assert person.role is Role.OPERATOR
    assert main(["user", *where, "remove", "ann"]) == 0
    assert UserFile(users_file(tmp_path)).people() == []


def test_no_console_no_link(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no console runs on"):
        main(["link", "--home", str(tmp_path)])
