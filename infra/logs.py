"""Structured logs: one JSON object a line, to stderr and to `<log_dir>/<service>.jsonl`.

Write with the standard library: `logging.getLogger(__name__).info("committed", extra={"num_steps": 3})`;
the extra fields stand beside the message.
"""

import collections
import contextlib
import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_MAX_BYTES = 10 << 20
_NUM_OLD_FILES = 2
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CHATTY = ("mlflow", "urllib3", "websockets", "ray", "alembic", "matplotlib")
_SILENT = ("kafka",)
"""Logs every failed reconnection, several a second; our own errors and health checks say it once."""


class JsonFormatter(logging.Formatter):
    """One record as one JSON line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line, without the newline."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # Ray adds a field of its own to every record, with a leading underscore.
        line.update({key: said for key, said in vars(record).items() if key not in _STANDARD and key[0] != "_"})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Tail(logging.Handler):
    """The newest lines of this process's log, for whoever looks in from afar."""

    def __init__(self, service: str, num_lines: int = 1_000) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter(service))
        self._lines: collections.deque[str] = collections.deque(maxlen=num_lines)
        self._num = 0
        """Lines since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line; called with the handler's lock held."""
        self._lines.append(self.format(record))
        self._num += 1

    def after(self, line: int) -> tuple[int, tuple[str, ...]]:
        """The kept lines of higher numbers, and the number of the first; the process's first line is 0.

        A number that no line has yet was another process's: then all that are kept.
        """
        self.acquire()
        try:
            oldest = self._num - len(self._lines)
            first = max(line + 1, oldest) if line < self._num else oldest
            return first, tuple(self._lines)[first - oldest :]
        finally:
            self.release()


@contextlib.contextmanager
def tailing(service: str) -> Iterator[Tail]:
    """Keep the newest lines meanwhile."""
    tail = Tail(service)
    logging.getLogger().addHandler(tail)
    try:
        yield tail
    finally:
        logging.getLogger().removeHandler(tail)


def install(
    service: str, log_dir: Path | None, level: str = "INFO", *, to_stderr: bool = True
) -> list[logging.Handler]:
    """Send the process's logs to stderr, and to a file where there is a directory for it."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if to_stderr else []
    if log_dir is not None:
        log_dir.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                log_dir / f"{service}.jsonl", maxBytes=_MAX_BYTES, backupCount=_NUM_OLD_FILES
            )
        )
    root = logging.getLogger()
    root.setLevel(level)
    for handler in handlers:
        handler.setFormatter(JsonFormatter(service))
        root.addHandler(handler)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return handlers


def uninstall(handlers: list[logging.Handler]) -> None:
    """Undo `install`."""
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
        if isinstance(handler, logging.FileHandler):
            handler.close()
