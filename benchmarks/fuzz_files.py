"""The files of a published policy and of a critic, as doors to knock at with damaged bytes (`fuzz.py`)."""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from learner import critic_checkpoint
from learner.advantage import AdvantageConfig
from learner.critic_checkpoint import Critic, TaskScale
from learner.value import ValueConfig, ValueNetwork
from policy import checkpoint
from policy.network import PolicyConfig, Words
from policy.policy import Policy
from policy.spec import CameraSpec, EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser

Load = Callable[[bytes], object]


def file_doors(spec: EmbodimentSpec) -> Iterator[tuple[str, bytes, Load]]:
    """Name, content and reader of each file; what is altered comes with a hash that fits, else that alone would refuse.

    Args:
        spec: of whose body they are, with one channel of state, touch and action each.
    """
    spec = dataclasses.replace(spec, cameras=(CameraSpec(name="scene", height=32, width=32),))
    flat = Normaliser.fit(**{name: np.eye(2, 1, dtype=np.float32) for name in ("state", "tactile", "action")})
    words = Vocabulary.of(["push it"])
    config = PolicyConfig(horizon=2, width=8, num_heads=2, stem_channels=2, num_keypoints=2, words=Words.LEARNED)
    policy = Policy.create(config, spec, words, flat)
    value = ValueConfig(num_bins=2, width=2, stem_channels=2, num_keypoints=2)
    critic = Critic(
        spec=spec,
        config=value,
        advantage=AdvantageConfig(),
        networks=(ValueNetwork(value, spec, words, flat.state, flat.tactile),),
        tasks={"toy": TaskScale(longest_steps=40.0, failure_cost_steps=40.0, advantage_threshold=0.1)},
    )
    yield from _doors(
        (checkpoint.WEIGHTS_FILE, checkpoint.DESCRIPTION_FILE),
        lambda folder: checkpoint.save(folder, policy),
        checkpoint.load,
    )
    yield from _doors(
        (critic_checkpoint.WEIGHTS_FILE, critic_checkpoint.DESCRIPTION_FILE),
        lambda folder: critic_checkpoint.save(folder, critic),
        critic_checkpoint.load,
    )


def _doors(
    names: tuple[str, str], save: Callable[[Path], None], load: Callable[[Path], object]
) -> Iterator[tuple[str, bytes, Load]]:
    """Weights, and the description beside them."""
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        weights, description = (Path(folder, name).read_bytes() for name in names)
    fields = json.loads(description)

    def described(data: bytes) -> bytes:
        return json.dumps({**fields, "weights_sha256": hashlib.sha256(data).hexdigest()}).encode()

    def loaded(*contents: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in zip(names, contents, strict=True):
                Path(folder, name).write_bytes(data)
            return load(Path(folder))

    yield names[0], weights, lambda data: loaded(data, described(data))
    yield names[1], description, lambda data: loaded(weights, data)
