"""One robot's way through its action chunks (asynchronous inference, SmolVLA, arXiv 2506.01844).

    tick       0   1   2   3   4   5   6   7   8          num_executed 4, horizon 8, delay 1
    request    a               b               c
    executes   a0  a1  a2  a3  a4  b1  b2  b3  b4         b0 was for tick 4, which a4 covered

A chunk is asked for with the observation of the request tick and entered at the row of the present
tick: rows whose time has passed are skipped. In real time it is entered as soon as it is there; the
old chunk goes on until then, and when that is exhausted the robot holds. A simulated robot on its own
clock enters it at exactly `inference_delay_ticks`, and its clock stands still until it is there, so
that what it does does not depend on how fast the host is.
"""

import dataclasses

from actor.inference import Request, Sampler
from policy.errors import ConfigError
from policy.schema import Float32, Observation


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChunkConfig:
    """How a chunk is used."""

    num_executed: int = 4
    """Ticks from one request to the next."""
    inference_delay_ticks: int = 0
    """On a simulated robot's own clock: ticks from the request to the use of a chunk."""

    def __post_init__(self) -> None:
        if self.num_executed < 1 or not 0 <= self.inference_delay_ticks <= self.num_executed:
            raise ConfigError(
                "chunks need num_executed >= 1 and 0 <= inference_delay_ticks <= num_executed",
                num_executed=self.num_executed,
                inference_delay_ticks=self.inference_delay_ticks,
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """How often several chunks are drawn for one observation, to see how far they lie apart (`doubt.py`)."""

    num_samples: int = 1
    every: int = 1
    """Every so many chunks; the others are drawn once."""


ONCE = Sampling()


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """What the policy wants in this tick."""

    action: Float32
    """float32[A], the spec's units."""
    chunk_index: int
    """Row of its chunk; -1 where no policy ran."""


class Chunks:
    """The chunks of one episode of one robot; used by the control thread only."""

    def __init__(
        self,
        sampler: Sampler,
        seed: int,
        config: ChunkConfig,
        sampling: Sampling = ONCE,
    ) -> None:
        if config.num_executed + config.inference_delay_ticks > sampler.horizon:
            raise ConfigError(
                "a chunk is too short: num_executed + inference_delay_ticks must not exceed its horizon",
                num_executed=config.num_executed,
                inference_delay_ticks=config.inference_delay_ticks,
                horizon=sampler.horizon,
            )
        self._sampler = sampler
        self._seed = seed
        self._config, self._sampling = config, sampling
        self._num_asked = 0
        self._samples: Float32 | None = None
        self._chunk: Float32 | None = None
        self._chunk_tick = 0
        self._request: Request | None = None
        self._request_tick = 0

    def ask(self, tick: int, observation: Observation) -> Request | None:
        """The request to hand to the inference thread, when it is time for one."""
        is_time = self._chunk is None or tick - self._chunk_tick >= self._config.num_executed
        if self._request is not None or not is_time:
            return None
        is_sampled = self._num_asked % self._sampling.every == 0
        self._request = Request(
            sampler=self._sampler,
            observation=observation,
            seed=(self._seed, tick),
            num_samples=self._sampling.num_samples if is_sampled else 1,
        )
        self._num_asked += 1
        self._request_tick = tick
        return self._request

    def is_waiting(self, tick: int) -> bool:
        """Whether a robot on its own clock must stand still: the chunk it needs now is not there."""
        return self._is_needed(tick) and self._request is not None and not self._request.is_done

    def propose(self, tick: int, *, is_virtual: bool) -> Proposal | None:
        """The action of this tick; None when there is nothing to execute, so the robot holds.

        Args:
            tick: ticks since the episode began.
            is_virtual: the robot is on its own clock, and is not waiting.
        """
        if self._request is not None and self._request.is_done and (not is_virtual or self._is_needed(tick)):
            chunks = self._request.result()
            self._chunk, self._chunk_tick = chunks[0], self._request_tick
            self._samples = chunks if len(chunks) > 1 else self._samples
            self._request = None
        index = tick - self._chunk_tick
        if self._chunk is None or index >= len(self._chunk):
            return None
        return Proposal(action=self._chunk[index], chunk_index=index)

    def take_samples(self) -> Float32 | None:
        """float32[K, H, A] for one observation, once each time that several were drawn."""
        samples, self._samples = self._samples, None
        return samples

    def drop(self) -> None:
        """Forget everything: somebody else moved the robot, so what was planned is stale."""
        if self._request is not None:
            self._request.cancel()
        self._chunk, self._request, self._samples = None, None, None

    def _is_needed(self, tick: int) -> bool:
        is_empty = self._chunk is None or tick - self._chunk_tick >= len(self._chunk)
        return is_empty or tick >= self._request_tick + self._config.inference_delay_ticks
