"""Recorded episodes into the learner's own data and training: base and rounds without the services."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.learning.rollout import Episode, frames_of
from learner.data import ArrayData
from learner.experience import Experience
from learner.labels import Algorithm, Labels
from learner.mix import MixConfig
from learner.train import Round, one_update
from learner.train_state import TrainState
from learner.update import UpdateConfig
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import Outcome
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What a round gives."""

    policy: Policy
    """Averaged weights."""
    labels: Labels
    loss: float
    """Mean of the last 50 updates."""
    mix: str
    """What batches were made of, in words."""


def to_data(episodes: Sequence[Episode], spec: EmbodimentSpec, *, feels: bool = True) -> ArrayData:
    """Arrays in episode order; `feels` False zeroes touch."""
    length = np.array([episode.num_steps for episode in episodes], np.int64)
    texts = [episode.observations[0].instruction for episode in episodes]
    instructions = sorted(set(texts))
    tactile = np.stack([o.tactile for e in episodes for o in e.observations])
    failed = (Outcome.FAILURE, Outcome.TIMED_OUT)
    experience = Experience(
        start=np.cumsum(length) - length,
        length=length,
        is_success=np.array([e.is_success for e in episodes]),
        is_failure=np.array([e.outcome in failed for e in episodes]),
        task=np.zeros(len(episodes), np.int64),
        is_demonstration=np.array([e.is_demonstration for e in episodes]),
        is_held_out=np.zeros(len(episodes), np.bool_),
        is_correction=np.array([flag for e in episodes for flag in e.is_correction]),
        is_held=np.array([flag for e in episodes for flag in e.is_held]),
        row=np.arange(int(length.sum())),
    )
    return ArrayData(
        spec=spec,
        experience=experience,
        pin="{}",
        frames=frames_of(episodes),
        state=np.stack([o.state for e in episodes for o in e.observations]),
        tactile=tactile if feels else np.zeros_like(tactile),
        action=np.stack([a for e in episodes for a in e.actions]),
        instruction=np.repeat([instructions.index(text) for text in texts], length),
        instructions=instructions,
        episode_ids=[str(e.scene_seed) for e in episodes],
        tasks=["plug_insertion"],
    )


def new_policy(data: ArrayData, config: PolicyConfig, seed: int) -> Policy:
    """Untrained, with the statistics of the data."""
    normaliser = Normaliser.fit(state=data.state, tactile=data.tactile, action=data.action)
    torch.manual_seed(seed)
    return Policy.create(config, data.spec, Vocabulary.of(data.instructions), normaliser)


def copy_of(policy: Policy) -> Policy:
    """The same weights in a network of its own."""
    with torch.random.fork_rng(devices=[]):
        copy = Policy.create(policy.config, policy.spec, policy.vocabulary, policy.normaliser)
    copy.network.load_state_dict(policy.network.state_dict())
    return copy


def train(
    start: Policy,
    data: ArrayData,
    algorithm: Algorithm,
    *,
    num_updates: int,
    update: UpdateConfig,
    mix: MixConfig,
    seed: int,
) -> Trained:
    """A round of the learner on all data, from a copy of `start`."""
    labels = algorithm.label(data, device=torch.device("cpu"), seed=seed)
    state = TrainState.begin(
        copy_of(start),
        round=0,
        seed=seed,
        pin=data.pin,
        num_rollouts=0,
        labels=labels,
        num_updates=num_updates,
        update_config=update,
        mix_config=mix,
    )
    round = Round.of(state, data, algorithm, update)
    while not state.is_trained:
        one_update(state, round)
    return Trained(
        policy=state.averaged_policy(),
        labels=labels,
        loss=float(np.mean(state.losses[-50:])),
        mix=algorithm.mix(labels).reason,
    )
