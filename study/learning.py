"""A cell's training: the learner's own algorithms and updates on recorded episodes."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from learner.advantage import AdvantageConfig
from learner.algorithms import create
from learner.algorithms.recap import ConditionConfig
from learner.critic import CriticConfig
from learner.data import ArrayData, Data
from learner.joint_data import JointData
from learner.labels import Algorithm, Labels
from learner.mix import MixConfig
from learner.train import Round, one_update
from learner.train_state import TrainState
from learner.update import UpdateConfig
from learner.value import ValueConfig
from policy.network import PolicyConfig
from policy.policy import Body, Policy
from policy.tokens import Vocabulary
from policy.transforms import Normaliser


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learning:
    """An algorithm with its settings."""

    algorithm: Algorithm
    update: UpdateConfig
    mix: MixConfig

    @classmethod
    def of(cls, name: str, changes: Mapping[str, Mapping[str, Any]]) -> "Learning":
        """The algorithm of a name with the learner's defaults, but for `changes` by section.

        Raises:
            ConfigError: no such algorithm, or a value out of range.
            TypeError: no such setting.
        """
        mix = MixConfig(**changes.get("mix", {}))
        algorithm = create(
            name,
            advantage=AdvantageConfig(**changes.get("advantage", {})),
            critic=CriticConfig(**changes.get("critic", {})),
            value=ValueConfig(**changes.get("value", {})),
            mixing=mix,
            condition=ConditionConfig(**changes.get("condition", {})),
        )
        return cls(algorithm=algorithm, update=UpdateConfig(**changes.get("update", {})), mix=mix)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What a training gives."""

    policy: Policy
    """Averaged weights."""
    labels: Labels
    loss: float
    """Mean of the last 50 updates."""
    mix: str
    """What batches were made of, in words."""


def new_policy(data: ArrayData | JointData, seed: int) -> Policy:
    """Untrained, with the statistics of the data: for each body those of its own."""
    parts = data.parts if isinstance(data, JointData) else (data,)
    first, *others = (
        Body(
            spec=part.spec,
            normaliser=Normaliser.fit(state=part.state, tactile=part.tactile, action=part.action),
        )
        for part in parts
    )
    words = Vocabulary.of(text for part in parts for text in part.instructions)
    torch.manual_seed(seed)
    return Policy.create(PolicyConfig(), first.spec, words, first.normaliser, others)


def train(
    start: Policy, data: Data, learning: Learning, *, num_updates: int, seed: int, is_scheduled: bool = True
) -> Trained:
    """A round of the learner on all data, which moves `start` itself; continual training is not scheduled."""
    algorithm = learning.algorithm
    labels = algorithm.label(data, device=torch.device("cpu"), seed=seed)
    state = TrainState.begin(
        start,
        round=0,
        seed=seed,
        pin=data.pin,
        num_rollouts=0,
        labels=labels,
        num_updates=num_updates,
        update_config=learning.update,
        mix_config=learning.mix,
    )
    round = Round.of(state, data, algorithm, learning.update, is_scheduled=is_scheduled)
    while not state.is_trained:
        one_update(state, round)
    return Trained(
        policy=state.averaged_policy(),
        labels=labels,
        loss=float(np.mean(state.losses[-50:])),
        mix=algorithm.mix(labels).reason,
    )
