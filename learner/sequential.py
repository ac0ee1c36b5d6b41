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
from numpy.typing import NDArray

_NUM_BETS = 16
_MAX_FORECAST = 100_000


def log_e_value(differences: Sequence[float], margin: float = 0.0) -> float:
    """Log of the evidence against "the mean of the differences is at most -margin".

    Args:
        differences: each in [-1, 1], in an order that was not chosen by looking at them.
        margin: in [0, 1).
    """
    return _log_mean(_log_gains(differences, margin)) if differences else 0.0


def is_convincing(log_e: float, alpha: float) -> bool:
    """Whether the evidence reaches 1 / alpha."""
    return log_e >= -math.log(alpha)


def num_more_needed(differences: Sequence[float], alpha: float, margin: float = 0.0) -> int | None:
    """About how many more differences like these make the evidence convincing; None where none would.

    A forecast for people, not part of the test: each bet is taken to go on gaining as it did on average.
    """
    if not differences:
        return None
    gains = _log_gains(differences, margin)
    slopes = gains / len(differences)

    def is_enough(num_more: int) -> bool:
        return is_convincing(_log_mean(gains + num_more * slopes), alpha)

    if is_enough(0):
        return 0
    # The forecast is convex in the number, so from below the bar it crosses it once or never.
    low, high = 0, _MAX_FORECAST
    if not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _log_gains(differences: Sequence[float], margin: float) -> NDArray[np.float64]:
    """Log of what each bet has made so far."""
    # A bet may stake all but what the worst outcome would turn into a debt.
    bets = (np.arange(_NUM_BETS) + 0.5) / _NUM_BETS / (1 - margin)
    return np.asarray(np.log1p(bets[:, None] * (np.asarray(differences, np.float64) + margin)).sum(axis=1))


def _log_mean(log_gains: NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(log_gains) - math.log(_NUM_BETS))
