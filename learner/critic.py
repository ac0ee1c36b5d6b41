"""The critic must earn its say: values held out by episode, their ranking measured, a bar to pass.

A value function that saw an episode's return repeats it, and its advantages are noise (measured: .71
correlation in-sample, -.03 held out, at 64 episodes). So episodes are dealt into K folds, every episode
is scored by a network that never saw it, and the scores' ranking decides whether autonomous steps may be
labelled at all.
"""

import dataclasses

import numpy as np
import torch

from learner.advantage import Float64, Returns, Segments
from learner.experience import Bool, Experience, Int64
from learner.value import Observations, ValueConfig, ValueNetwork, fit, score
from policy.errors import ConfigError

_NUM_CALIBRATION_BINS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class CriticConfig:
    """Cross-fitting, and the bar."""

    num_folds: int = 2
    """K; each network trains on the episodes of the other folds."""
    num_networks: int = 1
    """Networks of each fold, whose mean judges: an ensemble."""
    min_ranking: float = 0.25
    """Held-out Spearman correlation of value and return on autonomous steps, below which no step is labelled."""
    min_auc: float = 0.6
    """Held-out chance that a success is valued above a failure half-way through, below which the same."""
    min_episodes: int = 40
    """Autonomous episodes with a known outcome, below which the critic is not even asked."""
    fits_corrected: bool = True
    """Whether corrected parts of episodes are in the critic's data (as segments of their own)."""

    def __post_init__(self) -> None:
        if self.num_folds < 2:
            raise ConfigError("num_folds must be at least 2", value=self.num_folds)
        if self.num_networks < 1:
            raise ConfigError("num_networks must be at least 1", value=self.num_networks)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CriticReport:
    """What the critic showed on episodes that it had not seen."""

    num_episodes: int
    """Autonomous episodes it was measured on."""
    num_failures: int
    """Failures among them."""
    ranking: float
    """Spearman correlation of value and return over autonomous steps; NaN where there is nothing to rank."""
    auc: float
    """P(value of a success > value of a failure) half-way through; NaN where one kind is missing."""
    fit_loss: float
    """Cross-entropy at the end of the fits, in-sample."""
    bias: float
    """Mean of value minus return."""
    is_trusted: bool
    """Whether its advantages may label autonomous steps."""
    reason: str
    """The decision in words."""
    left_out: str = ""
    """Tasks whose autonomous steps are not learned from, and why, where others' are."""
    calibration: tuple[tuple[float, float, int], ...] = ()
    """(mean value, mean return, steps) in ten groups of rising value."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CriticFit:
    """Held-out values and what they are worth."""

    value: Float64
    """float64[N]; NaN where the critic was not asked."""
    report: CriticReport
    networks: tuple[ValueNetwork, ...]


def fit_critic(
    data: Observations,
    experience: Experience,
    segments: Segments,
    returns: Returns,
    *,
    config: CriticConfig,
    value_config: ValueConfig,
    device: torch.device,
    seed: int,
) -> CriticFit:
    """Cross-fit value functions over episodes and measure them on what each did not see."""
    enough = _measurable(experience)
    value = np.full(experience.num_steps, np.nan)
    if int(enough.sum()) < config.min_episodes:
        reason = f"{int(enough.sum())} autonomous episodes with an outcome, {config.min_episodes} needed"
        return CriticFit(value=value, report=_unasked(int(enough.sum()), reason), networks=())
    fold = _folds(experience, config.num_folds, seed)[experience.episode]
    is_known = np.isfinite(returns.return_to_go) & ~experience.is_held
    if not config.fits_corrected:
        is_known &= ~_corrected(experience, segments)
    networks, losses = [], []
    for held_out in range(config.num_folds):
        steps = np.flatnonzero(is_known & (fold != held_out))
        judged = np.flatnonzero(fold == held_out)
        scores = []
        for member in range(config.num_networks):
            own_seed = seed + held_out + config.num_folds * member
            network, loss = fit(data, steps, returns.return_to_go[steps], value_config, device=device, seed=own_seed)
            scores.append(score(network, data, judged))
            networks.append(network)
            losses.append(loss)
        value[judged] = np.mean(scores, axis=0)
    report = measure(experience, returns, value, float(np.mean(losses)), config)
    return CriticFit(value=value, report=report, networks=tuple(networks))


def measure(
    experience: Experience, returns: Returns, value: Float64, fit_loss: float, config: CriticConfig
) -> CriticReport:
    """Ranking, discrimination and calibration of held-out values, and the decision."""
    judged = experience.is_autonomous & np.isfinite(returns.return_to_go) & np.isfinite(value)
    ranking = spearman(value[judged], returns.return_to_go[judged])
    episodes = _measurable(experience)
    middle = experience.start + experience.length // 2
    auc = discrimination(value[middle[episodes]], experience.is_success[episodes])
    problems = _why_unmeasured(experience, returns, value)
    if not ranking >= config.min_ranking:
        problems.append(f"ranking {ranking:.2f} is below {config.min_ranking:.2f}")
    if not auc >= config.min_auc:
        problems.append(f"success/failure AUC {auc:.2f} is below {config.min_auc:.2f}")
    trusted = f"ranking {ranking:.2f} and AUC {auc:.2f} on held-out episodes pass"
    return CriticReport(
        num_episodes=int(episodes.sum()),
        num_failures=int((episodes & ~experience.is_success).sum()),
        ranking=ranking,
        auc=auc,
        fit_loss=fit_loss,
        bias=float(np.mean(value[judged] - returns.return_to_go[judged])) if judged.any() else float("nan"),
        is_trusted=not problems,
        reason=" and ".join(problems) or trusted,
        calibration=_calibration(value[judged], returns.return_to_go[judged]),
    )


def _why_unmeasured(experience: Experience, returns: Returns, value: Float64) -> list[str]:
    """What makes the measures NaN, in words: a number says nothing of it."""
    problems = []
    is_lost = experience.is_autonomous & np.isfinite(returns.return_to_go) & ~np.isfinite(value)
    if is_lost.any():
        problems.append(f"{int(is_lost.sum())} of its values are not finite")
    is_success = experience.is_success[_measurable(experience)]
    if len(is_success) and is_success.all() == is_success.any():
        kind = "succeeded" if is_success.all() else "failed"
        problems.append(f"all {len(is_success)} autonomous episodes {kind}, so there is nothing to tell apart")
    return problems


def ranks(a: Float64) -> Float64:
    """float64[N], 1 for the smallest, equal ones share the mean of theirs: scipy's, whose import takes a second."""
    _, place, count = np.unique(a, return_inverse=True, return_counts=True)
    mean: Float64 = (np.cumsum(count) - (count - 1) / 2)[place]
    return mean


