"""The inference thread: chunks for all robots of the process, in as few batches as possible.

    control thread                          inference thread
      ask(request)      (kept back)
      flush()           ----------------->  group by policy -> one batch each -> request.result()
      wake.wait()       <-----------------  wake.set()

The control loop never waits here; it looks at `Request.is_done`. The scheduler flushes when no robot
is due, so that robots on their own clocks meet in one batch, and at once when a robot in real time
asks.
"""

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from infra.metrics import Metrics
from policy.schema import Float32, Observation

Seed = tuple[int, ...]
"""Scene and tick, and a number for each further sample of the same request: the same request gets the
same noise, whatever else is in its batch."""


class Sampler(Protocol):
    """Turns observations into chunks; `actor.acting_policy.ActingPolicy` is the real one."""

    @property
    def horizon(self) -> int:
        """Rows of a chunk."""

    def sample(self, observations: Sequence[Observation], seeds: Sequence[Seed]) -> Float32:
        """float32[B, H, A] in the robot's units."""


class Request:
    """A chunk in the making; filled by the inference thread, read by the control thread."""

    def __init__(self, *, sampler: Sampler, observation: Observation, seed: Seed, num_samples: int = 1) -> None:
        """The first of the `num_samples` chunks is to be executed; it does not depend on their number."""
        self.sampler = sampler
        self.observation = observation
        self.seeds = (seed, *((*seed, number) for number in range(1, num_samples)))
        self._chunks: Float32 | None = None
        self._error: Exception | None = None
        self.is_wanted = True

    @property
    def is_done(self) -> bool:
        """Whether `result` may be called."""
        return self._chunks is not None or self._error is not None

    def result(self) -> Float32:
        """float32[K, H, A], the chunk to execute first.

        Raises:
            Exception: whatever the sampler raised; the process must not go on with this policy.
        """
        if self._error is not None:
            raise self._error
        assert self._chunks is not None
        return self._chunks

    def cancel(self) -> None:
        """Nobody will read the result."""
        self.is_wanted = False

    def fill(self, chunks: Float32) -> None:
        """The chunks, float32[K, H, A]."""
        self._chunks = chunks

    def fail(self, error: Exception) -> None:
        """There will be no chunk."""
        self._error = error


class Inference:
    """Computes requests on a thread of its own; `ask` and `flush` never wait."""

    def __init__(self, metrics: Metrics) -> None:
        self.wake = threading.Event()
        """Set after every batch; the scheduler waits on it."""
        self._metrics = metrics
        self._kept_back: list[Request] = []
        self._pending: list[Request] = []
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def ask(self, request: Request, *, is_urgent: bool = False) -> None:
        """Queue a request until the next `flush`; an urgent one flushes at once."""
        self._kept_back.append(request)
        if is_urgent:
            self.flush()

    def flush(self) -> None:
        """Let the inference thread have what was asked for."""
        if self._kept_back:
            with self._changed:
                self._pending += self._kept_back
                self._changed.notify()
            self._kept_back = []

    def close(self) -> None:
        """End the thread after the batch in hand; what is pending is not computed."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closing)
                if self._is_closing:
                    return
                requests, self._pending = self._pending, []
            groups: dict[int, list[Request]] = {}
            for request in requests:
                if request.is_wanted:
                    groups.setdefault(id(request.sampler), []).append(request)
            for group in groups.values():
                self._compute(group)
            self.wake.set()

    def _compute(self, group: list[Request]) -> None:
        started = time.monotonic()
        try:
            observations = [request.observation for request in group for _ in request.seeds]
            chunks = group[0].sampler.sample(observations, [seed for request in group for seed in request.seeds])
        except Exception as error:  # whatever it is belongs to the control thread, which must not wait for ever
            for request in group:
                request.fail(error)
            return
        first = 0
        for request in group:
            request.fill(chunks[first : first + len(request.seeds)])
            first += len(request.seeds)
        self._metrics.observe("touchline_inference_seconds", time.monotonic() - started)
