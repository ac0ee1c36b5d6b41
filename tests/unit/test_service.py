import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from infra import config, scrape, service
from infra.service import DRAIN_EXCEEDED, Service
from policy.errors import ConfigError

TIMEOUT_S = 20.0


def get(port: int, path: str, token: str = "") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_and_health_are_served() -> None:
    with Service("actor-0", metrics_secret="s3cret") as process:
        process.metrics.count("touchline_steps_recorded_total", 3, robot="r1")
        assert get(process.port, "/metrics")[0] == 401
        assert get(process.port, "/metrics", "s3cre")[0] == 401
        status, text = get(process.port, "/metrics", "s3cret")
        assert status == 200
        assert 'touchline_steps_recorded_total{robot="r1"} 3.0' in text
        status, text = get(process.port, "/healthz")
        assert (status, json.loads(text)["is_healthy"]) == (200, True)
        problem: list[str] = ["no broker"]
        process.add_check("kafka", lambda: problem[0] if problem else None)
        status, text = get(process.port, "/healthz")
        assert (status, json.loads(text)["problems"]) == (503, {"kafka": "no broker"})
        problem.clear()
        assert get(process.port, "/healthz")[0] == 200
        process.stop()
        process.stop()
        assert get(process.port, "/healthz")[0] == 503
        assert get(process.port, "/else")[0] == 404


def test_a_port_in_use_is_named_with_the_fix() -> None:
    with Service("one") as first, pytest.raises(ConfigError, match=rf"port {first.port} .*--metrics-port"):
        Service("two", port=first.port)


def test_sigterm_sets_stopping_and_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Service("one") as process:
        os.kill(os.getpid(), signal.SIGTERM)
        assert process.stopping.wait(TIMEOUT_S)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_drain_that_takes_too_long_ends_the_process() -> None:
    code = (
        "import os, signal, time\nfrom infra.service import Service\n"
        "with Service('slow', drain_s=0.1):\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == DRAIN_EXCEEDED
    assert "not drained in time" in done.stderr


def test_logs_are_json_lines_with_their_fields(tmp_path: Path) -> None:
    with Service("ingest", log_dir=tmp_path) as process:
        logging.getLogger("storage.ingest").info("committed", extra={"num_steps": 3, "path": tmp_path})
        process.log.debug("not at this level")
    lines = [json.loads(line) for line in (tmp_path / "ingest.jsonl").read_text().splitlines()]
    assert [line["message"] for line in lines] == ["started", "committed", "stopped"]
    assert lines[1]["num_steps"] == 3
    assert lines[1]["path"] == str(tmp_path)
    assert (lines[1]["service"], lines[1]["logger"], lines[1]["level"]) == ("ingest", "storage.ingest", "info")


def test_an_error_that_ends_a_service_is_logged(tmp_path: Path) -> None:
    def fail() -> None:
        with Service("learner", log_dir=tmp_path):
            raise ValueError("nan loss")

    with pytest.raises(ValueError, match="nan loss"):
        fail()
    assert "nan loss" in (tmp_path / "learner.jsonl").read_text()


def test_a_service_from_flags_writes_its_log_in_the_home(tmp_path: Path) -> None:
    parser = config.parser("touchline x", "")
    service.add_flags(parser)
    args = parser.parse_args(["--home", str(tmp_path), "--drain-s", "1"])
    with service.from_args("x", args) as process:
        process.metrics.count("touchline_steps_recorded_total", robot="r1")
        families = scrape.metrics(process.port, tmp_path, timeout_s=TIMEOUT_S)
        assert "touchline_steps_recorded" in {family.name for family in families}
        with pytest.raises(ConnectionRefusedError, match="401"):
            scrape.metrics(process.port, tmp_path / "another", timeout_s=TIMEOUT_S)
    assert stat.S_IMODE((tmp_path / "metrics.token").stat().st_mode) == 0o600
    assert (tmp_path / "logs" / "x.jsonl").exists()


@pytest.mark.parametrize(
    "answer", [b"no such protocol\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{", b"HTTP/1.1 200 OK\r\n\r\n\xff"]
)
def test_an_answer_that_is_none_is_as_good_as_none(tmp_path: Path, answer: bytes) -> None:
    def serve(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.recv(4096)
            line.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        stranger = threading.Thread(target=serve, args=(listener,))
        stranger.start()
        with pytest.raises(ConnectionError, match="cannot be read"):
            scrape.metrics(listener.getsockname()[1], tmp_path, timeout_s=TIMEOUT_S)
        stranger.join()
