"""What the lake knows of each robot: a row for the fleet's table, and a day in bands and events."""

import numpy as np

from console.history.columns import Array
from console.history.episode_table import ROLLOUT, UNLABELLED
from console.history.filters import Filters
from console.history.question import Json, ask
from console.history.snapshot import Snapshot
from console.history.staleness import staleness

_DAY_NS = 86_400 * 10**9
_MAX_BANDS = 2000
_MAX_EVENTS = 200

Band = tuple[str, int, int, str]
"""Kind, from, to (ns), episode."""


def robots(found: Snapshot, now_ns: int) -> list[Json]:
    """One row per robot that ever worked, with its last day in numbers."""
    return [{**row, **_day(found, row["robot_id"], now_ns)} for row in staleness(found, now_ns)]


def robot(found: Snapshot, robot_id: str, now_ns: int) -> Json | None:
    """A robot's row, bands and events; None where no robot of that name ever worked."""
    row = next((row for row in robots(found, now_ns) if row["robot_id"] == robot_id), None)
    if row is None:
        return None
    own = _rows_of_day(found, robot_id, now_ns)
    return {**row, "bands": _bands(found, own), "events": _events(found, own, robot_id, now_ns)}


def newcomer(robot_id: str) -> Json:
    """A robot that is connected and has not ended an episode yet."""
    counts = ("num_episodes", "num_successes", "num_failures", "num_interventions", "num_correction_steps")
    unknown = {"task_id": "", "version": "", "role": "", "age_s": None, "versions_behind": None}
    times = {"last_swap_ns": 0, "last_seen_ns": 0, "robot_hours": 0.0}
    query = Filters(robot=(robot_id,)).query(source="rollout")
    nothing = {"episodes": query, "bands": [], "events": []}
    return {"robot_id": robot_id, **unknown, **times, **dict.fromkeys(counts, 0), **nothing}


def _rows_of_day(found: Snapshot, robot_id: str, now_ns: int) -> Array:
    episodes = found.episodes
    own = episodes.robot == episodes.names["robot"].find(robot_id)
    rows = np.flatnonzero(own & (episodes.ended_ns >= now_ns - _DAY_NS))
    return rows[np.argsort(episodes.started_ns[rows], kind="stable")]


def _day(found: Snapshot, robot_id: str, now_ns: int) -> Json:
    since_ns = max(now_ns - _DAY_NS, 0)
    question = ask(found, Filters(robot=(robot_id,), since_ns=since_ns), now_ns)
    episodes, own = found.episodes, question.rollouts
    return {
        "num_episodes": int(own.sum()),
        "num_successes": int((own & question.succeeded).sum()),
        "num_failures": int((own & question.labelled & ~question.succeeded).sum()),
        "num_interventions": int(episodes.num_interventions[own].sum()),
        "num_correction_steps": int(episodes.num_correction_steps[own].sum()),
        "robot_hours": question.hours(own),
        "episodes": question.filters.query(source="rollout"),
    }


def _bands(found: Snapshot, own: Array) -> list[Band]:
    """Episodes, in them what people drove, and how long the robot waited for an answer."""
    bands: list[Band] = []
    for row in own[-_MAX_BANDS:].tolist():
        episode_id = str(found.episodes.episode_id[row])
        start, end = int(found.episodes.started_ns[row]), int(found.episodes.ended_ns[row])
        spans = sorted((s["started_ns"], s["ended_ns"]) for s in found.spans.get(episode_id, ()))
        for first, last in spans:
            if first > start:
                bands.append(("autonomous", start, first, episode_id))
            bands.append(("correcting", max(first, start), last, episode_id))
            start = max(start, last)
        if end > start:
            bands.append(("autonomous", start, end, episode_id))
        for own_help in found.helps_of.get(episode_id, ()):
            if own_help.answer:
                asked = own_help.answer
                bands.append(("waiting", asked["asked_ns"], asked["claimed_ns"] or asked["ended_ns"], episode_id))
    return sorted(bands[-_MAX_BANDS:], key=lambda band: band[1])


def _events(found: Snapshot, own: Array, robot_id: str, now_ns: int) -> list[Json]:
    episodes, events = found.episodes, []
    version = None
    for row in own.tolist():
        episode_id = str(episodes.episode_id[row])
        acting = episodes.names["version"].texts[episodes.version[row]]
        if episodes.source[row] == ROLLOUT:
            if version not in (None, acting):
                words = f"from version {version} to {acting}"
                events.append(_event(int(episodes.started_ns[row]), "swap", words, episode_id))
            version = acting
        events += _events_of(found, row, episode_id)
    return sorted(events, key=lambda event: -int(event["time_ns"]))[:_MAX_EVENTS]


def _events_of(found: Snapshot, row: int, episode_id: str) -> list[Json]:
    episodes, judged = found.episodes, found.judged
    events = [
        _event(own.request["time_ns"], "help", own.request["reason"], episode_id)
        for own in found.helps_of.get(episode_id, ())
    ]
    for span in found.spans.get(episode_id, ()):
        took_s = (span["ended_ns"] - span["started_ns"]) / 1e9
        words = f"{span['operator_id']} drove for {took_s:.1f} s"
        events.append(_event(span["started_ns"], "intervention", words, episode_id))
    events += [
        _event(label["time_ns"], "label", f"{label['author']}: {label['outcome']}", episode_id)
        for label in found.labels.get(episode_id, ())
    ]
    outcome = int(judged.outcome[row])
    if outcome not in (episodes.names["outcome"].find("success"), UNLABELLED):
        words = episodes.outcome_reason[row] or episodes.names["outcome"].texts[outcome]
        events.append(_event(int(episodes.ended_ns[row]), "failure", words, episode_id))
    return events


def _event(time_ns: int, kind: str, words: str, episode_id: str) -> Json:
    return {"time_ns": time_ns, "kind": kind, "words": words, "episode_id": episode_id}
