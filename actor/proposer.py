"""Who proposes actions over one episode: a policy through its chunks, or the scripted expert."""

from typing import Protocol

from actor.chunks import ONCE, ChunkConfig, Chunks, Proposal, Sampling
from actor.inference import Inference, Sampler
from policy.schema import Float32, Observation
from robots.robot import Robot
from robots.task import Driver


class Proposer(Protocol):
    """Asked once a tick, in this order: `look`, `is_waiting`, `propose`."""

    def look(self, tick: int, observation: Observation, *, is_virtual: bool) -> None:
        """See what the robot sees; may start an inference, never waits for it."""

    def is_waiting(self, tick: int) -> bool:
        """Whether a robot on its own clock must stand still before this tick."""

    def propose(self, tick: int, *, is_virtual: bool) -> Proposal | None:
        """The action wanted in this tick; None for none, so the robot holds."""

    def take_samples(self) -> Float32 | None:
        """float32[K, H, A] plans for one observation, once each time that several were made."""

    def drop(self) -> None:
        """Somebody took over or handed back: forget all plans."""


class PolicyProposer:
    """Chunks of a policy, computed by the inference thread."""

    def __init__(
        self,
        sampler: Sampler,
        inference: Inference,
        scene_seed: int,
        config: ChunkConfig,
        sampling: Sampling = ONCE,
    ) -> None:
        self._inference = inference
        self._chunks = Chunks(sampler, scene_seed, config, sampling)

    def look(self, tick: int, observation: Observation, *, is_virtual: bool) -> None:
        """Ask for the next chunk when it is time."""
        request = self._chunks.ask(tick, observation)
        if request is not None:
            self._inference.ask(request, is_urgent=not is_virtual)

    def is_waiting(self, tick: int) -> bool:
        """Whether the chunk of this tick is still being computed."""
        return self._chunks.is_waiting(tick)

    def propose(self, tick: int, *, is_virtual: bool) -> Proposal | None:
        """The chunk's action for this tick."""
        return self._chunks.propose(tick, is_virtual=is_virtual)

    def take_samples(self) -> Float32 | None:
        """The chunks drawn for the observation of the one in use, where there are several."""
        return self._chunks.take_samples()

    def drop(self) -> None:
        """Forget the chunk, and the one on its way."""
        self._chunks.drop()


class ExpertProposer:
    """A scripted expert, which sees the simulator's truth and needs no inference."""

    def __init__(self, robot: Robot, expert: Driver) -> None:
        self._robot = robot
        self._expert = expert

    def look(self, tick: int, observation: Observation, *, is_virtual: bool) -> None:
        """It looks past the senses, at the time of acting."""

    def is_waiting(self, tick: int) -> bool:
        """Never."""
        return False

    def propose(self, tick: int, *, is_virtual: bool) -> Proposal | None:
        """What the expert does now."""
        return Proposal(action=self._expert.act(self._robot.privileged()), chunk_index=-1)

    def take_samples(self) -> Float32 | None:
        """It never doubts."""
        return None

    def drop(self) -> None:
        """It has no plans."""
