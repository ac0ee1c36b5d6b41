"""Does the policy use its indicator? Measured for each candidate, because training does not force it to."""

import dataclasses

import numpy as np
import torch

from learner.data import Data
from learner.labels import AUTONOMOUS, Labels
from learner.losses import noise_generator
from policy.batch import ObservationBatch
from policy.flow import Guidance, Reference
from policy.policy import Policy
from policy.schema import Float32

_NUM_SAMPLES = 256
_POSITIVE = Guidance()
_NEGATIVE = Guidance(reference=Reference.NEGATIVE, scale=0.0)
"""v_neg + 0 (v_pos - v_neg): the negative condition itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionReport:
    """Gaps are root mean squares over actions, in the policy's units of action."""

    action_gap: float
    """Between the positive and the negative condition, from the same noise; `recap_random` shows how
    much of it comes without information."""
    noise_gap: float
    """Between two noises under the positive condition: what the gap is to be compared with."""
    indicator_gain: float
    """Flow loss with the indicators of judged steps shuffled, minus with their own: 0 for a random
    indicator, above 0 where it says something about the action; NaN without judged steps."""


def measure_condition(policy: Policy, data: Data, labels: Labels, *, seed: int) -> ConditionReport:
    """Compare conditions on steps that the round learned from."""
    rng = np.random.default_rng(seed)
    used = np.flatnonzero(labels.is_used)
    observations = data.observations(rng.choice(used, size=min(_NUM_SAMPLES, len(used)), replace=False))
    positive = _chunks(policy, observations, _POSITIVE, seed)
    return ConditionReport(
        action_gap=_rms(policy, positive - _chunks(policy, observations, _NEGATIVE, seed)),
        noise_gap=_rms(policy, positive - _chunks(policy, observations, _POSITIVE, seed + 1)),
        indicator_gain=_indicator_gain(policy, data, labels, rng),
    )


def _chunks(policy: Policy, observations: ObservationBatch, guidance: Guidance, seed: int) -> Float32:
    generator = torch.Generator(policy.device).manual_seed(seed)
    return policy.sample_chunks(observations, guidance=guidance, generator=generator)


def _rms(policy: Policy, difference: Float32) -> float:
    return float(np.sqrt(np.mean((difference / policy.normaliser.action.scale) ** 2)))


@torch.no_grad()
def _indicator_gain(policy: Policy, data: Data, labels: Labels, rng: np.random.Generator) -> float:
    """Equal numbers of positive and negative steps, so that a shuffle loses everything it can."""
    groups = [np.flatnonzero(labels.pool == p) for p in AUTONOMOUS]
    size = min(_NUM_SAMPLES // 2, *(len(group) for group in groups))
    if size < 2:
        return float("nan")
    steps = np.concatenate([rng.choice(group, size=size, replace=False) for group in groups])
    own = labels.indicator[steps]
    losses = [
        policy.flow_loss(
            data.chunks(steps, policy.config.horizon, indicator),
            generator=noise_generator(policy.device, seed=0, update=0),
        ).mean()
        for indicator in (own, rng.permutation(own))
    ]
    return float(losses[1] - losses[0])
