"""Evidence that may be looked at after every pair: a betting test of a mean.

    E_n = mean over bets b of  prod_{i <= n} (1 + b (d_i + margin)),   d_i in [-1, 1]

If the true mean of d is at most -margin, each factor's expectation is at most 1, so E_n is a
non-negative supermartingale and P(E_n ever reaches 1 / alpha) <= alpha (Ville 1939): one may stop
whenever the evidence is enough, which a fixed-sample test does not allow. With margin 0 only pairs that
differ move it, as in a sign test. Source: Waudby-Smith and Ramdas, "Estimating means of bounded random
variables by betting", JRSS B 86 (2024); the mixture over bets goes back to Robbins (1970).
"""

import math
from collections.abc import Sequence

import numpy as np

_NUM_BETS = 16


def log_e_value(differences: Sequence[float], margin: float = 0.0) -> float:
    """Log of the evidence against "the mean of the differences is at most -margin".

    Args:
        differences: each in [-1, 1], in an order that was not chosen by looking at them.
        margin: in [0, 1).
    """
    if not differences:
        return 0.0
    # A bet may stake all but what the worst outcome would turn into a debt.
    bets = (np.arange(_NUM_BETS) + 0.5) / _NUM_BETS / (1 - margin)
    gains = np.log1p(bets[:, None] * (np.asarray(differences, np.float64) + margin)).sum(axis=1)
    return float(np.logaddexp.reduce(gains) - math.log(_NUM_BETS))


def is_convincing(log_e: float, alpha: float) -> bool:
    """Whether the evidence reaches 1 / alpha."""
    return log_e >= -math.log(alpha)
