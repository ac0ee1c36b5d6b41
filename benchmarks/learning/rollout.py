"""Episodes of many simulated robots in lock-step: demonstrations, watched rollouts, evaluations."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from benchmarks.learning.operator import Operator, OperatorConfig
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import Float32, Observation, Outcome, UInt8
from robots.demonstrate import Demonstrator
from robots.plug_insertion import PlugInsertion
from robots.robot import TaskStatus


@dataclasses.dataclass(kw_only=True, eq=False)
class Episode:
    """One episode, growing while it runs."""

    scene_seed: int
    is_demonstration: bool = False
    observations: list[Observation] = dataclasses.field(default_factory=list)
    actions: list[Float32] = dataclasses.field(default_factory=list)
    is_correction: list[bool] = dataclasses.field(default_factory=list)
    is_held: list[bool] = dataclasses.field(default_factory=list)
    outcome: Outcome = Outcome.UNLABELLED
    reason: str = ""

    @property
    def num_steps(self) -> int:
        """Control ticks so far."""
        return len(self.actions)

    @property
    def is_success(self) -> bool:
        """Whether it ended well."""
        return self.outcome is Outcome.SUCCESS

    def end(self, status: TaskStatus) -> None:
        """Write down how it ended."""
        self.outcome, self.reason = status.outcome, status.reason


@dataclasses.dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """How a policy acts in the bench; the defaults are the actor's."""

    num_robots: int = 32
    """Robots in lock-step."""
    num_executed: int = 4
    """Actions used of a chunk before the next takes over."""
    delay_ticks: int = 0
    """Age of the observation when its chunk takes over: asynchronous inference."""
    feels: bool = True
    """Whether touch is given to the policy; False is the ablation."""


def demonstrate(scene_seeds: Sequence[int], robot: PlugInsertion) -> list[Episode]:
    """One noisy expert demonstration per scene."""
    episodes = []
    for seed in scene_seeds:
        episode = Episode(scene_seed=seed, is_demonstration=True)
        observation, expert, status = robot.reset(seed), Demonstrator(seed), TaskStatus()
        while not (status.is_terminal or status.is_truncated):
            action = expert.act(robot.privileged())
            episode.observations.append(observation)
            episode.actions.append(action)
            episode.is_correction.append(False)
            episode.is_held.append(False)
            status = robot.apply(action)
            observation = robot.observe()
        episode.end(status)
        episodes.append(episode)
    return episodes


class _Slot:
    """One robot with its episode, its chunks and the person who may be watching.

    A chunk asked for at tick t takes over at t + delay with its action number `delay`, as when it is
    computed while the one before it is executed; the first of an episode has nothing to wait for.
    """

    def __init__(
        self, robot: PlugInsertion, scene_seed: int, operator: Operator | None, keeps_observations: bool
    ) -> None:
        self.robot, self.operator, self.keeps_observations = robot, operator, keeps_observations
        self.episode = Episode(scene_seed=scene_seed)
        self.robot.reset(scene_seed)
        self._chunk: Float32 | None = None
        self._next: Float32 | None = None
        self._age = 0

    def wants_chunk(self, num_executed: int) -> bool:
        return self._chunk is None or (self._age >= num_executed and self._next is None)

    def receive(self, chunk: Float32) -> None:
        if self._chunk is None:
            self._chunk, self._age = chunk, 0
        else:
            self._next = chunk

    def tick(self, config: RolloutConfig) -> TaskStatus:
        """One control tick with the chunk at hand."""
        if self._next is not None and self._age >= config.num_executed + config.delay_ticks:
            self._chunk, self._next, self._age = self._next, None, config.delay_ticks
        assert self._chunk is not None
        command = self.operator.command(self.robot.privileged()) if self.operator else None
        if command is None:
            action, is_held = self._chunk[self._age], False
            self._age += 1
        else:
            action, is_held = command
            self._chunk = self._next = None
        if self.keeps_observations:
            self.episode.observations.append(self.robot.observe())
        self.episode.actions.append(action)
        self.episode.is_correction.append(command is not None and not is_held)
        self.episode.is_held.append(is_held)
        return self.robot.apply(action)


def roll_out(
    policy: Policy,
    robots: Sequence[PlugInsertion],
    scene_seeds: Sequence[int],
    *,
    guidance: Guidance,
    config: RolloutConfig,
    seed: int,
    operator: OperatorConfig | None = None,
    keeps_observations: bool = True,
) -> Iterator[Episode]:
    """Episodes in the order in which they end."""
    generator = torch.Generator().manual_seed(seed)
    waiting = list(reversed(scene_seeds))

    def start(robot: PlugInsertion) -> _Slot:
        scene_seed = waiting.pop()
        person = Operator(operator, seed=scene_seed) if operator else None
        return _Slot(robot, scene_seed, person, keeps_observations)

    slots = [start(robot) for robot in robots[: len(waiting)]]
    while slots:
        asking = [slot for slot in slots if slot.wants_chunk(config.num_executed)]
        if asking:
            batch = ObservationBatch.stack([slot.robot.observe() for slot in asking])
            if not config.feels:
                batch = dataclasses.replace(batch, tactile=np.zeros_like(batch.tactile))
            chunks = policy.sample_chunks(batch, guidance=guidance, generator=generator)
            for slot, chunk in zip(asking, chunks, strict=True):
                slot.receive(chunk)
        for slot in list(slots):
            status = slot.tick(config)
            if status.is_terminal or status.is_truncated:
                slot.episode.end(status)
                yield slot.episode
                slots.remove(slot)
                if waiting:
                    slots.append(start(slot.robot))


def frames_of(episodes: Sequence[Episode]) -> UInt8:
    """uint8[N, C, height, width, 3] of all steps in order."""
    return np.stack([np.stack(o.frames) for episode in episodes for o in episode.observations])
