"""Which tasks may learn from the robots' own steps: each has to pass by itself.

Over several tasks together a critic can rank well by telling the tasks apart. So every task is measured
alone, and one whose critic fails, or whose threshold tells nothing apart, is left out, while the others go on.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from learner.advantage import Float64, Returns
from learner.critic import CriticConfig, measure
from learner.experience import Bool, Experience


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TaskTrust:
    """The tasks that passed."""

    is_trusted: Bool
    """bool[K], by task code."""
    left_out: str
    """The others, and why, in words; empty where there is none."""


def nobody(tasks: Sequence[str]) -> TaskTrust:
    """Where there is no critic to be trusted."""
    return TaskTrust(is_trusted=np.zeros(len(tasks), np.bool_), left_out="")


def trust_tasks(
    experience: Experience,
    tasks: Sequence[str],
    returns: Returns,
    value: Float64,
    is_positive: Bool,
    is_judged: Bool,
    config: CriticConfig,
) -> TaskTrust:
    """Measure the critic and the indicators in each task.

    Args:
        experience: of all tasks.
        tasks: names of the task codes.
        returns: its returns.
        value: float64[N], held out.
        is_positive: bool[N], the indicators of autonomous steps.
        is_judged: bool[N], those that have one.
        config: the bar.
    """
    of_step = experience.task[experience.episode]
    reasons = {}
    for code in np.unique(experience.task[~experience.is_demonstration]).tolist():
        judged = is_judged & (of_step == code)
        reason = _critic_fails(experience, returns, value, code, config)
        reasons[code] = reason or _tells_nothing(int((is_positive & judged).sum()), int(judged.sum()))
    is_trusted = np.array([reasons.get(code) == "" for code in range(len(tasks))], np.bool_)
    left_out = "; ".join(f"{tasks[code]}: {reason}" for code, reason in reasons.items() if reason)
    return TaskTrust(is_trusted=is_trusted, left_out=left_out)


def _critic_fails(experience: Experience, returns: Returns, value: Float64, code: int, config: CriticConfig) -> str:
    own = experience.task == code
    alone = dataclasses.replace(
        experience, is_success=experience.is_success & own, is_failure=experience.is_failure & own
    )
    known = np.where(own[experience.episode], returns.return_to_go, np.nan)
    report = measure(alone, dataclasses.replace(returns, return_to_go=known), value, float("nan"), config)
    if report.num_episodes < config.min_episodes:
        return f"{report.num_episodes} autonomous episodes with an outcome, {config.min_episodes} needed"
    return "" if report.is_trusted else report.reason


def _tells_nothing(num_positive: int, num_judged: int) -> str:
    if 0 < num_positive < num_judged:
        return ""
    what = "no step is" if not num_positive else "every step is"
    return f"{what} above its threshold, so the indicator says nothing ({num_judged} steps judged)"
