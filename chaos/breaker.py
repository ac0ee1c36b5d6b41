"""Breaks one thing, mends it, and waits until the fleet works again."""

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping

from chaos.faults import Fault, Way
from chaos.line import Line
from chaos.signs import Signs
from infra.local import Supervisor

_LOOK_S = 0.2
_DRIVER_S = 20.0
"""How long a fault that parts people from robots waits for somebody who drives."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broken:
    """One fault, as it went."""

    fault: Fault
    was_driven: bool
    """Whether a person drove a robot at that moment."""
    started_ns: int
    """Wall time."""
    ended_ns: int
    """When the process was started again, or went on, or the line was whole: recovery counts from here."""
    recovered_ns: int
    """When the fleet worked again; 0 where it did not in time."""
    missing: str
    """What did not work at last, in words; empty where all did."""
    is_cut_short: bool
    """Whether a person ended the run while the fleet recovered."""

    @property
    def recovery_s(self) -> float:
        """From the break of a killed process, from the mend of anything else; infinite where it never came."""
        if not self.recovered_ns:
            return float("inf")
        since_ns = self.started_ns if self.fault.way is Way.KILL else self.ended_ns
        return (self.recovered_ns - since_ns) / 1e9


class Breaker:
    """Does what a schedule says to a running fleet."""

    def __init__(
        self,
        supervisor: Supervisor,
        lines: Mapping[str, Line],
        signs: Signs,
        *,
        look: Callable[[float], bool],
        recover_s: float,
    ) -> None:
        """Nothing is broken yet.

        Args:
            supervisor: of the fleet.
            lines: by name.
            signs: of the fleet.
            look: tends the fleet and waits so many seconds; returns whether to stop.
            recover_s: how long to wait for a recovery.
        """
        self._supervisor, self._lines, self._signs = supervisor, lines, signs
        self._look, self._recover_s = look, recover_s

    def carry_out(self, fault: Fault) -> Broken | None:
        """Break, mend and wait; None when told to stop before anything was broken."""
        if self._waits(fault.pause_s):
            return None
        was_driven = self._waits_for_driver() if fault.parts_people else self._signs.is_driven()
        pid = 0 if fault.way is Way.CUT else self._supervisor.pid(fault.victim)
        started_ns = time.time_ns()
        with self._mended(fault):
            if fault.way is Way.KILL:
                self._restarted(fault.victim, pid)
            else:
                self._waits(fault.lasts_s)
            ended_ns = time.time_ns()
        recovered_ns, missing, is_cut_short = self._recovery(ended_ns)
        return Broken(
            fault=fault,
            was_driven=was_driven,
            started_ns=started_ns,
            ended_ns=ended_ns,
            recovered_ns=recovered_ns,
            missing=missing,
            is_cut_short=is_cut_short,
        )

    @contextlib.contextmanager
    def _mended(self, fault: Fault) -> Iterator[None]:
        """Break it; whatever happens meanwhile, it is whole afterwards."""
        match fault.way:
            case Way.CUT:
                self._lines[fault.victim].cut()
            case Way.FREEZE:
                self._send(fault.victim, signal.SIGSTOP)
            case Way.KILL:
                self._send(fault.victim, signal.SIGKILL)
        try:
            yield
        finally:
            match fault.way:
                case Way.CUT:
                    self._lines[fault.victim].mend()
                case Way.FREEZE:
                    self._send(fault.victim, signal.SIGCONT)

    def _send(self, name: str, number: signal.Signals) -> None:
        """Signal a process and its children."""
        with contextlib.suppress(ProcessLookupError):  # it has just died of something else
            os.killpg(self._supervisor.pid(name), number)

    def _restarted(self, name: str, pid: int) -> None:
        """Until the supervisor has started it again, under another number."""
        deadline_s = time.monotonic() + self._recover_s
        while self._supervisor.pid(name) == pid and time.monotonic() < deadline_s:
            if self._look(_LOOK_S):
                return

    def _recovery(self, since_ns: int) -> tuple[int, str, bool]:
        """When it worked again (0: never), what did not, and whether a person ended the wait."""
        deadline_s = time.monotonic() + self._recover_s
        while missing := self._signs.missing(since_ns):
            must_stop = self._look(_LOOK_S)
            if must_stop or time.monotonic() > deadline_s:
                return 0, missing, must_stop
        return time.time_ns(), "", False

    def _waits_for_driver(self) -> bool:
        deadline_s = time.monotonic() + _DRIVER_S
        while not (is_driven := self._signs.is_driven()) and time.monotonic() < deadline_s:
            if self._look(_LOOK_S / 4):
                break
        return is_driven

    def _waits(self, wait_s: float) -> bool:
        """Let the fleet go on for a while; returns whether to stop."""
        deadline_s = time.monotonic() + wait_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self._look(min(left_s, _LOOK_S)):
                return True
        return self._look(0.0)
