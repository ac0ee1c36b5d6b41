"""How fast a correction reaches the fleet, stage by stage.

    robot       the person lets go            -> the episode ends
    kafka       the episode ends              -> the broker has its row
    delta       the broker has it             -> it is committed to the lake
    sampled     committed                     -> one of the person's steps is first drawn into a training batch
    published   sampled                       -> the first version that could draw from it is published
    adopted     published                     -> a robot first works with a version that could draw from it
    total       the person lets go            -> adopted

Only corrections that came through a stage count in it, so stages need not add up to the total; where it is not
known when a correction came through one, the next begins where the one before ended.
"""

import dataclasses

import numpy as np

from console.history.columns import Array, Int64
from console.history.episode_table import ROLLOUT
from console.history.ledger_view import trained_on
from console.history.question import Json, Question, quantile

NOT_YET = {
    "kafka": "the lake does not hold when the broker took these episodes; it is part of delta",
    "sampled": "no training whose version is published drew from these corrections and counted it; part of published",
    "delta": "the lake's log does not go back to these episodes",
    "published": "no version was published from these corrections yet",
    "adopted": "no robot works yet with a version made from these corrections",
    "total": "no robot works yet with a version made from these corrections",
}
"""Stages that no correction came through."""
_NEVER = np.iinfo(np.int64).max


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Moments:
    """One entry per correction, ns; _NEVER where it did not come so far."""

    let_go: Int64
    ended: Int64
    taken: Int64
    """By the broker."""
    committed: Int64
    sampled: Int64
    published: Int64
    adopted: Int64


def waterfall(question: Question) -> list[Json] | None:
    """The stages that the data has; None without corrections."""
    moments = _moments(question)
    if not len(moments.let_go):
        return None
    sent = _first_known(moments.taken, moments.ended)
    stored = _first_known(moments.committed, sent)
    stages = {
        "robot": (moments.let_go, moments.ended),
        "kafka": (moments.ended, moments.taken),
        "delta": (sent, moments.committed),
        "sampled": (stored, moments.sampled),
        "published": (_first_known(moments.sampled, stored), moments.published),
        "adopted": (moments.published, moments.adopted),
        "total": (moments.let_go, moments.adopted),
    }
    rows = []
    for stage, (start, end) in stages.items():
        took = seconds(start, end)
        if len(took):
            rows.append({"stage": stage, "p50_s": quantile(took, 0.5), "p95_s": quantile(took, 0.95), "n": len(took)})
    return rows


def headline(question: Question) -> Json | None:
    """From letting go to the fleet; None where no correction came there yet."""
    moments = _moments(question)
    took = seconds(moments.let_go, moments.adopted)
    return {"p50": quantile(took, 0.5), "p95": quantile(took, 0.95), "n": len(took)} if len(took) else None


def seconds(start: Int64, end: Int64) -> Array:
    """float64, of those that ended; clocks of two machines may differ, and nothing ends before it begins."""
    came = (start < _NEVER) & (end < _NEVER)
    return np.asarray(np.maximum(end[came] - start[came], 0) / 1e9, np.float64)


def _first_known(moment: Int64, before: Int64) -> Int64:
    return np.where(moment < _NEVER, moment, before)


def _moments(question: Question) -> _Moments:
    found, episodes, spans = question.found, question.found.episodes, question.found.interventions
    mine = spans.of(question.rollouts)
    rows = spans.episode[mine]
    published = np.full(len(rows), _NEVER)
    adopted = np.full(len(rows), _NEVER)
    started = first_worked(question)
    for candidate in found.ledger.candidates.values():
        drew = trained_on(candidate, episodes)[rows]
        published[drew] = np.minimum(published[drew], candidate.time_ns)
        adopted[drew] = np.minimum(adopted[drew], started.get(candidate.version, _NEVER))
    taken, committed = episodes.kafka_time_ns[rows], found.committed_ns[rows]
    return _Moments(
        let_go=spans.ended_ns[mine],
        ended=episodes.ended_ns[rows],
        taken=np.where(taken > 0, taken, _NEVER),
        committed=np.where(committed > 0, committed, _NEVER),
        sampled=found.samplings.first_correction_ns(episodes.episode_id[rows]),
        published=published,
        adopted=adopted,
    )


def first_worked(question: Question) -> dict[str, int]:
    """When a robot first began an episode of its own work with each version, ns."""
    episodes = question.found.episodes
    rollouts = episodes.source == ROLLOUT
    first = np.full(len(episodes.names["version"].texts), _NEVER)
    np.minimum.at(first, episodes.version[rollouts], episodes.started_ns[rollouts])
    return {episodes.names["version"].texts[code]: time for code, time in enumerate(first.tolist()) if time < _NEVER}
