"""Labels: what an algorithm made of every step, and the interface that algorithms implement.

    label   experience -> which steps are learned from, and as what      (once per round)
    mix     labels -> how much of a batch comes from where, in words      (once per round)
    guidance, indicator_dropout                                           (how it conditions)

The four algorithms in `learner/algorithms/` differ in nothing else.
"""

import dataclasses
import enum
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from learner.advantage import Float64
from learner.critic import CriticReport
from learner.critic_checkpoint import Critic
from learner.data import Data
from learner.experience import Bool, Experience, Int64
from learner.mix import Mix
from policy.batch import Indicator
from policy.flow import Guidance


class Pool(enum.IntEnum):
    """Where a training sample comes from."""

    UNUSED = 0
    DEMONSTRATION = 1
    CORRECTION = 2
    AUTONOMOUS_POSITIVE = 3
    AUTONOMOUS_NEGATIVE = 4
    UNHELPFUL = 5
    """Corrections of interventions that left the robot no better off; not drawn either."""


AUTONOMOUS = (Pool.AUTONOMOUS_POSITIVE, Pool.AUTONOMOUS_NEGATIVE)
"""Steps of the policy itself that a critic or an outcome has chosen."""
USED = (Pool.DEMONSTRATION, Pool.CORRECTION, *AUTONOMOUS)
"""What batches are made of, goals apart."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What is said of every step of an experience."""

    pool: NDArray[np.int8]
    """int8[N], values of `Pool`."""
    value: Float64
    """float64[N], held-out V; NaN where no critic was asked."""
    return_to_go: Float64
    """float64[N]; NaN in unlabelled episodes."""
    advantage: Float64
    """float64[N]; NaN where it is not known."""
    is_goal: Bool
    """bool[N], autonomous steps of which the goal is learned: where they led to (`goals.py`), whatever their pool."""
    report: CriticReport | None = None
    """None for algorithms without a critic."""
    critic: Critic | None = None
    """The fitted critic itself, to be published; None where none was fitted, and not kept with a saved state."""

    @property
    def indicator(self) -> Int64:
        """int64[N], values of `Indicator`: only autonomous steps that the critic found worse are negative."""
        negative = self.pool == Pool.AUTONOMOUS_NEGATIVE
        return np.where(negative, int(Indicator.NEGATIVE), int(Indicator.POSITIVE)).astype(np.int64)

    @property
    def is_used(self) -> Bool:
        """bool[N], steps that batches are made of."""
        return np.isin(self.pool, USED)

    def count(self, pool: Pool) -> int:
        """Number of steps in a pool."""
        return int((self.pool == pool).sum())

    def num_goals(self, mix: Mix) -> int:
        """Number of steps whose goal is learned, of batches made so."""
        return int(self.is_goal.sum()) if mix.goal_share else 0


class Algorithm(Protocol):
    """How experience becomes an update."""

    @property
    def name(self) -> str:
        """As on the command line and in records."""

    @property
    def indicator_dropout(self) -> float:
        """Share of samples whose indicator is not told to the policy."""

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """Judge every step."""

    def mix(self, labels: Labels) -> Mix:
        """Choose what batches are made of."""

    def guidance(self, labels: Labels) -> Guidance:
        """How a policy that learned from these labels should act."""


def supervised(experience: Experience) -> NDArray[np.int8]:
    """Pools in which demonstrations and corrections are learned from and nothing else is, int8[N]."""
    pool = np.full(experience.num_steps, Pool.UNUSED, np.int8)
    good = experience.is_demonstration & ~experience.is_failure & ~experience.is_held_out
    pool[good[experience.episode]] = Pool.DEMONSTRATION
    pool[experience.is_correction] = Pool.CORRECTION
    pool[experience.is_held] = Pool.UNUSED
    return pool


def without_critic(pool: NDArray[np.int8]) -> Labels:
    """Labels of an algorithm that asks no critic."""
    unknown = np.full(len(pool), np.nan)
    nowhere = np.zeros(len(pool), np.bool_)
    return Labels(pool=pool, value=unknown, return_to_go=unknown, advantage=unknown, is_goal=nowhere)


def with_autonomous(pool: NDArray[np.int8], is_positive: Bool, is_negative: Bool) -> NDArray[np.int8]:
    """The same pools with autonomous steps added, int8[N]."""
    pool = pool.copy()
    pool[is_positive] = Pool.AUTONOMOUS_POSITIVE
    pool[is_negative] = Pool.AUTONOMOUS_NEGATIVE
    return pool
