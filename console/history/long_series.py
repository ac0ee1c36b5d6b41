"""Series over hours and days, in as many points as are drawn; zooming asks again."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from console.history import buckets, filters
from console.history.columns import Array, Bool, Int64
from console.history.filters import Filters
from console.history.question import Json, Question, ask
from console.history.snapshot import Snapshot
from policy.errors import ConfigError

_NUM_MOVING = 50
"""Episodes that a moving figure looks back on."""
_DEFAULT_BUCKETS = 300
_MAX_NS = 2**63 - 1
_HOUR_S = 3_600.0

Points = tuple[Int64, Array]
"""Moments in order, and a number for each."""
Recorded = Callable[[str], Sequence[tuple[int, float]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeriesKind:
    """One series that can be asked for."""

    unit: str
    words: str


MOVING = {
    "success_moving": SeriesKind(unit="share", words=f"success without help, last {_NUM_MOVING} attempts"),
    "autonomy_moving": SeriesKind(unit="share", words=f"rollouts that succeeded alone, last {_NUM_MOVING}"),
    "throughput_moving": SeriesKind(unit="1/h", words=f"successes per robot-hour, last {_NUM_MOVING} rollouts"),
    "intervention_share_moving": SeriesKind(unit="share", words=f"steps by people, last {_NUM_MOVING} rollouts"),
}
COUNTED = {
    "episodes_per_hour": SeriesKind(unit="1/h", words="episodes ended"),
    "steps_per_s": SeriesKind(unit="1/s", words="steps of ended episodes"),
    "help_requests": SeriesKind(unit="1", words="requests for help"),
}
RECORDED = {
    "kafka_lag": SeriesKind(unit="records", words="not yet in the lake, since the console started"),
    "commit_age_s": SeriesKind(unit="s", words="oldest last commit of a table, since the console started"),
    "learner_loss": SeriesKind(unit="1", words="latest training loss, since the console started"),
    "learner_steps_per_s": SeriesKind(unit="1/s", words="optimizer steps, since the console started"),
}
KINDS = {**MOVING, **COUNTED, **RECORDED}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeriesRequest:
    """Which series, over what, in how many points."""

    name: str
    filters: Filters
    first_ns: int | None
    last_ns: int | None
    num_buckets: int


def parse(params: Mapping[str, Sequence[str]], now_ns: int) -> SeriesRequest:
    """A request from a query; of the last day, where it does not say how far back.

    Raises:
        ConfigError: a value that cannot be.
    """
    bounds = {name: filters.whole_number(name, params.get(name, ()), 0, _MAX_NS) for name in ("first_ns", "last_ns")}
    first_ns, last_ns = bounds["first_ns"], bounds["last_ns"]
    if first_ns is not None and last_ns is not None and first_ns > last_ns:
        raise ConfigError("first_ns must not lie after last_ns", first_ns=first_ns, last_ns=last_ns)
    count = filters.whole_number("buckets", params.get("buckets", ()), 1, buckets.MAX_BUCKETS)
    return SeriesRequest(
        name=filters.word("name", params.get("name", ()), tuple(KINDS), ""),
        filters=filters.windowed(params, now_ns, filters.DAY_S),
        first_ns=first_ns,
        last_ns=last_ns,
        num_buckets=count or _DEFAULT_BUCKETS,
    )


def series(found: Snapshot, request: SeriesRequest, recorded: Recorded, now_ns: int) -> Json:
    """The series, bucketed: minimum and maximum, or for counts the count of each bucket."""
    question = ask(found, request.filters, now_ns)
    if request.name in RECORDED:
        points = recorded(request.name)
        time_ns, values = np.array([t for t, _ in points], np.int64), np.array([v for _, v in points], np.float64)
    elif request.name in MOVING:
        time_ns, values = _MOVING_OF[request.name](question)
    else:
        time_ns, values = _counted(question, request.name)
    first = request.first_ns if request.first_ns is not None else int(time_ns[0]) if len(time_ns) else now_ns
    last = request.last_ns if request.last_ns is not None else max(int(time_ns[-1]) if len(time_ns) else first, first)
    shown = (time_ns >= first) & (time_ns <= last)
    starts, cuts = buckets.by_time(time_ns[shown], first, last, request.num_buckets)
    if request.name in COUNTED:
        low = high = _rates(request.name, values[shown], cuts, max(last - first, 1) / request.num_buckets / 1e9)
    else:
        low, high = buckets.bounds(values[shown], cuts)
    return {
        "name": request.name,
        "unit": KINDS[request.name].unit,
        "first_ns": first,
        "last_ns": last,
        "t_ns": starts.tolist(),
        "min": low,
        "max": high,
        "n": np.diff(cuts).tolist(),
    }


def _rates(name: str, values: Array, cuts: Int64, bucket_s: float) -> list[float | None]:
    if len(cuts) < 2:
        return []
    sums = np.add.reduceat(values, cuts[:-1])
    per = {"episodes_per_hour": _HOUR_S / bucket_s, "steps_per_s": 1 / bucket_s, "help_requests": 1.0}[name]
    return [float(value) for value in sums * per]


def _counted(question: Question, name: str) -> Points:
    episodes = question.found.episodes
    if name == "help_requests":
        rows = [(own.request["time_ns"], episodes.row(own.request["episode_id"])) for own in question.found.helps]
        times = [time_ns for time_ns, row in rows if row is not None and question.fits[row]]
        return np.array(times, np.int64), np.ones(len(times))
    order = _in_time(question, question.fits)
    weights = episodes.num_steps[order] if name == "steps_per_s" else np.ones(len(order))
    return episodes.ended_ns[order], weights


def _in_time(question: Question, own: Bool) -> Array:
    rows = np.flatnonzero(own)
    return rows[np.argsort(question.found.episodes.ended_ns[rows], kind="stable")]


def _moving(question: Question, own: Bool, top: Array, bottom: Array) -> Points:
    """Sum over sum of the last episodes, at the end of each."""
    order = _in_time(question, own)

    def sums(column: Array) -> Array:
        total = np.concatenate([[0.0], np.cumsum(column[order], dtype=np.float64)])
        begin = np.maximum(np.arange(1, len(order) + 1) - _NUM_MOVING, 0)
        return np.asarray(total[1:] - total[begin])

    high, low = sums(top), sums(bottom)
    return question.found.episodes.ended_ns[order], np.divide(high, low, out=np.full(len(order), np.nan), where=low > 0)


def _success(question: Question) -> Points:
    return _moving(question, question.unhelped & question.labelled, question.succeeded, question.labelled)


def _autonomy(question: Question) -> Points:
    alone = question.succeeded & ~question.found.episodes.is_assisted()
    return _moving(question, question.rollouts & question.labelled, alone, question.labelled)


def _throughput(question: Question) -> Points:
    return _moving(question, question.rollouts, question.succeeded, question.found.robot_hours)


def _human_share(question: Question) -> Points:
    episodes = question.found.episodes
    return _moving(question, question.rollouts, episodes.num_correction_steps, episodes.num_steps)


_MOVING_OF: dict[str, Callable[[Question], Points]] = {
    "success_moving": _success,
    "autonomy_moving": _autonomy,
    "throughput_moving": _throughput,
    "intervention_share_moving": _human_share,
}
