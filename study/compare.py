"""From findings to figures with intervals: arms pooled over seeds, and differences between two of them."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

from scipy.stats import t as student

from policy.statistics import Interval, difference_interval, wilson_interval
from study.cell import Finding
from study.plan import Arm, Question

Findings = Mapping[Arm, Finding]
_CONFIDENCE = 0.95
_MIN_SEEDS = 3
SUCCESS = "success_rate"


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


def over_seeds(values: Sequence[float]) -> Interval:
    """Mean of one value a seed, with Student's interval; without bounds (NaN) below three seeds."""
    mean = statistics.fmean(values)
    if len(values) < _MIN_SEEDS:
        return Interval(estimate=mean, low=math.nan, high=math.nan)
    quantile = float(student.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(estimate=mean, low=mean - half, high=mean + half)


def ratio_over_seeds(ratios: Sequence[float]) -> Interval:
    """Geometric mean of one ratio a seed, with Student's interval over their logarithms."""
    logs = over_seeds([math.log(ratio) for ratio in ratios])
    return Interval(estimate=math.exp(logs.estimate), low=math.exp(logs.low), high=math.exp(logs.high))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """One arm's figure minus another's."""

    interval: Interval
    """Bounds are NaN where there is no interval."""
    method: str
    """How the interval was made, in words."""

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside."""
        return self.interval.low > 0 or self.interval.high < 0


_SAME = Difference(interval=Interval(estimate=0.0, low=0.0, high=0.0), method="one training, two names")


def difference(ours: Sequence[Finding], theirs: Sequence[Finding], measure: str = SUCCESS) -> Difference:
    """A measure of `ours` minus that of `theirs`, seed by seed in the same order.

    From three seeds on it is Student's interval over the seeds' differences: seeds differ by more than
    episodes do, and a difference that does not reproduce over them must not look certain. With fewer there
    is only Newcombe's over the episodes, which says nothing of other seeds, and only for success.

    Raises:
        ValueError: the two have different numbers of seeds.
    """
    apart = [a[measure] - b[measure] for a, b in zip(ours, theirs, strict=True)]
    if len(apart) >= _MIN_SEEDS:
        return Difference(interval=over_seeds(apart), method=f"Student over {len(apart)} seeds")
    if measure != SUCCESS:
        return Difference(interval=over_seeds(apart), method=f"no interval from {len(apart)} seed(s)")
    interval = difference_interval(
        sum(finding["num_successes"] for finding in ours),
        sum(finding["num_episodes"] for finding in ours),
        sum(finding["num_successes"] for finding in theirs),
        sum(finding["num_episodes"] for finding in theirs),
        _CONFIDENCE,
    )
    return Difference(interval=interval, method=f"Newcombe over episodes, {len(apart)} seed(s)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two arms in one setting of one task, over the seeds that have both."""

    task: str
    setting: tuple[str, ...]
    measure: str
    """The field of findings that is compared."""
    ours: str
    theirs: str
    seeds: tuple[int, ...]
    difference: Difference

    @property
    def is_same_training(self) -> bool:
        """Whether both are one training under two names, loss for loss: what tells them apart was not used."""
        return self.difference == _SAME


def compare(findings: Findings, ours: str, theirs: str, measure: str = SUCCESS) -> list[Comparison]:
    """In every setting in which both were measured."""
    found: dict[tuple[str, tuple[str, ...]], dict[str, dict[int, Finding]]] = {}
    for arm, finding in findings.items():
        if finding.get(measure) is not None:
            group = found.setdefault((arm.task, arm.setting), {})
            group.setdefault(arm.name, {})[arm.seed] = finding
    comparisons = []
    for (task, setting), group in found.items():
        seeds = tuple(sorted(group.get(ours, {}).keys() & group.get(theirs, {}).keys()))
        if seeds:
            pairs = [(group[ours][seed], group[theirs][seed]) for seed in seeds]
            is_same = all("loss" in our and our["loss"] == their.get("loss") for our, their in pairs)
            comparisons.append(
                Comparison(
                    task=task,
                    setting=setting,
                    measure=measure,
                    ours=ours,
                    theirs=theirs,
                    seeds=seeds,
                    difference=_SAME
                    if is_same
                    else difference([our for our, _ in pairs], [their for _, their in pairs], measure),
                )
            )
    return comparisons


def primary(question: Question, findings: Findings) -> list[Comparison]:
    """The comparisons that were written down before, on every measure that both arms have."""
    return [
        comparison
        for measure in question.measures
        for ours, theirs in question.comparisons
        for comparison in compare(findings, ours, theirs, measure)
    ]
