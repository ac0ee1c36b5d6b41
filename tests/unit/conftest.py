from collections.abc import Callable

import numpy as np
import pytest
import torch

from policy.batch import ObservationBatch
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser

INSTRUCTION = "insert the plug into the red socket"


def _channels(name: str, count: int) -> tuple[ChannelSpec, ...]:
    return tuple(ChannelSpec(name=f"{name}{i}", unit="1", low=-1.0, high=1.0) for i in range(count))


@pytest.fixture
def small_spec() -> EmbodimentSpec:
    """Two 32x32 cameras, 3 state, 4 touch and 2 action channels."""
    return EmbodimentSpec(
        name="small",
        control_rate_hz=20.0,
        state=_channels("position", 3),
        tactile=_channels("force", 4),
        action=_channels("move", 2),
        cameras=(CameraSpec(name="wrist", height=32, width=32), CameraSpec(name="scene", height=32, width=32)),
    )


@pytest.fixture
def observations_of() -> Callable[[EmbodimentSpec, int], ObservationBatch]:
    """Makes random observations of a spec."""

    def make(spec: EmbodimentSpec, count: int) -> ObservationBatch:
        rng = np.random.default_rng(count)
        size = spec.cameras[0].height if spec.cameras else 0
        return ObservationBatch(
            frames=rng.integers(0, 256, (count, len(spec.cameras), size, size, 3), dtype=np.uint8),
            state=rng.normal(size=(count, len(spec.state))).astype(np.float32),
            tactile=rng.normal(size=(count, len(spec.tactile))).astype(np.float32),
            instructions=[INSTRUCTION] * count,
        )

    return make


@pytest.fixture
def policy_of() -> Callable[[EmbodimentSpec], Policy]:
    """Makes an untrained policy, small enough for a test."""

    def make(spec: EmbodimentSpec) -> Policy:
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        normaliser = Normaliser.fit(
            state=rng.normal(size=(50, len(spec.state))).astype(np.float32),
            tactile=rng.normal(size=(50, len(spec.tactile))).astype(np.float32),
            action=rng.normal(scale=0.3, size=(50, len(spec.action))).astype(np.float32),
        )
        config = PolicyConfig(horizon=4, width=16, num_heads=2, stem_channels=4, num_keypoints=2)
        return Policy.create(config, spec, Vocabulary.of([INSTRUCTION]), normaliser)

    return make


@pytest.fixture
def small_policy(small_spec: EmbodimentSpec, policy_of: Callable[[EmbodimentSpec], Policy]) -> Policy:
    """An untrained policy of `small_spec`."""
    return policy_of(small_spec)
