"""The control: RECAP with its indicators shuffled among the judged autonomous steps of each task.

The positive share is RECAP's, the critic's say too; what is gone is the information. One replication
saw .700 for the real indicator, .590 for a random one and .557 for the baseline, so part of RECAP's
gain is not the indicator.
"""

import dataclasses

import numpy as np
import torch

from learner.algorithms.recap import Recap
from learner.data import Data
from learner.labels import Labels, Pool


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecapRandom(Recap):
    """RECAP without information."""

    name: str = "recap_random"

    def label(self, data: Data, *, device: torch.device, seed: int) -> Labels:
        """RECAP's labels, shuffled."""
        labels = super().label(data, device=device, seed=seed)
        rng = np.random.default_rng(seed)
        pool = labels.pool.copy()
        task = data.experience.task[data.experience.episode]
        is_judged = (pool == Pool.AUTONOMOUS_POSITIVE) | (pool == Pool.AUTONOMOUS_NEGATIVE)
        for code in np.unique(task):
            steps = np.flatnonzero(is_judged & (task == code))
            pool[steps] = rng.permutation(pool[steps])
        return dataclasses.replace(labels, pool=pool)
