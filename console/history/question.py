"""One look at a snapshot: which episodes count, in which window, and the small sums that panels share."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from console.history.columns import Array, Bool
from console.history.episode_table import EVALUATION, ROLLOUT, SUCCESS, UNLABELLED
from console.history.filters import Filters, mask
from console.history.snapshot import Snapshot
from policy.statistics import Interval, wilson_interval

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What is asked of which episodes."""

    found: Snapshot
    filters: Filters
    now_ns: int
    fits: Bool
    """bool[E], the filtered episodes."""

    @property
    def rollouts(self) -> Bool:
        """bool[E], the robots' own work."""
        return np.asarray(self.fits & (self.found.episodes.source == ROLLOUT), np.bool_)

    @property
    def unhelped(self) -> Bool:
        """bool[E], attempts that nobody helped: evaluation, and rollouts without an intervention."""
        source = self.found.episodes.source
        alone = (source == ROLLOUT) & ~self.found.episodes.is_assisted()
        return np.asarray(self.fits & ((source == EVALUATION) | alone), np.bool_)

    @property
    def helped(self) -> Bool:
        """bool[E], rollouts in which somebody took over."""
        return self.rollouts & self.found.episodes.is_assisted()

    @property
    def succeeded(self) -> Bool:
        """bool[E], as judged now."""
        return np.asarray(self.found.judged.outcome == SUCCESS, np.bool_)

    @property
    def labelled(self) -> Bool:
        """bool[E], how it went is known."""
        return np.asarray(self.found.judged.outcome != UNLABELLED, np.bool_)

    def hours(self, rows: Bool) -> float:
        """Robot time of some episodes."""
        return float(self.found.robot_hours[rows].sum())

    def rate(self, rows: Bool) -> Json:
        """Successes among the labelled of some episodes, with Wilson's interval."""
        counted = rows & self.labelled
        return rate(int((counted & self.succeeded).sum()), int(counted.sum()))

    def window_ns(self) -> tuple[int, int]:
        """First and last moment: as filtered, else as far as the filtered episodes go."""
        ended = self.found.episodes.ended_ns[self.fits]
        first = int(ended.min()) if len(ended) else self.now_ns
        since = self.filters.since_ns if self.filters.since_ns is not None else first
        until = self.filters.until_ns if self.filters.until_ns is not None else max(self.now_ns, since)
        return since, until

    def halves(self) -> tuple[Bool, Bool]:
        """bool[E] twice: the window's first and second half, for trends."""
        since, until = self.window_ns()
        is_second = self.found.episodes.ended_ns >= since + (until - since) // 2
        return self.fits & ~is_second, self.fits & is_second


def ask(found: Snapshot, filters: Filters, now_ns: int) -> Question:
    """Apply the filters."""
    return Question(found=found, filters=filters, now_ns=now_ns, fits=mask(found, filters))


def rate(num_successes: int, num: int) -> Json:
    """A rate for a page."""
    return {"n": num, "successes": num_successes, **plain_interval(wilson_interval(num_successes, num))}


def plain_interval(interval: Interval) -> Json:
    """An interval for a page; the estimate of nothing is null."""
    return {"estimate": plain(interval.estimate), "low": plain(interval.low), "high": plain(interval.high)}


def plain(value: float) -> float | None:
    """A number for JSON, which knows neither NaN nor infinity."""
    value = float(value)
    return value if math.isfinite(value) else None


def plain_list(values: Array) -> list[float | None]:
    """Numbers for JSON."""
    return [plain(value) for value in values.tolist()]


def ratio(top: float, bottom: float) -> float | None:
    """A quotient; null where there is nothing to divide by."""
    return plain(top / bottom) if bottom > 0 else None


def quantile(values: Array, share: float) -> float | None:
    """A quantile; null of nothing."""
    return plain(np.quantile(values, share)) if len(values) else None


def groups(rows: Bool, *columns: Array) -> Iterator[tuple[tuple[int, ...], Bool]]:
    """Each combination of codes among some rows, in order, with its rows as bool[E]."""
    chosen = np.flatnonzero(rows)
    keys = np.stack([column[chosen] for column in columns], axis=1) if len(chosen) else np.empty((0, len(columns)))
    combinations, place = np.unique(keys, axis=0, return_inverse=True)
    for number, combination in enumerate(combinations):
        own = np.zeros(len(rows), np.bool_)
        own[chosen[place.reshape(-1) == number]] = True
        yield tuple(int(code) for code in combination), own


def version_order(versions: Sequence[str]) -> list[str]:
    """Versions oldest first: they are whole numbers that grow; what is no number stands in front."""
    return sorted(versions, key=lambda text: (text.isdecimal(), int(text) if text.isdecimal() else 0, text))
