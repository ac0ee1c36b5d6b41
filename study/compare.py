"""From findings to figures with intervals: arms pooled over seeds, and differences between two of them."""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from scipy.stats import t as student

from policy.statistics import Interval, difference_interval, wilson_interval
from study.cell import Finding

_CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pooled:
    """One arm over its seeds."""

    num_seeds: int
    num_episodes: int
    success: Interval
    """Wilson's, of all episodes together: it knows nothing of how seeds differ."""
    throughput_per_robot_hour: float
    """Successes per hour of robot time."""
    steps_of_successes: float
    """Mean length of a success, control ticks; NaN without any."""


def pool(findings: Sequence[Finding]) -> Pooled:
    """The episodes of all seeds together."""
    won = sum(finding["num_successes"] for finding in findings)
    num_episodes = sum(finding["num_episodes"] for finding in findings)
    steps = sum((finding["steps_of_successes"] or 0) * finding["num_successes"] for finding in findings)
    return Pooled(
        num_seeds=len(findings),
        num_episodes=num_episodes,
        success=wilson_interval(won, num_episodes),
        throughput_per_robot_hour=won / sum(finding["robot_hours"] for finding in findings),
        steps_of_successes=steps / won if won else math.nan,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """One arm's success minus another's."""

    interval: Interval
    method: str
    """How the interval was made, in words."""

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside."""
        return self.interval.low > 0 or self.interval.high < 0


def difference(ours: Sequence[Finding], theirs: Sequence[Finding]) -> Difference:
    """Success of `ours` minus that of `theirs`, seed by seed in the same order.

    From three seeds on it is Student's interval over the seeds' differences: seeds differ by more than
    episodes do, and a difference that does not reproduce over them must not look certain. With fewer there
    is only Newcombe's over the episodes, which says nothing of other seeds.

    Raises:
        ValueError: the two have different numbers of seeds.
    """
    apart = [a["success_rate"] - b["success_rate"] for a, b in zip(ours, theirs, strict=True)]
    if len(apart) < 3:
        mine, other = pool(ours), pool(theirs)
        interval = difference_interval(
            sum(finding["num_successes"] for finding in ours),
            mine.num_episodes,
            sum(finding["num_successes"] for finding in theirs),
            other.num_episodes,
            _CONFIDENCE,
        )
        return Difference(interval=interval, method=f"Newcombe over episodes, {len(apart)} seed(s)")
    mean = statistics.fmean(apart)
    half = float(student.ppf(0.5 + _CONFIDENCE / 2, len(apart) - 1)) * statistics.stdev(apart) / math.sqrt(len(apart))
    interval = Interval(estimate=mean, low=mean - half, high=mean + half)
    return Difference(interval=interval, method=f"Student over {len(apart)} seeds")
