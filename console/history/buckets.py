"""Long series in as few points as a chart draws, and still with every peak."""

import numpy as np

from console.history.columns import Array, Int64
from console.history.question import plain_list

MAX_BUCKETS = 2000


def edges(num_points: int, num_buckets: int) -> Int64:
    """int64[k+1], bounds of k <= num_buckets stretches of nearly one length that cover the points once."""
    count = min(num_points, num_buckets)
    return np.linspace(0, num_points, count + 1).astype(np.int64)


def bounds(values: Array, cuts: Int64) -> tuple[list[float | None], list[float | None]]:
    """Exact minimum and maximum of each stretch, null where a stretch holds no number.

    Args:
        values: float[n], NaN where nothing is known.
        cuts: int64[k+1], as `edges` gives them.
    """
    if len(cuts) < 2:
        return [], []
    finite = np.isfinite(values)
    low = np.minimum.reduceat(np.where(finite, values, np.inf), cuts[:-1])
    high = np.maximum.reduceat(np.where(finite, values, -np.inf), cuts[:-1])
    return plain_list(low), plain_list(high)


def by_time(time_ns: Int64, first_ns: int, last_ns: int, num_buckets: int) -> tuple[Int64, Int64]:
    """Cut points in order of time into stretches of one duration; those that hold none are left out.

    Args:
        time_ns: int64[n], in order, within first_ns to last_ns.
        first_ns: where the first stretch begins.
        last_ns: where the last one ends.
        num_buckets: at most so many stretches.

    Returns:
        int64[k], when each stretch begins, and int64[k+1], where it begins among the points.
    """
    span = max(last_ns - first_ns, num_buckets)
    starts = (np.arange(num_buckets) * (span / num_buckets)).astype(np.int64) + first_ns
    place = np.searchsorted(time_ns, starts)
    filled = np.diff(np.append(place, len(time_ns))) > 0
    return starts[filled], np.append(place[filled], len(time_ns))
