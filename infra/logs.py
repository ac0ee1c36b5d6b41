"""Structured logs: one JSON object a line, to stderr and to `<log_dir>/<service>.jsonl`.

Write with the standard library: `logging.getLogger(__name__).info("committed", extra={"num_steps": 3})`;
the extra fields stand beside the message.
"""

import json
import logging
import logging.handlers
import sys
import time
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
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


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
