"""All panels of the Learning screen under one set of filters."""

from collections.abc import Mapping, Sequence

import numpy as np

from console.history import filters
from console.history.columns import Array
from console.history.filters import Filters
from console.history.fleet_watch import FleetView
from console.history.panels import critic, data, effort, flow, help_quality, services, success
from console.history.question import Json, Question, ask, version_order
from console.history.snapshot import Snapshot
from console.history.staleness import staleness
from console.history.summary import summary

_NUM_SHOWN = 8
_NO_EPISODES = "no episode fits these filters"
_NO_VALUES = "no critic has judged any of these episodes yet"
_WHY_NOT = {
    "success": "no labelled attempt fits these filters",
    "interventions": "no robot has worked under these filters",
    "human_effort": "nobody has helped in these episodes",
    "waterfall": "no correction fits these filters",
    "calibration": _NO_VALUES,
    "value_over_time": _NO_VALUES,
    "value_gap_at_half": "needs judged successes and failures",
    "advantage": _NO_VALUES,
    "conditioning": "no published version has learned from bad steps, so there is nothing to compare",
    "mix": _NO_EPISODES,
    "age_s": "no episode that a learner may draw from fits these filters",
    "lag": "no service of this machine's fleet says how far behind it is",
    "learner": "no learner runs on this machine and no version was published",
    "grid": "no labelled rollout fits these filters",
    "regression": "needs a champion and a previous champion, or a canary, with labelled attempts of both in one task",
    "help": "no robot has asked for help in these episodes, and no failure went unseen",
    "staleness": "no robot has worked yet",
    "correction_to_fleet_s": "no correction has reached the fleet yet",
}


def parse(params: Mapping[str, Sequence[str]], now_ns: int) -> Filters:
    """Filters of a query; of the last day, where it does not say how far back.

    Raises:
        ConfigError: a value that cannot be.
    """
    return filters.windowed(params, now_ns, filters.DAY_S)


def learning(found: Snapshot, asked: Filters, view: FleetView, now_ns: int) -> Json:
    """Every panel; one that cannot be filled is null, and `unavailable` says why."""
    question = ask(found, asked, now_ns)
    since, until = question.window_ns()
    value_over_time = critic.value_over_time(question)
    panels: Json = {
        "success": success.success(question),
        "interventions": effort.interventions(question),
        "human_effort": effort.human_effort(question),
        "waterfall": flow.waterfall(question),
        "calibration": critic.calibration(question),
        "value_over_time": value_over_time,
        "value_gap_at_half": critic.gap_at_half(value_over_time),
        "advantage": critic.advantage(question),
        "conditioning": data.conditioning(question),
        "mix": data.mix(question),
        "age_s": data.age(question),
        "lag": services.lag(view),
        "learner": services.learner(question, view),
        "staleness": staleness(found, now_ns) or None,
        "grid": success.grid(question),
        "regression": success.regression(question),
        "help": help_quality.help_quality(question),
    }
    headline = _headline(question)
    return {
        "now_ns": now_ns,
        "window": {"since_ns": since, "until_ns": until},
        "tasks": sorted(found.episodes.names["task"].texts),
        "versions": _versions(found),
        "headline": headline,
        **panels,
        "gallery": _gallery(question),
        "unavailable": _unavailable({**panels, "correction_to_fleet_s": headline["correction_to_fleet_s"]}),
    }


def _headline(question: Question) -> Json:
    return {
        "success": {
            **success.headline_success(question, question.unhelped),
            "episodes": question.filters.query(assisted=False, source="rollout,evaluation"),
        },
        "autonomy": success.headline_autonomy(question),
        "throughput_per_robot_hour": success.headline_throughput(question),
        "interventions_per_hour": effort.headline_interventions(question),
        "return_on_human_effort": effort.headline_return(question),
        "correction_to_fleet_s": flow.headline(question),
    }


def _unavailable(panels: Json) -> dict[str, str]:
    missing = {name: _WHY_NOT[name] for name, panel in panels.items() if panel is None}
    if panels["waterfall"] is not None:
        present = {row["stage"] for row in panels["waterfall"]}
        missing |= {f"waterfall.{stage}": why for stage, why in flow.NOT_YET.items() if stage not in present}
    return missing


def _versions(found: Snapshot) -> list[Json]:
    """Every version that was published or that acted, oldest first."""
    ledger = found.ledger
    known = {text for text in found.episodes.names["version"].texts if text} | {*ledger.candidates} | {*ledger.role}
    return [
        {
            "version": version,
            "role": ledger.role.get(version, ""),
            "published_ns": ledger.candidates[version].time_ns if version in ledger.candidates else None,
        }
        for version in version_order([version for version in known if version])
    ]


def _gallery(question: Question) -> Json:
    failed = question.rollouts & question.labelled & ~question.succeeded
    corrected = question.rollouts & (question.found.episodes.num_correction_steps > 0)
    return {"failures": _newest(question, failed), "corrections": _newest(question, corrected)}


def _newest(question: Question, own: Array) -> list[Json]:
    rows = np.flatnonzero(own)
    rows = rows[np.argsort(question.found.episodes.ended_ns[rows], kind="stable")[::-1]]
    return [summary(question.found, row) for row in rows[:_NUM_SHOWN].tolist()]