def spearman(a: Float64, b: Float64) -> float:
    """Rank correlation; NaN where one side does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def discrimination(value: Float64, is_success: Bool) -> float:
    """Area under the ROC curve, as the Mann-Whitney statistic; NaN where one kind is missing."""
    num_success, num_failure = int(is_success.sum()), int((~is_success).sum())
    if not (num_success and num_failure and np.isfinite(value).all()):
        return float("nan")
    rank_sum = ranks(value)[is_success].sum()
    return float((rank_sum - num_success * (num_success + 1) / 2) / (num_success * num_failure))


def _measurable(experience: Experience) -> Bool:
    """bool[E], episodes with a known outcome that the policy itself still drove half-way through."""
    known = (experience.is_success | experience.is_failure) & ~experience.is_demonstration
    return np.asarray(known & ~experience.is_helped, np.bool_)


def _corrected(experience: Experience, segments: Segments) -> Bool:
    begins_corrected = experience.is_correction[segments.start]
    return np.asarray(begins_corrected[segments.of_step], np.bool_)


def _folds(experience: Experience, num_folds: int, seed: int) -> Int64:
    """int64[E], dealt so that every fold has its share of successes and failures."""
    rng = np.random.default_rng(seed)
    fold = np.zeros(experience.num_episodes, np.int64)
    for kind in (experience.is_success, ~experience.is_success):
        episodes = rng.permutation(np.flatnonzero(kind))
        fold[episodes] = np.arange(len(episodes)) % num_folds
    return fold


def _calibration(value: Float64, return_to_go: Float64) -> tuple[tuple[float, float, int], ...]:
    groups = np.array_split(np.argsort(value), _NUM_CALIBRATION_BINS)
    return tuple(
        (float(value[group].mean()), float(return_to_go[group].mean()), len(group)) for group in groups if len(group)
    )


def _unasked(num_episodes: int, reason: str) -> CriticReport:
    nan = float("nan")
    return CriticReport(
        num_episodes=num_episodes,
        num_failures=0,
        ranking=nan,
        auc=nan,
        fit_loss=nan,
        bias=nan,
        is_trusted=False,
        reason=reason,
    )
