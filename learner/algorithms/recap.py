"""RECAP (pi*0.6, arXiv 2511.14759): condition on a critic's advantage, act on the positive condition.

Demonstrations and corrections are positive, of people who seldom help only what did (`interventions.py`).
Autonomous steps are positive above their task's threshold and negative below it, but only while the critic
passes its bar on held-out episodes; until then they have no pool, and RECAP rests on people.

What is made of autonomous steps is our deviation: imitated by their advantage, as in the paper, they made a worse
policy than people alone, so by default none is (`MixConfig.scarce_autonomous_share`), and those that ended well
teach where the work leads (`goals.py`), which made a better one. learner/README.md has the figures.
"""

import dataclasses
from dataclasses import field

import torch

from learner.advantage import AdvantageConfig, Float64, advantages, indicators, returns, split
from learner.critic import CriticConfig, CriticFit, fit_critic
from learner.critic_checkpoint import Critic, task_scales
from learner.data import Data
from learner.goals import Goals
from learner.interventions import unhelpful
from learner.labels import Labels, Pool, supervised, with_autonomous
from learner.mix import Mix, MixConfig, choose
from learner.task_trust import nobody, trust_tasks
from learner.value import ValueConfig
from policy.errors import ConfigError
from policy.flow import Guidance, Reference


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionConfig:
    """How the indicator enters training, and how a trained policy uses it."""

    indicator_dropout: float = 0.1
    """Share of samples that are not told their indicator; they train the unconditional policy, which nothing here
    acts on. The paper's .3 takes updates from the positive one, which are what a short round lacks."""
    guidance_reference: Reference = Reference.NEGATIVE
    """What guidance moves away from where help is scarce (measured: +.12 against the negative
    condition, nothing against null)."""
    guidance_scale: float = 1.5
    """w where nobody helped; it falls to 1, the positive condition itself, as corrections become plentiful."""

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
        """As configured where negatives are learned; else there is nothing to tell apart."""
        return self.condition.indicator_dropout if self.mixing.scarce_autonomous_share else 0.0

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
        pool, trust = supervised(experience), nobody(data.tasks)
        if critic.networks:
            is_positive, is_judged = indicators(experience, segments, advantage, self.advantage)
            trust = trust_tasks(experience, data.tasks, outcome, critic.value, is_positive, is_judged, self.critic)
            is_used = is_judged & trust.is_trusted[experience.task[experience.episode]]
            pool = with_autonomous(pool, is_used & is_positive, is_used & ~is_positive)
        pool[unhelpful(experience, outcome, critic.value, trust.is_trusted, self.advantage)] = Pool.UNHELPFUL
        return Labels(
            pool=pool,
            value=critic.value,
            return_to_go=outcome.return_to_go,
            advantage=advantage,
            is_goal=experience.is_autonomous & Goals.of(experience).is_known,
            report=dataclasses.replace(critic.report, left_out=trust.left_out),
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
        num_corrections, num_unhelpful = labels.count(Pool.CORRECTION), labels.count(Pool.UNHELPFUL)
        chosen = choose(
            self.mixing,
            num_corrections=num_corrections,
            num_positive=labels.count(Pool.AUTONOMOUS_POSITIVE),
            num_negative=labels.count(Pool.AUTONOMOUS_NEGATIVE),
            num_unhelpful=num_unhelpful,
            why_not_autonomous=f", for the critic has no say: {labels.report.left_out or labels.report.reason}",
        )
        is_scarce = self.mixing.scarcity(num_corrections, num_unhelpful) > 0
        share, num_goals = self.mixing.scarce_online_share, labels.num_goals(chosen)
        is_used = labels.count(Pool.AUTONOMOUS_POSITIVE)
        notes = {
            f"corrections are {share:.0%} of people's samples, good ones being few": is_scarce and num_corrections,
            f"autonomous steps left out of {labels.report.left_out}": labels.report.left_out and is_used,
            f"{chosen.goal_share:.0%} of a batch learn where {num_goals} autonomous steps led": num_goals,
            f"{num_unhelpful} correction steps more did not help": num_unhelpful,
        }
        reason = "; ".join([chosen.reason, *(note for note, applies in notes.items() if applies)])
        return dataclasses.replace(chosen, online_share=share if is_scarce else None, reason=reason)

    def guidance(self, labels: Labels) -> Guidance:
        """Against the negative condition, where one was learned: the less so, the more people helped."""
        scarcity = self.mixing.scarcity(labels.count(Pool.CORRECTION), labels.count(Pool.UNHELPFUL))
        is_learned = labels.count(Pool.AUTONOMOUS_NEGATIVE) and self.mixing.scarce_autonomous_share
        if not (is_learned and scarcity):
            return Guidance()
        scale = 1 + scarcity * (self.condition.guidance_scale - 1)
        return Guidance(reference=self.condition.guidance_reference, scale=scale)
