"""Returns, advantages and improvement indicators of RECAP (pi*0.6, arXiv 2511.14759, section IV); numpy only.

    r_t = 0 at the last step of a success, -C_fail at the last step of a failure, -1 otherwise
    R_t = sum_{t' >= t} r_t'                                                        (no discount)
    A_t = sum_{t' = t}^{t+N-1} r_t' + V(o_{t+N}) - V(o_t),  V = 0 behind the end
    I_t = 1[A_t > eps_task], corrections and demonstrations always positive

Rewards are divided per task, so that R and V lie in [-1, 0]. Deviations from the paper: the divisor is
(longest episode + C_fail), because the longest episode alone cannot bound a failure's return; an episode
is cut at every takeover (as RLinf does), the autonomous part before it counts as failed, and no N-step
window reaches across the cut, where two behaviours meet (arXiv 2605.00416).
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from learner.experience import Bool, Experience, Int64
from policy.errors import ConfigError

Float64 = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdvantageConfig:
    """How steps are judged."""

    lookahead_steps: int = 8
    """N of the N-step advantage (8 at 20 Hz tracked true progress best); 0 looks to the end."""
    failure_cost_steps: float = 0.0
    """C_fail in steps; 0 takes each task's longest episode (the paper does not say; RLinf uses 300)."""
    splits_at_takeover: bool = True
    """Whether a takeover ends the autonomous part before it as a failure."""
    positive_share: float = 0.4
    """Share of a task's autonomous steps above its threshold."""
    easy_positive_share: float = 0.1
    """The same for a task that is already easy."""
    easy_success_rate: float = 0.9
    """Autonomous success rate from which a task is easy."""
    positive_in_failures: bool = False
    """Whether steps of failed episodes may be positive (in the prototypes this hurt)."""
    believed_success_rate: float = 0.85
    """Where plainly less than this share of a task's helped episodes end well (Wilson's upper bound), only
    interventions that helped are learned from; else all are, as in the paper. 0 believes people always."""

    def __post_init__(self) -> None:
        if self.lookahead_steps < 0 or self.failure_cost_steps < 0:
            raise ConfigError("lookahead_steps and failure_cost_steps must not be negative")
        for name in ("positive_share", "easy_positive_share"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} must lie between 0 and 1", value=getattr(self, name))
        if not 0 <= self.believed_success_rate <= 1:
            raise ConfigError("believed_success_rate must lie in [0, 1]", value=self.believed_success_rate)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Pieces of episodes with one behaviour and one end each: M segments over the same N steps."""

    start: Int64
    """int64[M]."""
    length: Int64
    """int64[M]."""
    is_success: Bool
    """bool[M]."""
    is_labelled: Bool
    """bool[M]; False where nobody knows how it ended."""
    episode: Int64
    """int64[M], the episode it is part of."""

    @property
    def of_step(self) -> Int64:
        """int64[N], the segment of each step."""
        return np.repeat(np.arange(len(self.start)), self.length)

    @property
    def end_of_step(self) -> Int64:
        """int64[N], one past the last step of each step's segment."""
        return np.repeat(self.start + self.length, self.length)


def takeovers(experience: Experience) -> Bool:
    """bool[N], True where a person takes over from the policy.

    Held steps carry on what was before them: a pause inside an intervention is no second takeover.
    """
    moved = np.where(experience.is_held, -1, np.arange(experience.num_steps))
    previous = np.concatenate([[-1], np.maximum.accumulate(moved)[:-1]])
    same_episode = previous >= np.repeat(experience.start, experience.length)
    was_policy = same_episode & ~experience.is_correction[previous]
    return np.asarray(experience.is_correction & was_policy, np.bool_)


