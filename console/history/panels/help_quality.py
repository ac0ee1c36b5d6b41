"""Do robots ask for help at the right moments, and how long do they wait?"""

import collections

import numpy as np

from console.history import help_counts
from console.history.people import Help
from console.history.question import Json, Question, quantile, ratio
from policy.schema import Source


def help_quality(question: Question) -> Json | None:
    """Counts and delays; None where nobody asked and nothing failed unseen."""
    found = question.found
    rows = [found.episodes.row(own.request["episode_id"]) for own in found.helps]
    # A request whose episode still runs has no row, and counts nowhere yet.
    mine = [(own, row) for own, row in zip(found.helps, rows, strict=True) if row is not None and question.fits[row]]
    alarms, missed = help_counts.false_alarms(found) & question.fits, help_counts.missed(found) & question.fits
    if not mine and not missed.any():
        return None
    asked = [own for own, _ in mine]
    return {
        "num_requests": len(mine),
        "num_episodes": len({row for _, row in mine}),
        "false_alarms": int(alarms.sum()),
        "missed_failures": int(missed.sum()),
        "lead_time_s_p50": _lead_time_s(question, mine),
        "time_to_claim_s_p50": _median_s([(h, "claimed_ns") for h in asked]),
        "time_to_resolve_s_p50": _median_s([(h, "ended_ns") for h in asked if h.result in ("answered", "taken_over")]),
        "self_resolved_share": ratio(sum(h.result == "self_resolved" for h in asked), len(asked)),
        "by_trigger": _by_trigger(mine, set(np.flatnonzero(alarms).tolist())),
        "by_kind": [
            {"kind": kind, "n": n} for kind, n in collections.Counter(h.request["kind"] for h in asked).most_common()
        ],
        "episodes": question.filters.query(requested=True),
        "false_alarm_episodes": question.filters.query(help="false_alarm"),
        "missed_episodes": question.filters.query(help="missed", source=str(Source.ROLLOUT)),
    }


def _lead_time_s(question: Question, mine: list[tuple[Help, int]]) -> float | None:
    """From the first request of an episode to its failure."""
    first: dict[int, int] = {}
    for own, row in mine:
        first.setdefault(row, own.request["time_ns"])
    ended, outcome = question.found.episodes.ended_ns, question.found.judged.outcome
    leads = [(ended[row] - time_ns) / 1e9 for row, time_ns in first.items() if outcome[row] in help_counts.FAILED]
    return quantile(np.array(leads), 0.5)


def _median_s(moments: list[tuple[Help, str]]) -> float | None:
    """From asking to a moment of the answer; those that have none do not count."""
    took = [
        (own.answer[name] - own.answer["asked_ns"]) / 1e9 for own, name in moments if own.answer and own.answer[name]
    ]
    return quantile(np.array(took), 0.5)


def _by_trigger(mine: list[tuple[Help, int]], alarms: set[int]) -> list[Json]:
    number = collections.Counter(own.request["trigger"] for own, _ in mine)
    false = collections.Counter(own.request["trigger"] for own, row in mine if row in alarms)
    return [{"trigger": trigger, "n": n, "false_alarms": false[trigger]} for trigger, n in number.most_common()]
