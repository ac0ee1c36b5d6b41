"""The supervisor: a whole fleet as subprocesses of one process on one machine.

    with Supervisor(home, on_event=print) as supervisor:
        supervisor.start([broker, registry])      one stage: started together, awaited together
        supervisor.start([gateway, ingest])
        while not stopping.wait(0.2):
            supervisor.tend()                     what died starts again, later each time

Leaving stops the stages in reverse order, each with a bounded drain. Killed with SIGKILL, the keeper
(`keeper.py`) ends everybody, and the next start on the same home resumes. A home has one supervisor:
the lock is free only when the last process of the one before is gone.
"""

import contextlib
import dataclasses
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import psutil

from infra.backoff import Backoff
from infra.home import Home
from infra.processes import Keeper, Launch, Process
from policy.errors import ConfigError, TouchlineError

CONFIG_ERROR_CODE = 2
"""Exit code of a command that refused its settings: starting it again would not help."""

_DRAIN_S = 15.0
_STEADY_S = 30.0
"""Who ran this long starts with the shortest backoff again."""
_LOCK_WAIT_S = 15.0
"""How long the processes of a killed supervisor may take to end."""
_POLL_S = 0.1


class StopAsked(Exception):
    """A person stopped the fleet while it was starting; what runs is stopped as ever."""


@dataclasses.dataclass(kw_only=True)
class _Member:
    """One process of the fleet, over its restarts."""

    process: Process
    started_s: float
    backoff: Backoff = dataclasses.field(default_factory=lambda: Backoff(initial_s=0.5, max_s=30.0))
    num_restarts: int = 0
    exit_code: int | None = None
    restart_at_s: float | None = None


class Supervisor:
    """Starts, watches, restarts and stops processes; one per home."""

    def __init__(
        self,
        home: Home,
        *,
        on_event: Callable[[str], None],
        should_stop: Callable[[], bool] = lambda: False,
        drain_s: float = _DRAIN_S,
    ) -> None:
        """Nothing happens yet.

        Args:
            home: whose processes these are.
            on_event: told in words what died and what started again.
            should_stop: asked while waiting for a process to get ready.
            drain_s: how long one stage may take to stop.
        """
        self.home = home
        self._should_stop = should_stop
        self._on_event = on_event
        self._drain_s = drain_s
        self._stages: list[list[str]] = []
        self._members: dict[str, _Member] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Take the home.

        Raises:
            ConfigError: another fleet runs on it.
        """
        lock = _lock(self.home)
        self._stack.callback(os.close, lock)
        self._keeper = self._stack.enter_context(Keeper(pass_fds=(lock,)))
        self._write()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        self._stack.close()

    def publish_settings(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell every command on this home, by `fleet.json`, where things are: section to values."""
        for section, values in settings.items():
            self._settings.setdefault(section, {}).update(values)
        self._write()

    def start(self, launches: Iterable[Launch]) -> None:
        """Start one stage and wait until all of it is ready.

        Raises:
            StopAsked: `should_stop` said so before all was ready.
            TouchlineError: a process ended, or was not ready in time.
        """
        launches = list(launches)
        self._stages.append([launch.name for launch in launches])
        for launch in launches:
            assert launch.name not in self._members, launch.name
            process = Process(launch, self.home.logs, self._keeper)
            self._members[launch.name] = _Member(process=process, started_s=time.monotonic())
        self._write()
        for launch in launches:
            self._members[launch.name].process.wait_ready(self._should_stop)
        if self._should_stop():
            raise StopAsked

    def tend(self) -> None:
        """Start again what died, when its time has come; call it a few times a second.

        Raises:
            TouchlineError: a process refused its settings at its first start.
        """
        for name, member in self._members.items():
            if member.restart_at_s is not None:
                if time.monotonic() >= member.restart_at_s:
                    self._restart(name, member)
            elif member.exit_code is None and (code := member.process.exit_code()) is not None:
                self._note_end(name, member, code)

    def is_running(self, name: str) -> bool:
        """Whether the process lives now."""
        return name in self._members and self._members[name].process.exit_code() is None

    def is_done(self, name: str) -> bool:
        """Whether a process that ends has done its work."""
        member = self._members[name]
        return member.process.launch.ends and member.process.exit_code() == 0

    @property
    def names(self) -> list[str]:
        """Everybody, in order of start."""
        return list(self._members)

    def pid(self, name: str) -> int:
        """The process id; another one after a restart."""
        return self._members[name].process.pid

    def stop(self, names: Iterable[str] | None = None) -> None:
        """Stop everything, the last stage first, or only the named ones, together."""
        stages = [list(names)] if names is not None else list(reversed(self._stages))
        for stage in stages:
            members = [self._members.pop(name) for name in stage if name in self._members]
            for member in members:
                member.process.ask_to_stop()
            deadline = time.monotonic() + self._drain_s
            for member in members:
                member.process.stop(max(0.0, deadline - time.monotonic()))
        if not self._members:
            self._stages.clear()
            self._settings.clear()  # nobody answers there any more
        self._write()

    def _restart(self, name: str, member: _Member) -> None:
        member.process = Process(member.process.launch, self.home.logs, self._keeper)
        member.started_s, member.restart_at_s, member.exit_code = time.monotonic(), None, None
        member.num_restarts += 1
        self._on_event(f"{name} started again (restart {member.num_restarts})")
        self._write()

    def _note_end(self, name: str, member: _Member, code: int) -> None:
        member.exit_code = code
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        if code == 0 and member.process.launch.ends:
            self._on_event(f"{name} is done")
            self._write()
            return
        if code == CONFIG_ERROR_CODE and member.num_restarts == 0:
            raise TouchlineError(f"{name} refused its settings", log=member.process.log_tail())
        now_s = time.monotonic()
        if now_s - member.started_s > _STEADY_S:
            member.backoff.reset()
        wait_s = member.backoff.next_s()
        member.restart_at_s = now_s + wait_s
        self._on_event(f"{name} died with {how}; starting it again in {wait_s:.1f} s")
        self._write()

    def _write(self) -> None:
        processes = {
            name: {
                "pid": member.process.pid,
                "is_running": member.exit_code is None,
                "is_done": member.exit_code == 0 and member.process.launch.ends,
                "num_restarts": member.num_restarts,
                "metrics_port": member.process.launch.metrics_port,
                "log": str(member.process.log_file),
            }
            for name, member in self._members.items()
        }
        self.home.write_fleet({"supervisor_pid": os.getpid(), "settings": self._settings, "processes": processes})


def _lock(home: Home) -> int:
    """Take the home's lock; the descriptor holds it."""
    home.path.mkdir(parents=True, exist_ok=True)
    lock = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = home.fleet().get("supervisor_pid", 0)
            # A dead supervisor's keeper holds the lock while it ends the last processes.
            if psutil.pid_exists(pid) or time.monotonic() > deadline:
                os.close(lock)
                raise ConfigError(
                    f"a fleet runs on {home.path} already (supervisor process {pid}); stop it, or use another --home"
                ) from error
            time.sleep(_POLL_S)
        else:
            return lock
