"""Can we trust the value function, does it see failure coming, and is the share of positive steps sane?"""

import numpy as np

from console.history.columns import Array, Bool
from console.history.episode_table import EVALUATION, OUTCOMES, UNLABELLED
from console.history.question import Json, Question, plain, plain_list, ratio
from console.history.value_digest import ADVANTAGE_EDGES, KINDS, NUM_MOMENTS, DigestTable
from policy.schema import LIVE_SUFFIX, Outcome

_MAX_CRITICS = 5
_MAX_BINS = 40
_SUCCESS = OUTCOMES.index(Outcome.SUCCESS)


def calibration(question: Question) -> list[Json] | None:
    """Predicted against realised return per critic, newest first; None without values."""
    table, rows = question.found.digests.table, []
    for code in range(len(table.critics)):
        own = _fits(question, table) & (table.critic == code)
        number, predicted, realised = table.calibration[own].sum(axis=0) if own.any() else np.zeros((3, 1))
        filled = number > 0
        if not filled.any():
            continue
        number, predicted, realised = number[filled], predicted[filled], realised[filled]
        gap = (predicted - realised) / number
        bins = zip((predicted / number).tolist(), (realised / number).tolist(), number.tolist(), strict=True)
        rows.append(
            {
                "critic_version": table.critics[code],
                "bins": [{"predicted": p, "realised": r, "n": int(n)} for p, r, n in bins],
                "error": float((np.abs(gap) * number).sum() / number.sum()),
                "bias": float((predicted - realised).sum() / number.sum()),
                "n": int(number.sum()),
                "episodes": question.filters.query(critic=table.critics[code]),
            }
        )
    return rows[:_MAX_CRITICS] or None


def value_over_time(question: Question) -> list[Json] | None:
    """Median and 10th to 90th percentile of value over normalised time, successes and failures apart."""
    table, rows = question.found.digests.table, []
    outcome = question.found.judged.outcome[table.row]
    fits = _fits(question, table)
    for name, own in (("success", outcome == _SUCCESS), ("failure", (outcome != _SUCCESS) & (outcome != UNLABELLED))):
        curves = table.curve[fits & own]
        curves = curves[np.isfinite(curves).all(axis=1)]
        if not len(curves):
            continue
        low, median, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=0)
        rows.append(
            {
                "outcome": name,
                "t": np.linspace(0, 1, NUM_MOMENTS).tolist(),
                "median": plain_list(median),
                "low": plain_list(low),
                "high": plain_list(high),
                "n": len(curves),
                "episodes": question.filters.query(
                    outcome="success" if name == "success" else f"{Outcome.FAILURE},{Outcome.TIMED_OUT}"
                ),
            }
        )
    return rows or None


def gap_at_half(rows: list[Json] | None) -> float | None:
    """How far apart successes and failures lie half-way: one number for how early failure is seen."""
    by_outcome = {row["outcome"]: row["median"][NUM_MOMENTS // 2] for row in rows or ()}
    if None in by_outcome.values() or len(by_outcome) < 2:
        return None
    return plain(by_outcome["success"] - by_outcome["failure"])


def advantage(question: Question) -> Json | None:
    """Advantages by source under the newest critic, and what counted as positive; None without values."""
    table = question.found.digests.table
    own = _fits(question, table)
    if not own.any():
        return None
    own &= table.critic == _newest(table, own)
    counts = table.histogram[own].sum(axis=0)
    number, positive = counts.sum(axis=1), table.num_positive[own].sum(axis=0)
    thresholds = _thresholds(question, table, own)
    edges, shown = _shown(counts)
    name = table.critics[int(table.critic[own][0])]
    return {
        "critic_version": name,
        "edges": edges.tolist(),
        "counts": {kind: row.astype(int).tolist() for kind, row in zip(KINDS, shown, strict=True)},
        "n": dict(zip(KINDS, number.astype(int).tolist(), strict=True)),
        "share_positive": {
            kind: ratio(top, bottom)
            for kind, top, bottom in zip(KINDS, positive.tolist(), number.tolist(), strict=True)
        },
        "thresholds": thresholds,
        "threshold": next(iter(thresholds.values())) if len(thresholds) == 1 else None,
        "episodes": question.filters.query(critic=name),
    }


def _newest(table: DigestTable, own: Bool) -> int:
    """Code of the newest critic; the live one's, which judges no demonstration, only where there is no other."""
    codes = np.unique(table.critic[own]).tolist()
    return int(next((code for code in codes if not table.critics[code].endswith(LIVE_SUFFIX)), codes[0]))


def _fits(question: Question, table: DigestTable) -> Bool:
    """bool[M], the filtered episodes' digests; evaluation teaches nobody, so a critic's view of it is left out."""
    learned = question.fits & (question.found.episodes.source != EVALUATION)
    return np.asarray(learned[table.row] if len(table.row) else np.zeros(0, np.bool_), np.bool_)


def _thresholds(question: Question, table: DigestTable, own: Bool) -> dict[str, float | None]:
    """Per task, the lowest advantage of an autonomous step that counted as positive: where the line lies."""
    episodes = question.found.episodes
    task = episodes.task[table.row]
    return {
        episodes.names["task"].texts[code]: plain(table.lowest_positive[own & (task == code)].min())
        for code in np.unique(task[own]).tolist()
    }


def _shown(counts: Array) -> tuple[Array, Array]:
    """The fine bins that hold something, joined to at most 40."""
    filled = np.flatnonzero(counts.sum(axis=0))
    if not len(filled):
        return ADVANTAGE_EDGES[:2], counts[:, :1]
    first, last = int(filled[0]), int(filled[-1]) + 1
    width = -(-(last - first) // _MAX_BINS)
    first -= first % width
    last = min(first + -(-(last - first) // width) * width, counts.shape[1])
    starts = np.arange(first, last, width)
    return ADVANTAGE_EDGES[np.append(starts, last)], np.add.reduceat(counts[:, first:last], starts - first, axis=1)
