"""HG-DAgger (arXiv 1810.02890): imitate what people did, demonstrations and corrections, nothing else.

The strong baseline: in one published comparison (SOP, arXiv 2601.03044) it beat RECAP.
"""

import dataclasses
from dataclasses import field

import torch

from learner.data import Data
from learner.labels import Labels, Pool, supervised, without_critic
from learner.mix import Mix, MixConfig, choose
from policy.flow import Guidance


@dataclasses.dataclass(frozen=True, kw_only=True)
class HgDagger:
    """Imitation of people."""

    mixing: MixConfig = field(default_factory=MixConfig)
    name: str = "hg_dagger"
    indicator_dropout: float = 0.0
    """Everything is positive, so there is nothing to tell apart."""

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """Demonstrations and corrections."""
        return without_critic(supervised(data.experience))

    def mix(self, labels: Labels) -> Mix:
        """All online samples are corrections."""
        num_corrections = labels.count(Pool.CORRECTION)
        return choose(self.mixing, num_corrections=num_corrections, num_positive=0, num_negative=0)

    def guidance(self, labels: Labels) -> Guidance:
        """None: there is one condition."""
        return Guidance()