def split(experience: Experience, config: AdvantageConfig) -> Segments:
    """Cut episodes at takeovers: every part before one ended in failure, the last has the episode's end."""
    is_start = np.zeros(experience.num_steps, np.bool_)
    is_start[experience.start] = True
    if config.splits_at_takeover:
        is_start |= takeovers(experience)
    start = np.flatnonzero(is_start).astype(np.int64)
    length = np.diff(np.append(start, experience.num_steps))
    episode = experience.episode[start]
    is_last = np.append(episode[1:] != episode[:-1], [True] * min(1, len(start))).astype(np.bool_)
    labelled = experience.is_success | experience.is_failure
    return Segments(
        start=start,
        length=length,
        is_success=experience.is_success[episode] & is_last,
        is_labelled=labelled[episode] | ~is_last,
        episode=episode,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Returns:
    """Normalised rewards and returns; NaN in unlabelled segments."""

    reward: Float64
    """float64[N]."""
    return_to_go: Float64
    """float64[N], in [-1, 0]."""


def task_costs(experience: Experience, config: AdvantageConfig) -> tuple[Float64, Float64]:
    """(longest episode, C_fail) of each task, float64[K] in steps: the divisor of its returns is their sum."""
    longest = np.zeros(int(experience.task.max(initial=-1)) + 1)
    np.maximum.at(longest, experience.task, experience.length)
    cost = np.full(len(longest), config.failure_cost_steps) if config.failure_cost_steps else longest
    return longest, cost


def returns(experience: Experience, segments: Segments, config: AdvantageConfig) -> Returns:
    """Rewards and Monte-Carlo returns of every step (equation 1 of the paper, normalised per task)."""
    longest, cost = task_costs(experience, config)
    task = experience.task[experience.episode]
    steps_left = segments.end_of_step - 1 - np.arange(experience.num_steps)
    failed = ~segments.is_success[segments.of_step]
    reward = np.where(steps_left > 0, -1.0, -cost[task] * failed)
    return_to_go = -steps_left - cost[task] * failed
    known = np.where(segments.is_labelled[segments.of_step], 1.0, np.nan)
    scale = known / (longest + cost)[task]
    return Returns(reward=reward * scale, return_to_go=return_to_go * scale)


def advantages(returns: Returns, segments: Segments, value: Float64, config: AdvantageConfig) -> Float64:
    """N-step advantage of every step, float64[N].

    Without discount the window's rewards are R_t - R_{t+N}, so the sum needs no loop.
    """
    now = np.arange(len(value))
    end = segments.end_of_step
    ahead = np.minimum(now + config.lookahead_steps, end) if config.lookahead_steps else end
    inside = ahead < end
    safe = np.where(inside, ahead, 0)
    return_ahead = np.where(inside, returns.return_to_go[safe], 0.0)
    value_ahead = np.where(inside, value[safe], 0.0)
    return (returns.return_to_go - return_ahead) + value_ahead - value


def thresholds(advantage: Float64, task: Int64, is_judged: Bool, share: Float64, fallback: float = np.inf) -> Float64:
    """Threshold eps of each task, float64[K]: the quantile of judged advantages that leaves `share[k]` above it.

    The paper's text speaks of a percentile of values; every open implementation, and this one, takes
    the quantile of advantages.
    """
    eps = np.full(len(share), fallback)
    for code in range(len(share)):
        judged = advantage[is_judged & (task == code)]
        if len(judged):
            eps[code] = np.quantile(judged, 1 - share[code], method="lower")
    return eps


def positive_shares(experience: Experience, config: AdvantageConfig) -> Float64:
    """float64[K], the share asked of each task: less where autonomous episodes nearly always succeed."""
    num_tasks = int(experience.task.max(initial=-1)) + 1
    known = (experience.is_success | experience.is_failure) & ~experience.is_demonstration
    tried = np.bincount(experience.task[known], minlength=num_tasks)
    alone = np.bincount(experience.task[known & experience.is_success & ~experience.is_helped], minlength=num_tasks)
    is_easy = (tried > 0) & (alone >= config.easy_success_rate * tried)
    return np.where(is_easy, config.easy_positive_share, config.positive_share)


def positive_thresholds(experience: Experience, advantage: Float64, config: AdvantageConfig) -> Float64:
    """Threshold eps of each task over the steps that are judged, float64[K]; infinite where none is."""
    is_judged = experience.is_autonomous & np.isfinite(advantage)
    task = experience.task[experience.episode]
    return thresholds(advantage, task, is_judged, positive_shares(experience, config))


def indicators(
    experience: Experience, segments: Segments, advantage: Float64, config: AdvantageConfig
) -> tuple[Bool, Bool]:
    """Improvement indicators of autonomous steps: (is_positive bool[N], is_judged bool[N]).

    Demonstrations, corrections, held and unlabelled steps are not judged: what they count as is the
    algorithm's decision.
    """
    task = experience.task[experience.episode]
    is_judged = experience.is_autonomous & np.isfinite(advantage)
    eps = positive_thresholds(experience, advantage, config)
    with np.errstate(invalid="ignore"):
        is_positive = is_judged & (advantage > eps[task])
    if not config.positive_in_failures:
        is_positive &= segments.is_success[segments.of_step]
    return is_positive, is_judged
