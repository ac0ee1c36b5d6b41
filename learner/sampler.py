"""Draws training samples: uniform over tasks, then by the mix and by SOP's rule.

    task (uniform) -> autonomous -> positive | negative          -> step       shares of the mix
                      people     -> demonstrations | corrections -> step       SOP's rule

Autonomous steps are drawn by episode and then within it, so that a long stuck episode weighs no more
than a short one. A draw depends on (seed, update) alone: the same pin and seed give the same batches,
wherever training was interrupted.
"""

import dataclasses

import numpy as np

from learner.experience import Experience, Int64
from learner.labels import USED, Labels, Pool
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
        self._tasks = [int(code) for code in np.unique(task[labels.is_used])]
        if not self._tasks:
            raise ConfigError("there is nothing to learn from: no demonstrations, corrections or labelled steps")
        self._cells = {
            (code, pool): _Cell(np.flatnonzero((labels.pool == pool) & (task == code)), experience, pool)
            for code in self._tasks
            for pool in USED
            if ((labels.pool == pool) & (task == code)).any()
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
        """Of one cell: autonomous steps have their share, people the rest; who is alone takes it all."""
        has = {other for code, other in self._cells if code == task}
        autonomous = has & set(_BY_EPISODE)
        people = has - autonomous
        if pool in _BY_EPISODE:
            share, siblings = self._mix.autonomous_share if people else 1.0, autonomous
            own = self._mix.negative_share if pool is Pool.AUTONOMOUS_NEGATIVE else 1 - self._mix.negative_share
        else:
            share, siblings = 1 - self._mix.autonomous_share if autonomous else 1.0, people
            own = online.share(task) if pool is Pool.CORRECTION else 1 - online.share(task)
        return share * (own if len(siblings) > 1 else 1.0) / len(self._tasks)


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
