"""A small critic, steps for it to score, and somebody who listens."""

import dataclasses
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import torch

from corrections.help_messages import LiveValue, RaiseHelp
from infra import wire
from infra.topics import STEPS
from learner.advantage import AdvantageConfig, Float64
from learner.critic_checkpoint import Critic, TaskScale
from learner.synthetic import INSTRUCTIONS, toy_spec
from learner.value import ValueConfig, ValueNetwork
from policy.batch import ObservationBatch
from policy.schema import Episode, Outcome, Step
from policy.tokens import Vocabulary
from policy.transforms import Affine

TASK = "go"
VALUE_CONFIG = ValueConfig(width=16, stem_channels=4, num_keypoints=2)
SCALE = TaskScale(longest_steps=40.0, failure_cost_steps=40.0, advantage_threshold=0.0)


class Scripted(Critic):
    """Says what the first state channel says, so that a test chooses the values."""

    def values(self, batch: ObservationBatch) -> Float64:
        return batch.state[:, 0].astype(np.float64)


def toy_critic(seed: int = 0, *, version: str = "1-0-toy") -> Critic:
    """Two untrained networks of the toy embodiment."""
    spec = toy_spec()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = tuple(
            ValueNetwork(VALUE_CONFIG, spec, Vocabulary.of(INSTRUCTIONS), unit(2), unit(1)).eval() for _ in range(2)
        )
    return Critic(
        spec=spec,
        config=VALUE_CONFIG,
        advantage=AdvantageConfig(),
        networks=networks,
        tasks={TASK: SCALE},
        version=version,
    )


def scripted(version: str = "scripted") -> Scripted:
    """A critic that says what it is told."""
    critic = toy_critic(version=version)
    return Scripted(**{field.name: getattr(critic, field.name) for field in dataclasses.fields(Critic)})


def unit(num_channels: int) -> Affine:
    """No change of units."""
    return Affine(centre=np.zeros(num_channels, np.float32), scale=np.ones(num_channels, np.float32))


def steps_of(
    values: Sequence[float],
    *,
    episode_id: str,
    robot_id: str = "r1",
    first: int = 0,
    source: str = "rollout",
    modes: Mapping[int, str] | None = None,
    picture: bytes | None = None,
) -> list[Step]:
    """Consecutive steps of an episode; the first state channel holds the value that `Scripted` gives them."""
    spec, action = toy_spec(), np.zeros(2, np.float32)
    camera = spec.cameras[0]
    return [
        Step(
            spec_id=spec.spec_id,
            robot_id=robot_id,
            boot_id=f"boot-{robot_id}",
            seq=index,
            episode_id=episode_id,
            step_index=index,
            time_ns=time.time_ns(),
            observation_time_ns=time.time_ns(),
            source=source,
            scene_seed=0,
            task_id=TASK,
            instruction=INSTRUCTIONS[0],
            policy_version="1",
            control_mode=(modes or {}).get(index, "autonomous"),
            intervention_id="",
            operator_id="",
            proposed_action=action,
            executed_action=action,
            state=np.array([value, 0.0], np.float32),
            tactile=np.zeros(1, np.float32),
            frames=(bytes(camera.height * camera.width * 3) if picture is None else picture,),
            chunk_index=0,
            is_terminal=False,
            is_truncated=False,
            command_delay_ms=float("nan"),
        )
        for index, value in enumerate(values, start=first)
    ]


def message(steps: Sequence[Step]) -> pa.RecordBatch:
    """Steps as they come from the wire."""
    return wire.decode(STEPS, wire.encode(steps))


def ended(episode_id: str, num_steps: int, outcome: Outcome, *, robot_id: str = "r1") -> Episode:
    """The robot's record of an episode."""
    return Episode(
        spec_id=toy_spec().spec_id,
        robot_id=robot_id,
        boot_id=f"boot-{robot_id}",
        seq=0,
        episode_id=episode_id,
        source="rollout",
        scene_seed=0,
        task_id=TASK,
        instruction=INSTRUCTIONS[0],
        policy_version="1",
        release_role="champion",
        started_ns=0,
        ended_ns=1,
        first_seq=0,
        num_steps=num_steps,
        num_correction_steps=0,
        num_interventions=0,
        control_rate_hz=20.0,
        outcome=outcome,
        outcome_reason="",
        outcome_author="simulator",
    )


class Listener:
    """An audience that remembers."""

    def __init__(self) -> None:
        self.values: list[LiveValue] = []
        self.requests: list[RaiseHelp] = []
        self.refuses = False
        """Whether a person has the robot, say: then nobody is asked."""

    def show(self, values: Sequence[LiveValue]) -> None:
        self.values.extend(values)

    def ask(self, request: RaiseHelp) -> None:
        self.requests.append(request)

    def take_refused(self) -> list[str]:
        return [request.episode_id for request in self.requests] if self.refuses else []
