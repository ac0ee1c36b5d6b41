"""From drawn steps to the loss: the advantage-conditioned flow loss of RECAP.

    min E[ -log pi(a|o, l) - alpha log pi(a|I, o, l) ]                  (arXiv 2511.14759, equation 3)

Both terms are one: for a share of the samples (the paper's 30 %; ours is `indicator_dropout`) the indicator is
not told, so the same network learns the unconditional policy too; for flow matching -log pi is the conditional
flow loss. To it comes how well the encoder knows, in hindsight, where the work ended (`goals.py`). All random
numbers of an update come from (seed, update) alone, so training resumes to the same losses anywhere.
"""

import numpy as np
import torch
from torch import Tensor

from learner.data import Data
from learner.experience import Int64
from learner.goals import GOAL_ONLY
from policy.batch import ChunkBatch, Indicator, MixedBatch
from policy.policy import Policy

_DROPOUT_STREAM = 2
_NOISE_STREAM = 3
_HELD_OUT_SAMPLES = 512


def drop_indicators(indicator: Int64, dropout: float, *, seed: int, update: int) -> Int64:
    """Indicators with a share of them replaced by NULL, int64[B]; `GOAL_ONLY` stays."""
    rng = np.random.default_rng([_DROPOUT_STREAM, seed, update])
    is_dropped = (rng.random(len(indicator)) < dropout) & (indicator != GOAL_ONLY)
    return np.where(is_dropped, int(Indicator.NULL), indicator).astype(np.int64)


def noise_generator(device: torch.device, *, seed: int, update: int, shard: int = 0) -> torch.Generator:
    """The generator of noise and flow times of one update (and of one learner's share of it)."""
    state = np.random.SeedSequence([_NOISE_STREAM, seed, update, shard]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0] >> 1))


def sample_losses(policy: Policy, batch: ChunkBatch | MixedBatch, generator: torch.Generator) -> Tensor:
    """Loss per sample, float32[B]; its mean is what the optimizer lowers."""
    return policy.training_loss(batch, generator=generator)


@torch.no_grad()
def held_out_loss(policy: Policy, data: Data) -> float:
    """Flow loss on held-out demonstrations under the positive condition; NaN where there are none.

    Steps and noise are fixed, so that versions which saw the same demonstrations compare.
    """
    steps = data.experience.held_out_steps
    if len(steps) == 0:
        return float("nan")
    steps = steps[np.linspace(0, len(steps) - 1, min(_HELD_OUT_SAMPLES, len(steps))).astype(np.int64)]
    batch = data.chunks(steps, policy.config.horizon, np.full(len(steps), int(Indicator.POSITIVE)))
    generator = noise_generator(policy.device, seed=0, update=0)
    return float(policy.flow_loss(batch, generator=generator).mean())
