"""Draws training samples: uniform over tasks, then by the mix and by SOP's rule.

    task (uniform) -> goal                                       -> step       shares of the mix
                      autonomous -> positive | negative          -> step
                      people     -> demonstrations | corrections -> step       SOP's rule

Autonomous steps are drawn by episode and then within it, so that a long stuck episode weighs no more
than a short one. A draw depends on (seed, update) alone: the same pin and seed give the same batches,
wherever training was interrupted.
"""

import dataclasses
from typing import Final

import numpy as np

from learner.experience import Bool, Experience, Int64
from learner.labels import AUTONOMOUS, USED, Labels, Pool
from learner.mix import Mix, OnlineShare
from policy.errors import ConfigError

ONLINE = (Pool.CORRECTION, *AUTONOMOUS)
_GOAL: Final = None
"""Beside the pools, the source of samples of which the goal alone is learned."""
_SAMPLE_STREAM = 1
"""Keeps the sampler's random numbers apart from others that are seeded by (seed, update)."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """One batch, as indices."""

    steps: Int64
    """int64[B], steps of the experience."""
    task: Int64
    """int64[B], their task codes."""
    is_online: Bool
    """bool[B], samples of corrections and autonomous steps."""
    is_imitated: Bool
    """bool[B]; of others only the goal is learned, and SOP's rule leaves them out."""


class Sampler:
    """Draws from one labelled experience."""

    def __init__(self, experience: Experience, labels: Labels, mix: Mix, *, seed: int) -> None:
        self._mix = mix
        self._seed = seed
        task = experience.task[experience.episode]
        self._tasks = [int(code) for code in np.unique(task[labels.is_used])]
        if not self._tasks:
            raise ConfigError("there is nothing to learn from: no demonstrations, corrections or labelled steps")
        sources = [(pool, labels.pool == pool, pool in AUTONOMOUS) for pool in USED]
        self._cells: dict[tuple[int, Pool | None], _Cell] = {
            (code, pool): _Cell(np.flatnonzero(is_source & (task == code)), experience, by_episode)
            for code in self._tasks
            for pool, is_source, by_episode in [*sources, (_GOAL, labels.is_goal, True)]
            if (is_source & (task == code)).any()
        }

    def draw(self, update: int, batch_size: int, online: OnlineShare) -> Draw:
        """The batch of one update."""
        rng = np.random.default_rng([_SAMPLE_STREAM, self._seed, update])
        shares = {key: self._probability(*key, online) for key in self._cells}
        # Who has no share moves no random numbers either: with plentiful help RECAP is HG-DAgger to the bit.
        keys = [key for key, share in shares.items() if share]
        probabilities = np.array([shares[key] for key in keys])
        counts = rng.multinomial(batch_size, probabilities / probabilities.sum())
        steps = [self._cells[key].draw(count, rng) for key, count in zip(keys, counts, strict=True)]
        return Draw(
            steps=np.concatenate(steps),
            task=np.repeat([task for task, _ in keys], counts),
            is_online=np.repeat([pool in ONLINE for _, pool in keys], counts),
            is_imitated=np.repeat([pool is not _GOAL for _, pool in keys], counts),
        )

    def _probability(self, task: int, pool: Pool | None, online: OnlineShare) -> float:
        """Of one cell: goals and autonomous steps have their shares, people the rest; who is alone takes it all."""
        has = {other for code, other in self._cells if code == task}
        if pool is _GOAL:
            return self._mix.goal_share / len(self._tasks)
        imitated = 1 - self._mix.goal_share if _GOAL in has else 1.0
        autonomous = has & set(AUTONOMOUS)
        people = has - autonomous - {_GOAL}
        if pool in AUTONOMOUS:
            share, siblings = self._mix.autonomous_share if people else 1.0, autonomous
            own = self._mix.negative_share if pool is Pool.AUTONOMOUS_NEGATIVE else 1 - self._mix.negative_share
        else:
            share, siblings = 1 - self._mix.autonomous_share if autonomous else 1.0, people
            fixed = self._mix.online_share
            corrections = online.share(task) if fixed is None else fixed
            own = corrections if pool is Pool.CORRECTION else 1 - corrections
        return imitated * share * (own if len(siblings) > 1 else 1.0) / len(self._tasks)


class _Cell:
    """Steps of one task and source."""

    def __init__(self, steps: Int64, experience: Experience, by_episode: bool) -> None:
        self._steps = steps
        groups = experience.episode[steps] if by_episode else np.zeros(len(steps), np.int64)
        self._start = np.flatnonzero(np.diff(groups, prepend=-1))
        self._length = np.diff(np.append(self._start, len(steps)))

    def draw(self, count: int, rng: np.random.Generator) -> Int64:
        group = rng.integers(len(self._start), size=count)
        inside = (rng.random(count) * self._length[group]).astype(np.int64)
        drawn: Int64 = self._steps[self._start[group] + inside]
        return drawn
