"""Small policies that may be shadows, and robots that execute whole chunks of one."""

import dataclasses

import numpy as np
import torch

from learner.synthetic import INSTRUCTIONS, toy_spec
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import Step
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from tests.critic_rig import steps_of

HORIZON = 4


def a_policy(seed: int) -> Policy:
    """Untrained weights of the toy embodiment."""
    rng = np.random.default_rng(0)
    normaliser = Normaliser.fit(
        state=rng.normal(size=(50, 2)).astype(np.float32),
        tactile=rng.normal(size=(50, 1)).astype(np.float32),
        action=rng.normal(scale=0.2, size=(50, 2)).astype(np.float32),
    )
    config = PolicyConfig(horizon=HORIZON, width=16, num_heads=2, stem_channels=4, num_keypoints=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        policy = Policy.create(config, toy_spec(), Vocabulary.of(INSTRUCTIONS), normaliser)
    policy.network.eval()
    return policy


def acted_by(policy: Policy, num_steps: int, *, robot_id: str = "r1", version: str = "1", seed: int = 5) -> list[Step]:
    """Steps of a robot that executes whole chunks of a policy, each planned on the step that it begins at."""
    steps = steps_of(np.linspace(-1, 1, num_steps).tolist(), episode_id=f"e-{robot_id}-{version}", robot_id=robot_id)
    generator, chunk = torch.Generator().manual_seed(seed), np.zeros((HORIZON, 2), np.float32)
    for index, step in enumerate(steps):
        if index % HORIZON == 0:
            seen = ObservationBatch(
                frames=np.frombuffer(step.frames[0], np.uint8).reshape(1, 1, *_size(), 3).copy(),
                state=step.state[None],
                tactile=step.tactile[None],
                instructions=[step.instruction],
            )
            (chunk,) = policy.sample_chunks(seen, guidance=Guidance(), generator=generator)
        steps[index] = dataclasses.replace(
            step, proposed_action=chunk[index % HORIZON], chunk_index=index % HORIZON, policy_version=version
        )
    return steps


def _size() -> tuple[int, int]:
    (camera,) = toy_spec().cameras
    return camera.height, camera.width
