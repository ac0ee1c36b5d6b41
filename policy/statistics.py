"""Intervals for rates, so that no percentage is shown bare; and thresholds that say how often they are passed.

Pure functions, used wherever success is counted: evaluation, judging, reports, benchmarks.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its confidence bounds."""

    estimate: float
    low: float
    high: float


def wilson_interval(num_successes: int, num_trials: int, confidence: float = 0.95) -> Interval:
    """Success rate with its Wilson score interval (E. B. Wilson, JASA 22, 1927).

    Args:
        num_successes: between 0 and `num_trials`.
        num_trials: 0 gives the empty interval [0, 1] around NaN.
        confidence: two-sided coverage.

    Raises:
        ValueError: counts that cannot be.
    """
    if not 0 <= num_successes <= num_trials:
        raise ValueError(f"need 0 <= successes <= trials, got {num_successes} of {num_trials}")
    if num_trials == 0:
        return Interval(estimate=math.nan, low=0.0, high=1.0)
    z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = num_successes / num_trials
    denominator = 1 + z * z / num_trials
    centre = (rate + z * z / (2 * num_trials)) / denominator
    half = z / denominator * math.sqrt(rate * (1 - rate) / num_trials + z * z / (4 * num_trials**2))
    # Rounding must not push a bound past the estimate at 0 and at 1.
    return Interval(estimate=rate, low=min(max(0.0, centre - half), rate), high=max(min(1.0, centre + half), rate))


def difference_interval(
    num_successes: int, num_trials: int, base_successes: int, base_trials: int, confidence: float = 0.95
) -> Interval:
    """Rate minus base rate, Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10).

    Treats the two samples as independent, which is conservative where both ran the same scenes.
    """
    ours = wilson_interval(num_successes, num_trials, confidence)
    base = wilson_interval(base_successes, base_trials, confidence)
    if num_trials == 0 or base_trials == 0:
        return Interval(estimate=math.nan, low=-1.0, high=1.0)
    difference = ours.estimate - base.estimate
    low = difference - math.hypot(ours.estimate - ours.low, base.high - base.estimate)
    high = difference + math.hypot(ours.high - ours.estimate, base.estimate - base.low)
    return Interval(estimate=difference, low=low, high=high)


def conformal_quantile(scores: Sequence[float], coverage: float) -> float:
    """The score that a further one of the same kind exceeds with chance at most 1 - `coverage` (Vovk et al., 2005).

    It is the k-th smallest, k = ceil((n + 1) coverage); infinite while there are too few to tell.
    """
    rank = math.ceil((len(scores) + 1) * coverage)
    return sorted(scores)[rank - 1] if rank <= len(scores) else math.inf
