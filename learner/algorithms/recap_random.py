"""The control: RECAP with what it says of autonomous steps shuffled among those of each task.

As many have each indicator, and of as many the goal is learned, but of any that somebody has said an outcome of, so
that goals are also those of failures; the critic's say is RECAP's. What is gone is the information. One replication
saw .700 for the real indicator, .590 for a random one and .557 for the baseline, so part of RECAP's
gain is not the indicator.
"""

import dataclasses

import numpy as np
import torch

from learner.algorithms.recap import Recap
from learner.data import Data
from learner.labels import AUTONOMOUS, Labels


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecapRandom(Recap):
    """RECAP without information."""

    name: str = "recap_random"

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """RECAP's labels, shuffled."""
        labels = super().label(data, device=device, seed=seed)
        rng = np.random.default_rng(seed)
        pool, is_goal = labels.pool.copy(), labels.is_goal.copy()
        task = data.experience.task[data.experience.episode]
        is_judged = np.isin(pool, AUTONOMOUS)
        has_ended = data.experience.is_autonomous & np.isfinite(labels.return_to_go)
        for code in np.unique(task):
            led = np.flatnonzero(has_ended & (task == code))
            is_goal[led] = rng.permutation(is_goal[led])
            steps = np.flatnonzero(is_judged & (task == code))
            pool[steps] = rng.permutation(pool[steps])
        return dataclasses.replace(labels, pool=pool, is_goal=is_goal)
