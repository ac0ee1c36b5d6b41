"""Filtered behaviour cloning: imitate people, and the policy's own steps in episodes that succeeded."""

import dataclasses
from dataclasses import field

import torch

from learner.advantage import AdvantageConfig, split
from learner.data import Data
from learner.labels import Labels, Pool, supervised, with_autonomous, without_critic
from learner.mix import Mix, MixConfig, choose
from policy.flow import Guidance


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilteredBc:
    """Imitation of what worked."""

    advantage: AdvantageConfig = field(default_factory=AdvantageConfig)
    mixing: MixConfig = field(default_factory=MixConfig)
    autonomous_share: float = 0.25
    """Of what is imitated, where there are no corrections; as `MixConfig.scarce_autonomous_share`."""
    name: str = "filtered_bc"
    indicator_dropout: float = 0.0
    """Everything is positive, so there is nothing to tell apart."""

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """Autonomous steps count where their segment succeeded; those before a takeover did not."""
        segments = split(data.experience, self.advantage)
        worked = data.experience.is_autonomous & segments.is_success[segments.of_step]
        return without_critic(with_autonomous(supervised(data.experience), worked, worked & False))

    def mix(self, labels: Labels) -> Mix:
        """As RECAP, without negatives."""
        return choose(
            dataclasses.replace(self.mixing, scarce_autonomous_share=self.autonomous_share),
            num_corrections=labels.count(Pool.CORRECTION),
            num_positive=labels.count(Pool.AUTONOMOUS_POSITIVE),
            num_negative=0,
        )

    def guidance(self, labels: Labels) -> Guidance:
        """None: there is one condition."""
        return Guidance()
