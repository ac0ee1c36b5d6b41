"""What every process shares: signals, bounded drain, health, metrics, logs.

    with Service("actor-0", port=config.metrics_port, log_dir=home.logs) as service:
        while not service.stopping.is_set():
            ...
            service.metrics.count("touchline_steps_recorded_total", robot="r1")

SIGTERM and SIGINT set `stopping`; the body then finishes what it has in hand and leaves the `with`.
If it has not after `drain_s`, the process ends itself, so that a stop is never longer than that.
"""

import argparse
import contextlib
import dataclasses
import hmac
import json
import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from infra import config, home, logs, scrape
from infra.metrics import Metrics
from infra.ports import LOOPBACK, port_in_use
from policy.errors import TouchlineError

DRAIN_EXCEEDED = 3
"""Exit code of a process that did not drain in time."""

Check = Callable[[], str | None]
"""What is wrong, in words, or None."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceConfig:
    """What every process can be told."""

    metrics_port: int = 0
    """Port of /metrics, which asks for HOME/metrics.token, and /healthz on 127.0.0.1; 0 for a free one (logged, and in
    fleet.json)."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    drain_s: float = 10.0
    """How long a process may finish its work after SIGTERM before it ends itself."""


class Service:
    """One process's frame; a context manager, entered in the main thread."""

    def __init__(
        self,
        name: str,
        *,
        port: int = 0,
        metrics_secret: str = "",
        log_dir: Path | None = None,
        drain_s: float = ServiceConfig.drain_s,
        log_level: str = ServiceConfig.log_level,
        logs_to_stderr: bool = True,
    ) -> None:
        """Open the http port.

        Args:
            name: unique in its fleet; names the log file.
            port: of /metrics and /healthz; 0 for a free one.
            metrics_secret: what /metrics asks for; empty lets nobody read them.
            log_dir: folder of the log file; None for none.
            drain_s: longest time from `stop` to the end of the process.
            log_level: DEBUG, INFO, WARNING or ERROR.
            logs_to_stderr: False where stderr is a person's screen.

        Raises:
            ConfigError: the port is in use.
        """
        self.name = name
        self.stopping = threading.Event()
        """Set when the process is to stop; loops end, waits use `stopping.wait`."""
        self.metrics = Metrics()
        self.metrics_secret = metrics_secret or secrets.token_urlsafe(32)
        self.log = logging.getLogger(name)
        self._log_dir, self._log_level, self._logs_to_stderr = log_dir, log_level, logs_to_stderr
        self._drain_s = drain_s
        self._checks: dict[str, Check] = {}
        self._details: dict[str, Callable[[], str]] = {}
        self._started = time.monotonic()
        self._watchdog: threading.Timer | None = None
        self._old_handlers: dict[signal.Signals, Any] = {}
        try:
            self._http = ThreadingHTTPServer((LOOPBACK, port), _handler_of(self))
        except OSError as error:
            raise port_in_use(port, "service.metrics_port (--metrics-port)") from error
        self._http.daemon_threads = True

    @property
    def port(self) -> int:
        """Where /metrics and /healthz are served."""
        return self._http.server_port

    def add_check(self, name: str, check: Check) -> None:
        """Let `/healthz` say unhealthy while `check` returns a reason."""
        self._checks[name] = check

    def add_detail(self, name: str, detail: Callable[[], str]) -> None:
        """Let `/healthz` say something in words that is no problem."""
        self._details[name] = detail

    def stop(self) -> None:
        """As if SIGTERM had come."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._watchdog = threading.Timer(self._drain_s, self._give_up)
        self._watchdog.daemon = True
        self._watchdog.start()

    def health(self) -> dict[str, object]:
        """The body of `/healthz`."""
        problems = {name: reason for name, check in self._checks.items() if (reason := check())}
        if self.stopping.is_set():
            problems["stopping"] = "the process is draining"
        return {
            "service": self.name,
            "is_healthy": not problems,
            "problems": problems,
            "details": {name: detail() for name, detail in self._details.items()},
            "uptime_s": round(time.monotonic() - self._started, 3),
            "pid": os.getpid(),
        }

    def __enter__(self) -> Self:
        self._log_handlers = logs.install(self.name, self._log_dir, self._log_level, to_stderr=self._logs_to_stderr)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._old_handlers[number] = signal.signal(number, self._on_signal)
        threading.Thread(target=self._http.serve_forever, name="http", daemon=True).start()
        self.log.info("started", extra={"metrics_port": self.port, "pid": os.getpid()})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if isinstance(error, TouchlineError):
            self.log.error(str(error))  # says what to do; the traceback would not
        elif error is not None:
            self.log.error("ended by an error", exc_info=error)
        self.log.info("stopped")
        self._http.shutdown()
        self._http.server_close()
        if self._watchdog is not None:
            self._watchdog.cancel()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        logs.uninstall(self._log_handlers)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _give_up(self) -> None:
        self.log.error("not drained in time; ending", extra={"drain_s": self._drain_s})
        os._exit(DRAIN_EXCEEDED)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `ServiceConfig`."""
    config.add_flags(parser, "service", ServiceConfig)


def from_args(name: str, args: argparse.Namespace) -> Service:
    """A service as the section [service] and the flags say, with its log in the home directory.

    Raises:
        ConfigError: the port is in use, or a setting is wrong.
    """
    settings, place = config.from_args("service", ServiceConfig, args), home.from_args(args)
    return Service(
        name,
        port=settings.metrics_port,
        metrics_secret=scrape.secret(place.path),
        log_dir=place.logs,
        drain_s=settings.drain_s,
        log_level=settings.log_level,
    )


def _handler_of(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Two pages; everything else is 404."""

        def do_GET(self) -> None:
            if self.path == "/metrics" and not self._knows_secret():
                self._answer(401, "text/plain", b"send the token in HOME/metrics.token: Authorization: Bearer TOKEN\n")
            elif self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", service.metrics.exposition())
            elif self.path == "/healthz":
                health = service.health()
                body = json.dumps(health).encode()
                self._answer(200 if health["is_healthy"] else 503, "application/json", body)
            else:
                self._answer(404, "text/plain", b"/metrics or /healthz\n")

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not news."""

        def _knows_secret(self) -> bool:
            shown = self.headers.get("Authorization", "").encode()
            return hmac.compare_digest(shown, f"Bearer {service.metrics_secret}".encode())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            with contextlib.suppress(ConnectionError):  # who asked has gone
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    return Handler
