"""Subprocesses that never outlive us: started in a group of their own, known to the keeper.

Used by the supervisor (`local.py`) for the whole fleet, and by tests for a broker or a registry.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from infra import keeper
from policy.errors import TouchlineError

_POLL_S = 0.05
_TAIL_BYTES = 2000


def _always() -> bool:
    return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start one process."""

    name: str
    """Unique in its fleet; names the log file."""
    command: tuple[str, ...]
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Added to our own environment."""
    is_ready: Callable[[], bool] = _always
    """Asked until it says yes, before what needs this process is started."""
    ready_within_s: float = 60.0
    stops_as_group: bool = False
    """Whether SIGTERM goes to its children too: for programs that do not pass it on."""
    ends: bool = False
    """Whether exit code 0 means that its work is done; any other end is a death, and it starts again."""
    metrics_port: int = 0
    """Where it serves /metrics and /healthz; 0 where it does not."""


class Keeper:
    """Our end of the pipe; a context manager that leaves no process behind.

    Args:
        pass_fds: descriptors that the keeper holds open until it has ended everybody: a lock held
            that way is free only when the last process is gone.
    """

    def __init__(self, *, pass_fds: tuple[int, ...] = ()) -> None:
        self._pass_fds = pass_fds
        self._groups: set[int] = set()
        self._process = self._start()

    def add(self, group: int) -> None:
        """End this group when we are gone."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """The group has ended; its number may be somebody else's soon."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", keeper.__file__]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, bufsize=0, start_new_session=True, pass_fds=self._pass_fds
        )

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode())
        except BrokenPipeError:
            # The keeper itself was killed: a new one hears of everybody.
            self._process.stdin.close()
            self._process.wait()
            self._process = self._start()
            for group in self._groups:
                self._tell(f"+{group}\n")


class Process:
    """One running process."""

    def __init__(self, launch: Launch, log_dir: Path, keeper: Keeper) -> None:
        self.launch = launch
        self.log_file = log_dir / f"{launch.name}.log"
        self._keeper = keeper
        log_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._popen = subprocess.Popen(
                launch.command,
                env={**os.environ, **launch.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._is_ended = False
        keeper.add(self.pid)

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal. Ends what a dead process left of its group."""
        code = self._popen.poll()
        if code is not None and not self._is_ended:
            self._is_ended = True  # once only: the number may become another group's
            keeper.send(self.pid, signal.SIGKILL)
            self._keeper.remove(self.pid)
        return code

    def wait_ready(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Wait until it is of use, or nobody wants it any more.

        Raises:
            TouchlineError: it ended, or was not ready in time; the end of its log is in the message.
        """
        deadline = time.monotonic() + self.launch.ready_within_s
        while not should_stop() and not self.launch.is_ready():
            code = self.exit_code()
            if code == 0 and self.launch.ends:
                return
            if code is not None or time.monotonic() > deadline:
                raise TouchlineError(
                    f"{self.launch.name} did not start; see {self.log_file}",
                    exit_code=code,
                    log=self.log_tail(),
                )
            time.sleep(_POLL_S)

    def ask_to_stop(self) -> None:
        """SIGTERM; it may take its time, see `stop`."""
        if self._popen.poll() is None:
            if self.launch.stops_as_group:
                keeper.send(self.pid, signal.SIGTERM)
            else:
                self._popen.terminate()

    def stop(self, drain_s: float) -> int:
        """SIGTERM, and SIGKILL after `drain_s`; returns the exit code."""
        self.ask_to_stop()
        try:
            self._popen.wait(drain_s)
        except subprocess.TimeoutExpired:
            keeper.send(self.pid, signal.SIGKILL)
            self._popen.wait()
        code = self.exit_code()
        assert code is not None
        return code

    def log_tail(self) -> str:
        """The end of what it printed."""
        return self.log_file.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")


@contextlib.contextmanager
def running(launch: Launch, log_dir: Path, *, drain_s: float = 10.0) -> Iterator[Process]:
    """One process by itself, ready, and stopped at the end."""
    with Keeper() as kept:
        process = Process(launch, log_dir, kept)
        try:
            process.wait_ready()
            yield process
        finally:
            process.stop(drain_s)
