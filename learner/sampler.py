"""Draws training samples: uniform over tasks, then online or offline, then by the mix.

    task (uniform) -> demonstrations | online -> corrections | autonomous -> positive | negative -> step

Autonomous steps are drawn by episode and then within it, so that a long stuck episode weighs no more
than a short one. A draw depends on (seed, update) alone: the same pin and seed give the same batches,
wherever training was interrupted.
"""

import dataclasses

import numpy as np

from learner.experience import Experience, Int64
from learner.labels import Labels, Pool
from learner.mix import Mix, OnlineShare
from policy.errors import ConfigError

ONLINE = (Pool.CORRECTION, Pool.AUTONOMOUS_POSITIVE, Pool.AUTONOMOUS_NEGATIVE)
_BY_EPISODE = (Pool.AUTONOMOUS_POSITIVE, Pool.AUTONOMOUS_NEGATIVE)
_SAMPLE_STREAM = 1
"""Keeps the sampler's random numbers apart from others that are seeded by (seed, update)."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """One batch, as indices."""

    steps: Int64
    """int64[B], steps of the experience."""
    task: Int64
    """int64[B], their task codes."""
    is_online: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    """bool[B]."""


class Sampler:
    """Draws from one labelled experience."""

    def __init__(self, experience: Experience, labels: Labels, mix: Mix, *, seed: int) -> None:
        self._mix = mix
        self._seed = seed
        task = experience.task[experience.episode]
        self._tasks = [int(code) for code in np.unique(task[labels.pool != Pool.UNUSED])]
        if not self._tasks:
            raise ConfigError("there is nothing to learn from: no demonstrations, corrections or labelled steps")
        self._cells = {
            (code, pool): _Cell(np.flatnonzero((labels.pool == pool) & (task == code)), experience, pool)
            for code in self._tasks
            for pool in Pool
            if pool is not Pool.UNUSED and ((labels.pool == pool) & (task == code)).any()
        }

    def draw(self, update: int, batch_size: int, online: OnlineShare) -> Draw:
        """The batch of one update."""
        rng = np.random.default_rng([_SAMPLE_STREAM, self._seed, update])
        keys = list(self._cells)
        probabilities = np.array([self._probability(task, pool, online) for task, pool in keys])
        counts = rng.multinomial(batch_size, probabilities / probabilities.sum())
        steps = [self._cells[key].draw(count, rng) for key, count in zip(keys, counts, strict=True)]
        return Draw(
            steps=np.concatenate(steps),
            task=np.repeat([task for task, _ in keys], counts),
            is_online=np.repeat([pool in ONLINE for _, pool in keys], counts),
        )

    def _probability(self, task: int, pool: Pool, online: OnlineShare) -> float:
        """Of one cell; a branch without samples leaves its share to its sibling."""
        shares = {
            Pool.AUTONOMOUS_POSITIVE: 1 - self._mix.negative_share,
            Pool.AUTONOMOUS_NEGATIVE: self._mix.negative_share,
        }
        has = {other for code, other in self._cells if code == task}
        if pool is Pool.DEMONSTRATION:
            branch = 1.0 if has == {pool} else 1 - online.share(task)
            return branch / len(self._tasks)
        branch = online.share(task) if Pool.DEMONSTRATION in has else 1.0
        autonomous = has & set(_BY_EPISODE)
        if pool is Pool.CORRECTION:
            branch *= 1 - self._mix.autonomous_share if autonomous else 1.0
        else:
            branch *= self._mix.autonomous_share if Pool.CORRECTION in has else 1.0
            branch *= shares[pool] if len(autonomous) > 1 else 1.0
        return branch / len(self._tasks)


class _Cell:
    """Steps of one task and pool."""

    def __init__(self, steps: Int64, experience: Experience, pool: Pool) -> None:
        self._steps = steps
        groups = experience.episode[steps] if pool in _BY_EPISODE else np.zeros(len(steps), np.int64)
        self._start = np.flatnonzero(np.diff(groups, prepend=-1))
        self._length = np.diff(np.append(self._start, len(steps)))

    def draw(self, count: int, rng: np.random.Generator) -> Int64:
        group = rng.integers(len(self._start), size=count)
        inside = (rng.random(count) * self._length[group]).astype(np.int64)
        drawn: Int64 = self._steps[self._start[group] + inside]
        return drawn
