"""RECAP (pi*0.6, arXiv 2511.14759): condition on a critic's advantage, act on the positive condition.

Demonstrations and corrections are positive. Autonomous steps are positive above their task's
threshold and negative below it, but only while the critic passes its bar on held-out episodes; until
then they are not used at all, and RECAP rests on people.
"""

import dataclasses
from dataclasses import field

import torch

from learner.advantage import AdvantageConfig, Float64, advantages, indicators, returns, split
from learner.critic import CriticConfig, CriticFit, fit_critic
from learner.critic_checkpoint import Critic, task_scales
from learner.data import Data
from learner.labels import Labels, Pool, supervised, with_autonomous
from learner.mix import Mix, MixConfig, choose
from learner.task_trust import trust_tasks
from learner.value import ValueConfig
from policy.errors import ConfigError
from policy.flow import Guidance, Reference


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionConfig:
    """How the indicator enters training, and how a trained policy uses it."""

    indicator_dropout: float = 0.3
    """Share of samples that are not told their indicator; they train the unconditional policy."""
    guidance_reference: Reference = Reference.NEGATIVE
    """What guidance moves away from where help is scarce (measured: +.12 against the negative
    condition, nothing against null)."""
    guidance_scale: float = 2.0
    """w; 1 is the positive condition itself."""

    def __post_init__(self) -> None:
        if not 0 <= self.indicator_dropout < 1:
            raise ConfigError("indicator_dropout must lie in [0, 1)", value=self.indicator_dropout)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recap:
    """Advantage-conditioned flow matching."""

    advantage: AdvantageConfig = field(default_factory=AdvantageConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    value: ValueConfig = field(default_factory=ValueConfig)
    mixing: MixConfig = field(default_factory=MixConfig)
    condition: ConditionConfig = field(default_factory=ConditionConfig)
    name: str = "recap"

    @property
    def indicator_dropout(self) -> float:
        """As configured."""
        return self.condition.indicator_dropout

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """Ask the critic about autonomous steps, and believe it only if it passed."""
        experience = data.experience
        segments = split(experience, self.advantage)
        outcome = returns(experience, segments, self.advantage)
        critic = fit_critic(
            data,
            experience,
            segments,
            outcome,
            config=self.critic,
            value_config=self.value,
            device=device,
            seed=seed,
        )
        advantage = advantages(outcome, segments, critic.value, self.advantage)
        pool, left_out = supervised(experience), ""
        if critic.networks:
            is_positive, is_judged = indicators(experience, segments, advantage, self.advantage)
            trust = trust_tasks(experience, data.tasks, outcome, critic.value, is_positive, is_judged, self.critic)
            is_used, left_out = is_judged & trust.is_trusted[experience.task[experience.episode]], trust.left_out
            pool = with_autonomous(pool, is_used & is_positive, is_used & ~is_positive)
        return Labels(
            pool=pool,
            value=critic.value,
            return_to_go=outcome.return_to_go,
            advantage=advantage,
            report=dataclasses.replace(critic.report, left_out=left_out),
            critic=self._to_publish(data, critic, advantage),
        )

    def _to_publish(self, data: Data, fitted: CriticFit, advantage: Float64) -> Critic | None:
        if not fitted.networks:
            return None
        return Critic(
            spec=data.spec,
            config=self.value,
            advantage=self.advantage,
            networks=fitted.networks,
            tasks=task_scales(data.experience, data.tasks, advantage, self.advantage),
        )

    def mix(self, labels: Labels) -> Mix:
        """Read the data: how many corrections, and whether the critic has a say."""
        assert labels.report is not None
        chosen = choose(
            self.mixing,
            num_corrections=labels.count(Pool.CORRECTION),
            num_positive=labels.count(Pool.AUTONOMOUS_POSITIVE),
            num_negative=labels.count(Pool.AUTONOMOUS_NEGATIVE),
            why_not_autonomous=f", for the critic has no say: {labels.report.left_out or labels.report.reason}",
        )
        is_partial = labels.report.left_out and chosen.autonomous_share
        left_out = f"; autonomous steps left out of {labels.report.left_out}" if is_partial else ""
        return dataclasses.replace(chosen, reason=f"{chosen.reason}{left_out}")

    def guidance(self, labels: Labels) -> Guidance:
        """Against the negative condition, where one was learned and corrections are not plentiful.

        Without negatives that condition is untrained; with many corrections guidance gained nothing.
        """
        scarce = labels.count(Pool.CORRECTION) < self.mixing.plentiful_corrections
        if labels.count(Pool.AUTONOMOUS_NEGATIVE) and scarce:
            return Guidance(reference=self.condition.guidance_reference, scale=self.condition.guidance_scale)
        return Guidance()
