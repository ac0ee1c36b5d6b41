"""Everything about one episode: who judged it, who helped, what it asked, and what became of it."""

import dataclasses
import math

import numpy as np

from console.history.ledger_view import trained_on
from console.history.people import Help, effective_label, options_of
from console.history.question import Json, plain
from console.history.snapshot import Snapshot
from console.history.specs import spec_json
from console.history.summary import summary
from policy.spec import EmbodimentSpec

CRITIC_CHANNELS = ("value", "advantage", "return_to_go")
_NOT_SAMPLED = "no version was published yet whose training counted what it drew from"


def detail(found: Snapshot, row: int, spec: EmbodimentSpec | None) -> Json:
    """The episode in a row of the table."""
    episode_id = str(found.episodes.episode_id[row])
    return {
        "episode": summary(found, row),
        "labels": _labels(found, episode_id),
        "marks": [
            {name: mark[name] for name in ("author", "kind", "step_index", "note", "time_ns")}
            for mark in sorted(found.marks.get(episode_id, ()), key=lambda mark: mark["time_ns"])
        ],
        "interventions": _interventions(found, episode_id),
        "help": [_help(found, row, own) for own in found.helps_of.get(episode_id, ())],
        "spec": spec_json(spec),
        "channels": channels(found, episode_id, spec),
        "learned": learned(found, row),
        "neighbours": _neighbours(found, row),
    }


def channels(found: Snapshot, episode_id: str, spec: EmbodimentSpec | None) -> list[str]:
    """What can be asked of the episode's series; without a spec, only what every step has."""
    names = [] if spec is None else _spec_channels(spec)
    critic = CRITIC_CHANNELS if episode_id in found.values else ()
    return [*names, *critic, "command_delay_ms"]


def learned(found: Snapshot, row: int) -> Json:
    """What the learner did with an episode, as far as anybody wrote it down."""
    episode_id = str(found.episodes.episode_id[row])
    values, sampled = found.values.get(episode_id), found.samplings.of(episode_id)
    sets = [own for own in found.ledger.candidates.values() if trained_on(own, found.episodes)[row]]
    is_counted = bool(sampled) or any(found.samplings.has_version(own.version) for own in sets)
    unavailable = {} if is_counted else {"num_sampled": _NOT_SAMPLED}
    known = values is not None and np.isfinite(values.advantage).any()
    if not known:
        unavailable["mean_advantage"] = "no critic has judged this episode"
    return {
        "num_sampled": sum(own.num_sampled for own in sampled) if is_counted else None,
        "sampled": [dataclasses.asdict(own) for own in sampled],
        "mean_advantage": plain(values.mean_advantage) if values else None,
        "share_positive": plain(values.is_positive.mean()) if values and known else None,
        "critic_version": values.critic if values else "",
        "versions": [own.version for own in sets],
        "first_sets": [{"version": own.version, "time_ns": own.time_ns} for own in sets[:1]],
        "unavailable": unavailable,
    }


def _spec_channels(spec: EmbodimentSpec) -> list[str]:
    groups = {"state": spec.state, "tactile": spec.tactile, "action": spec.action, "proposed": spec.action}
    return [f"{group}.{number}" for group, own in groups.items() for number in range(len(own))]


def _labels(found: Snapshot, episode_id: str) -> list[Json]:
    labels = found.labels.get(episode_id, ())
    effective = effective_label(labels)
    return [
        {
            **{name: label[name] for name in ("author", "outcome", "progress", "reason", "time_ns")},
            "is_effective": label is effective,
        }
        for label in sorted(labels, key=lambda label: label["time_ns"])
    ]


def _interventions(found: Snapshot, episode_id: str) -> list[Json]:
    names = (
        "intervention_id",
        "operator_id",
        "started_ns",
        "ended_ns",
        "first_step_index",
        "last_step_index",
        "num_correction_steps",
    )
    helps = found.helps_of.get(episode_id, ())
    return [
        {
            **{name: span[name] for name in names},
            "mean_command_delay_ms": plain(span["mean_command_delay_ms"]),
            "is_requested": any(own.is_open_at(span["started_ns"]) for own in helps),
        }
        for span in sorted(found.spans.get(episode_id, ()), key=lambda span: span["started_ns"])
    ]


def _help(found: Snapshot, row: int, own: Help) -> Json:
    names = ("request_id", "kind", "trigger", "severity", "reason", "question", "fallback", "time_ns")
    answer = own.answer or {"answer": "", "author": "", "claimed_ns": 0, "ended_ns": 0}
    return {
        **{name: own.request[name] for name in names},
        "deadline_s": plain(own.request["deadline_s"]),
        "options": options_of(own.request),
        "step_index": _step_at(found, row, own.request["time_ns"]),
        "result": own.result,
        **{name: answer[name] for name in ("answer", "author", "claimed_ns", "ended_ns")},
    }


def _step_at(found: Snapshot, row: int, time_ns: int) -> int:
    """About where in the episode a moment lies: steps do not say their time in the index."""
    episodes = found.episodes
    start, end = int(episodes.started_ns[row]), int(episodes.ended_ns[row])
    share = (time_ns - start) / (end - start) if end > start else 0.0
    return math.floor(min(max(share, 0.0), 1.0) * max(int(episodes.num_steps[row]) - 1, 0))


def _neighbours(found: Snapshot, row: int) -> Json:
    """The episodes that ended just before and after."""
    order = np.argsort(found.episodes.ended_ns, kind="stable")
    place = int(np.flatnonzero(order == row)[0])
    return {
        "previous": str(found.episodes.episode_id[order[place - 1]]) if place else None,
        "next": str(found.episodes.episode_id[order[place + 1]]) if place + 1 < len(order) else None,
    }
