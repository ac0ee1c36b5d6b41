"""What batches are made of: the choice that reads the data, and SOP's adaptive online/offline rule.

    w_on = exp(a l_on) / (exp(a l_on) + exp(l_off)), clipped to [0.2, 0.8]     (SOP, arXiv 2601.03044)

with l_on, l_off the mean training losses of the last 200 steps on online samples (corrections and
autonomous) and offline ones (demonstrations), per task. SOP does not say its a > 1; ours is below. And SOP
weighs all online samples; ours weighs corrections against demonstrations, and autonomous steps have a share
of their own: without help a batch would else be mostly what a weak policy did. Where corrections are few, RECAP
gives them a fixed share below SOP's clip: their steps would be drawn so often that a policy knows them by heart.
"""

import collections
import dataclasses
import math
from collections.abc import Mapping

from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixConfig:
    """How the mix is chosen."""

    plentiful_corrections: int = 1000
    """Correction steps from which nothing else online is learned from: a weak policy's own steps dilute them
    (prototypes: 1,936 gave HG-DAgger .985, 253 gave .86)."""
    scarce_autonomous_share: float = 0.0
    """Autonomous share of what is imitated where there are no corrections; it falls to 0 as they become plentiful.
    The paper's way; any share of it made a worse policy here than none (learner/README.md)."""
    scarce_online_share: float = 0.1
    """Corrections' share of people's samples in place of SOP's rule, until they are plentiful. Only RECAP's batches
    are made so."""
    goal_share: float = 0.25
    """Share of a batch that imitates nothing and learns where autonomous successes ended, where there are no
    corrections; it falls to 0 as they become plentiful. Only RECAP draws such."""
    max_negative_share: float = 0.5
    """Cap on negatives among autonomous samples: long stuck episodes swamp everything."""
    online_share: float = 0.5
    """Corrections' share of people's samples before there are losses to go by."""
    is_adaptive: bool = True
    """Whether SOP's rule moves it."""
    online_exponent: float = 1.5
    """a of SOP's rule."""
    min_online_share: float = 0.2
    """Lower clip of SOP's rule."""
    max_online_share: float = 0.8
    """Upper clip of SOP's rule."""
    window_updates: int = 200
    """Updates over which losses are averaged."""

    def __post_init__(self) -> None:
        if not 0 < self.min_online_share <= self.online_share <= self.max_online_share < 1:
            raise ConfigError(
                "need 0 < min_online_share <= online_share <= max_online_share < 1",
                min_online_share=self.min_online_share,
                online_share=self.online_share,
                max_online_share=self.max_online_share,
            )
        if self.plentiful_corrections < 1 or self.window_updates < 1:
            raise ConfigError("plentiful_corrections and window_updates must be at least 1")
        for name in ("scarce_autonomous_share", "scarce_online_share", "max_negative_share", "goal_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in [0, 1]", value=getattr(self, name))

    def scarcity(self, num_corrections: int, num_unhelpful: int = 0) -> float:
        """1 where nobody helped, falling to 0 where corrections are plentiful.

        Corrections of people of whom as many did not help count half, and so on: what is left of poor help is no better
        than a little.
        """
        helpful_share = num_corrections / max(1, num_corrections + num_unhelpful)
        return 1 - min(1.0, helpful_share * num_corrections / self.plentiful_corrections)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mix:
    """Shares of a batch; pools that are empty give theirs to the others."""

    autonomous_share: float
    """Of what is imitated; the rest is people's."""
    negative_share: float
    """Of the autonomous samples."""
    reason: str
    """The choice in words, with its numbers."""
    goal_share: float = 0.0
    """Of a batch, where the labels have such steps."""
    online_share: float | None = None
    """Corrections' of people's samples; None leaves it to SOP's rule."""


def choose(
    config: MixConfig,
    *,
    num_corrections: int,
    num_positive: int,
    num_negative: int,
    num_unhelpful: int = 0,
    why_not_autonomous: str = "",
) -> Mix:
    """Corrections lead where they are plentiful, autonomous steps by advantage where help is scarce."""
    num_autonomous, scarcity = num_positive + num_negative, config.scarcity(num_corrections, num_unhelpful)
    goals = scarcity * config.goal_share
    if num_autonomous == 0 or not config.scarce_autonomous_share:
        reason = f"{num_corrections} correction steps and demonstrations are imitated; no autonomous steps"
        why = why_not_autonomous if num_autonomous == 0 else ""
        return Mix(autonomous_share=0.0, negative_share=0.0, reason=f"{reason}{why}", goal_share=goals)
    autonomous = scarcity * config.scarce_autonomous_share
    negative = min(config.max_negative_share, num_negative / num_autonomous)
    lead = "corrections lead" if scarcity < 0.5 else "autonomous steps weigh more"
    return Mix(
        autonomous_share=autonomous,
        negative_share=negative,
        reason=(
            f"{lead}: {num_corrections} correction steps ({config.plentiful_corrections} are plentiful), so "
            f"{autonomous:.0%} of a batch are autonomous ({num_positive} positive and {num_negative} "
            f"negative steps, negatives at most {negative:.0%} of them)"
        ),
        goal_share=goals,
    )


class OnlineShare:
    """SOP's rule for every task, with its windows of recent losses; part of the train state."""

    def __init__(self, config: MixConfig) -> None:
        self._config = config
        self._losses: dict[tuple[int, bool], collections.deque[float]] = {}

    def observe(self, task: int, *, is_online: bool, loss: float) -> None:
        """Take in the mean loss of one update's samples of one task and kind."""
        window = self._losses.setdefault((task, is_online), collections.deque(maxlen=self._config.window_updates))
        window.append(loss)

    def share(self, task: int) -> float:
        """Share of a task's samples that should be online."""
        online, offline = self._losses.get((task, True)), self._losses.get((task, False))
        if not (self._config.is_adaptive and online and offline):
            return self._config.online_share
        mean_online, mean_offline = sum(online) / len(online), sum(offline) / len(offline)
        # The rule's ratio as a logistic function, which cannot overflow at the losses of a bad start.
        share = 1 / (1 + math.exp(min(50.0, mean_offline - self._config.online_exponent * mean_online)))
        return min(max(share, self._config.min_online_share), self._config.max_online_share)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain numbers for the train state."""
        return {f"{task}/{int(is_online)}": list(window) for (task, is_online), window in self._losses.items()}

    def restore(self, fields: Mapping[str, list[float]]) -> None:
        """The inverse of `to_dict`."""
        self._losses.clear()
        for key, losses in fields.items():
            task, is_online = key.split("/")
            window = collections.deque(losses, maxlen=self._config.window_updates)
            self._losses[int(task), is_online == "1"] = window
