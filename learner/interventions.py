"""Judges people too: which interventions left the robot better off.

RECAP forces every correction positive (arXiv 2511.14759) and HG-DAgger imitates them all. People who are slow,
late, noisy and often wrong then teach a policy to be worse than its base (figures: README). Who they are, outcomes
tell better than a critic: unless a task's episodes that people helped in plainly end well too seldom, all
interventions are learned from, as in the paper, in the belief that what a good operator does in vain is still better
than what the robot did. Elsewhere an intervention, from takeover to hand-back, is judged as a whole by what it left
behind: by how the episode ended where it ended in the person's hands, else by the critic,

    A = sum of rewards + V(first step after the hand-back) - V(takeover) > 0
"""

import dataclasses

import numpy as np

from learner.advantage import AdvantageConfig, Float64, Returns
from learner.experience import Bool, Experience, Int64
from policy.statistics import wilson_interval


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Interventions:
    """Stretches in which a person moved the robot; held steps in between belong to them."""

    start: Int64
    """int64[M], first step that the person made."""
    stop: Int64
    """int64[M], one past the last."""
    ends_episode: Bool
    """bool[M], the policy made no step of the episode after it."""


def find(experience: Experience) -> Interventions:
    """All of an experience, in order."""
    moved = np.flatnonzero(~experience.is_held)
    is_person = experience.is_correction[moved]
    episode = experience.episode[moved]
    changes = np.flatnonzero((np.diff(episode) != 0) | (np.diff(is_person) != 0)) + 1
    first = np.concatenate([[0], changes]).astype(np.int64)[: len(moved)]
    last = np.append(changes, len(moved))[: len(first)] - 1
    by_person = is_person[first]
    first, last = first[by_person], last[by_person]
    behind = np.minimum(last + 1, len(moved) - 1)
    return Interventions(
        start=moved[first],
        stop=moved[last] + 1,
        ends_episode=(behind == last) | (episode[behind] != episode[last]),
    )


def helped(experience: Experience, found: Interventions, returns: Returns, value: Float64, is_trusted: Bool) -> Bool:
    """bool[M], interventions that left the robot better off.

    Where nobody knows how the episode ended, or the critic has no say in the task, people are believed.

    Args:
        experience: of all tasks.
        found: its interventions.
        returns: its returns.
        value: float64[N], held out; NaN where the critic was not asked.
        is_trusted: bool[K], tasks in which the critic has a say.
    """
    episode = experience.episode[found.start]
    behind = np.minimum(found.stop, experience.num_steps - 1)
    rewards = returns.return_to_go[found.start] - returns.return_to_go[behind]
    gain = rewards + value[behind] - value[found.start]
    with np.errstate(invalid="ignore"):
        is_worse = is_trusted[experience.task[episode]] & (gain <= 0)
    return ~np.where(found.ends_episode, experience.is_failure[episode], is_worse)


def unhelpful(
    experience: Experience, returns: Returns, value: Float64, is_trusted: Bool, config: AdvantageConfig
) -> Bool:
    """bool[N], correction steps not to learn from; arguments as those of `helped`."""
    found = find(experience)
    is_believed = _are_believed(experience, config)[experience.task[experience.episode[found.start]]]
    left_out = ~(helped(experience, found, returns, value, is_trusted) | is_believed)
    edges = np.zeros(experience.num_steps + 1, np.int64)
    np.add.at(edges, found.start[left_out], 1)
    np.add.at(edges, found.stop[left_out], -1)
    return np.asarray((np.cumsum(edges[:-1]) > 0) & experience.is_correction, np.bool_)


def _are_believed(experience: Experience, config: AdvantageConfig) -> Bool:
    """bool[K], tasks whose people are learned from whole, as they are until enough episodes speak against them."""
    is_helped = experience.is_helped
    num_tasks = int(experience.task.max(initial=-1)) + 1
    successes, failures = (
        np.bincount(experience.task[ended & is_helped], minlength=num_tasks).tolist()
        for ended in (experience.is_success, experience.is_failure)
    )
    likely = [wilson_interval(won, won + lost).high for won, lost in zip(successes, failures, strict=True)]
    return np.asarray(likely, np.float64) >= config.believed_success_rate
