"""Several robots on one thread: who is due, and what to do when nobody is.

    while running:
        everybody who is due ticks once, robots in real time first
        nobody is due: what was asked for goes to the inference thread; wait for it or for the next tick

A robot in real time is due at its control rate. A robot on its own clock is due at `rate` times that
(0: always), but not while its chunk is being computed or the recorder is behind: its clock stands
still then, and the result is the same. So on a slow host simulated robots meet in large inference
batches and merely take longer.
"""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Sequence

from actor.control_loop import ControlLoop, Progress
from actor.inference import Inference
from infra.metrics import Metrics

_IDLE_S = 0.05
"""Between two looks of a robot that has nothing to do, and the longest wait of the scheduler."""


@dataclasses.dataclass(kw_only=True)
class _Slot:
    loop: ControlLoop
    period_s: float
    next_s: float
    is_idle: bool = False


class Scheduler:
    """Ticks all robots of a process until told to stop."""

    def __init__(
        self,
        loops: Sequence[ControlLoop],
        inference: Inference,
        *,
        rate: float,
        metrics: Metrics,
        is_behind: Callable[[], bool] = lambda: False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rate` is the multiple of real time of simulated robots that nobody holds; 0 as fast as possible."""
        self._slots = [
            _Slot(loop=loop, period_s=1 / loop.robot.spec.control_rate_hz, next_s=clock_s()) for loop in loops
        ]
        self._inference, self._rate, self._metrics = inference, rate, metrics
        self._is_behind, self._clock_s = is_behind, clock_s

    def run(self, stopping: threading.Event, is_done: Callable[[], bool] = lambda: False) -> None:
        """Tick until `stopping`, or until every robot is idle and `is_done`; then cut what runs."""
        with contextlib.ExitStack() as stack:
            for slot in self._slots:
                stack.callback(slot.loop.finish)  # every robot holds still, whatever ends the loop
            while not stopping.is_set():
                if not self.cycle():
                    if is_done() and all(slot.is_idle for slot in self._slots):
                        break
                    self._inference.flush()
                    self._inference.wake.wait(self._wait_s())
                    self._inference.wake.clear()

    def cycle(self) -> int:
        """Tick everybody who is due once; returns how many there were."""
        now_s = self._clock_s()
        due = sorted((slot for slot in self._slots if self._is_due(slot, now_s)), key=_urgency)
        for slot in due:
            self._tick(slot)
        return len(due)

    def _is_due(self, slot: _Slot, now_s: float) -> bool:
        if now_s < slot.next_s or slot.loop.is_waiting:
            return False
        return not (slot.loop.is_virtual and self._is_behind())

    def _tick(self, slot: _Slot) -> None:
        started_s = self._clock_s()
        progress = slot.loop.tick()
        now_s = self._clock_s()
        slot.is_idle = progress is Progress.IDLE
        if slot.is_idle:
            slot.next_s = now_s + _IDLE_S
        elif progress is Progress.TICKED:
            self._metrics.observe("touchline_tick_seconds", now_s - started_s)
            period_s = self._period_s(slot)
            is_late = started_s - slot.next_s > period_s
            if is_late and not slot.loop.is_virtual:
                self._metrics.count("touchline_tick_overruns_total", robot=slot.loop.robot_id)
            # Who is late by more than a tick does not catch up: two ticks at once would move it twice as fast.
            slot.next_s = (started_s if is_late else slot.next_s) + period_s

    def _period_s(self, slot: _Slot) -> float:
        if not slot.loop.is_virtual:
            return slot.period_s
        return slot.period_s / self._rate if self._rate else 0.0

    def _wait_s(self) -> float:
        """Until the next tick of anybody who is not waiting for a chunk."""
        soonest_s = min((slot.next_s for slot in self._slots if not slot.loop.is_waiting), default=float("inf"))
        return min(max(soonest_s - self._clock_s(), 0.001), _IDLE_S)


def _urgency(slot: _Slot) -> tuple[bool, float]:
    return slot.loop.is_virtual, slot.next_s
