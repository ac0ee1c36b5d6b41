"""Does it need us less, and is human time well spent?"""

import numpy as np

from console.history.columns import Bool
from console.history.panels.success import in_order
from console.history.question import Json, Question, groups, plain, ratio
from policy.schema import Source

_NUM_POINTS = 100
_MINUTE_NS = 60e9


def interventions(question: Question) -> list[Json] | None:
    """Per version: how much people did, and whether they were asked; None without rollouts."""
    episodes, spans, rows = question.found.episodes, question.found.interventions, []
    for (version,), own in groups(question.rollouts, episodes.version):
        name = episodes.names["version"].texts[version]
        mine = spans.of(own)
        hours, num_steps = question.hours(own), int(episodes.num_steps[own].sum())
        rows.append(
            {
                "version": name,
                "role": question.found.ledger.role.get(name, ""),
                "share": ratio(int(episodes.num_correction_steps[own].sum()), num_steps),
                "per_hour": ratio(int(mine.sum()), hours),
                "num": int(mine.sum()),
                "requested": int((mine & spans.is_requested).sum()),
                "operator_initiated": int((mine & ~spans.is_requested).sum()),
                "robot_hours": hours,
                "episodes": question.filters.query(version=name, source=str(Source.ROLLOUT), assisted=True),
            }
        )
    return in_order(rows) or None


def human_effort(question: Question) -> Json | None:
    """Cumulative successes per minute that people held robots; None while nobody helped."""
    episodes, spans = question.found.episodes, question.found.interventions
    mine = spans.of(question.rollouts)
    if not mine.any():
        return None
    ended = np.sort(episodes.ended_ns[question.rollouts & question.succeeded])
    order = np.argsort(spans.ended_ns[mine])
    minutes = np.cumsum(((spans.ended_ns - spans.started_ns)[mine] / _MINUTE_NS)[order])
    help_ended = spans.ended_ns[mine][order]
    first = int(episodes.started_ns[question.rollouts].min())
    last = int(max(episodes.ended_ns[question.rollouts].max(), help_ended[-1]))
    moments = np.linspace(0, last - first, _NUM_POINTS).astype(np.int64) + first
    num_successes = np.searchsorted(ended, moments, side="right")
    spent = np.concatenate([[0.0], minutes])[np.searchsorted(help_ended, moments, side="right")]
    return {
        "t_ns": moments.tolist(),
        "ratio": [ratio(top, bottom) for top, bottom in zip(num_successes.tolist(), spent.tolist(), strict=True)],
        "successes": num_successes.tolist(),
        "human_minutes": spent.tolist(),
    }


def headline_interventions(question: Question) -> Json:
    """Interventions per robot-hour of rollouts."""
    early, late = (_per_hour(question, question.rollouts & half) for half in question.halves())
    return {
        "value": _per_hour(question, question.rollouts),
        "trend": plain(late - early) if early is not None and late is not None else None,
        "n": int(question.found.interventions.of(question.rollouts).sum()),
    }


def headline_return(question: Question) -> Json:
    """Successes per minute that people held robots."""
    early, late = (_return(question, question.rollouts & half) for half in question.halves())
    return {
        "value": _return(question, question.rollouts),
        "trend": plain(late - early) if early is not None and late is not None else None,
        "human_minutes": _minutes(question, question.rollouts),
    }


def _per_hour(question: Question, rows: Bool) -> float | None:
    return ratio(int(question.found.interventions.of(rows).sum()), question.hours(rows))


def _minutes(question: Question, rows: Bool) -> float:
    spans = question.found.interventions
    return float((spans.ended_ns - spans.started_ns)[spans.of(rows)].sum() / _MINUTE_NS)


def _return(question: Question, rows: Bool) -> float | None:
    return ratio(int((rows & question.succeeded).sum()), _minutes(question, rows))
