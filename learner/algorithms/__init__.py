"""The algorithms; each is one small file with the same parts: label, mix, condition."""

from learner.advantage import AdvantageConfig
from learner.algorithms.filtered_bc import FilteredBc
from learner.algorithms.hg_dagger import HgDagger
from learner.algorithms.recap import ConditionConfig, Recap
from learner.algorithms.recap_random import RecapRandom
from learner.critic import CriticConfig
from learner.labels import Algorithm
from learner.mix import MixConfig
from learner.value import ValueConfig
from policy.errors import ConfigError

NAMES = ("recap", "hg_dagger", "filtered_bc", "recap_random")


def create(
    name: str,
    *,
    advantage: AdvantageConfig,
    critic: CriticConfig,
    value: ValueConfig,
    mixing: MixConfig,
    condition: ConditionConfig,
) -> Algorithm:
    """The algorithm of a name, with the settings that it reads.

    Raises:
        ConfigError: there is no such algorithm.
    """
    match name:
        case "recap" | "recap_random":
            kind = Recap if name == "recap" else RecapRandom
            return kind(advantage=advantage, critic=critic, value=value, mixing=mixing, condition=condition)
        case "filtered_bc":
            return FilteredBc(advantage=advantage, mixing=mixing)
        case "hg_dagger":
            return HgDagger(mixing=mixing)
    raise ConfigError(f"no algorithm named {name!r}; there are {', '.join(NAMES)}")
