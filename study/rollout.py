"""Episodes of many simulated robots in lock-step: demonstrations, watched rollouts, evaluations."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

import torch

from actor.task_clock import TaskClock
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import Float32
from robots.robot import Robot, TaskStatus
from robots.task import Task
from study.episode import Episode
from study.person import Person


@dataclasses.dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """How a policy acts in a study; the defaults are the actor's."""

    num_executed: int = 4
    """Actions used of a chunk before the next takes over."""
    delay_ticks: int = 0
    """Age of the observation when its chunk takes over: asynchronous inference."""


def demonstrate(task: Task, robot: Robot, scene_seeds: Sequence[int]) -> Iterator[Episode]:
    """One noisy expert demonstration per scene."""
    for seed in scene_seeds:
        episode = Episode(task_id=task.name, scene_seed=seed, is_demonstration=True)
        observation, expert, status = robot.reset(seed), task.demonstrator(seed), TaskStatus()
        while not (status.is_terminal or status.is_truncated):
            action = expert.act(robot.privileged())
            episode.observations.append(observation)
            episode.actions.append(action)
            episode.is_correction.append(False)
            episode.is_held.append(False)
            status = robot.apply(action)
            observation = robot.observe()
        episode.end(status)
        yield episode


class _Slot:
    """One robot with its episode, its chunks and the person who may be watching.

    A chunk asked for at tick t takes over at t + delay with its action number `delay`, as when it is
    computed while the one before it is executed; the first of an episode has nothing to wait for.
    """

    def __init__(self, robot: Robot, scene_seed: int, person: Person | None, keeps_observations: bool) -> None:
        self.robot, self.person, self.keeps_observations = robot, person, keeps_observations
        self.episode = Episode(task_id=robot.task_id, scene_seed=scene_seed)
        self.robot.reset(scene_seed)
        self._clock = TaskClock()
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
        command = self.person.command(self.robot.privileged()) if self.person else None
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
        return self._clock.heed(self.robot.apply(action), is_held=command is not None)


def roll_out(
    policy: Policy,
    robots: Sequence[Robot],
    scene_seeds: Sequence[int],
    *,
    guidance: Guidance,
    config: RolloutConfig,
    seed: int,
    person: Callable[[int], Person] | None = None,
    keeps_observations: bool = True,
    num_ticks: int | None = None,
) -> Iterator[Episode]:
    """Episodes in the order in which they end; `person` makes who watches a scene.

    No episode starts `num_ticks` after the first; those that run then end in their own time, as in a fleet
    that takes new weights between episodes. To drop them would favour the quick ones.
    """
    generator = torch.Generator().manual_seed(seed)
    waiting = list(reversed(scene_seeds))

    def start(robot: Robot) -> _Slot:
        scene_seed = waiting.pop()
        return _Slot(robot, scene_seed, person(scene_seed) if person else None, keeps_observations)

    slots = [start(robot) for robot in robots[: len(waiting)]]
    for tick in itertools.count(1):
        if not slots:
            return
        asking = [slot for slot in slots if slot.wants_chunk(config.num_executed)]
        if asking:
            batch = ObservationBatch.stack([slot.robot.observe() for slot in asking])
            chunks = policy.sample_chunks(batch, guidance=guidance, generator=generator)
            for slot, chunk in zip(asking, chunks, strict=True):
                slot.receive(chunk)
        for slot in list(slots):
            status = slot.tick(config)
            if status.is_terminal or status.is_truncated:
                slot.episode.end(status)
                yield slot.episode
                slots.remove(slot)
                if waiting and (num_ticks is None or tick < num_ticks):
                    slots.append(start(slot.robot))
