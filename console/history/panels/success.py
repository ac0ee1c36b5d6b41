"""Are we getting better, where is it bad, and did we forget something?"""

import numpy as np

from console.history.columns import Bool
from console.history.episode_table import ROLLOUT
from console.history.question import Json, Question, groups, plain, plain_interval, rate, ratio, version_order
from infra.releases import CANARY, CHAMPION, PREVIOUS
from policy.schema import Source
from policy.statistics import difference_interval


def success(question: Question) -> list[Json] | None:
    """Success and throughput per version and task, alone and with help apart; None without a labelled attempt."""
    episodes, rows = question.found.episodes, []
    attempts = question.unhelped | question.helped
    assisted = episodes.is_assisted() & (episodes.source == ROLLOUT)
    for (version, task, is_assisted), own in groups(attempts, episodes.version, episodes.task, assisted):
        names = {"version": episodes.names["version"].texts[version], "task": episodes.names["task"].texts[task]}
        links = {**names, "assisted": bool(is_assisted), "source": "rollout" if is_assisted else "rollout,evaluation"}
        rows.append(
            {
                **names,
                "role": question.found.ledger.role.get(names["version"], ""),
                "assisted": bool(is_assisted),
                **question.rate(own),
                "throughput_per_robot_hour": _throughput(question, own),
                "robot_hours": question.hours(own),
                "episodes": question.filters.query(**links),
            }
        )
    return in_order([row for row in rows if row["n"]]) or None


def in_order(rows: list[Json]) -> list[Json]:
    """Rows by version, oldest first, then by task."""
    place = {version: number for number, version in enumerate(version_order([row["version"] for row in rows]))}
    return sorted(rows, key=lambda row: (place[row["version"]], row.get("task", ""), row.get("assisted", False)))


def grid(question: Question) -> Json | None:
    """Robots by tasks: how their own labelled work went, help included; None where there is none."""
    episodes = question.found.episodes
    cells = []
    for (robot, task), own in groups(question.rollouts & question.labelled, episodes.robot, episodes.task):
        names = {"robot": episodes.names["robot"].texts[robot], "task": episodes.names["task"].texts[task]}
        cells.append(
            {
                "robot_id": names["robot"],
                "task": names["task"],
                **question.rate(own),
                "episodes": question.filters.query(**names, source=str(Source.ROLLOUT)),
            }
        )
    if not cells:
        return None
    return {
        "robots": sorted({cell["robot_id"] for cell in cells}),
        "tasks": sorted({cell["task"] for cell in cells}),
        "cells": sorted(cells, key=lambda cell: (cell["robot_id"], cell["task"])),
    }


def regression(question: Question) -> list[Json] | None:
    """Per task, what acts against what acted before; worst first. None where there is nothing to compare."""
    ledger, episodes = question.found.ledger, question.found.episodes
    pairs = [(CHAMPION, PREVIOUS), (CANARY, CHAMPION)]
    rows = []
    for kind, base_kind in pairs:
        version, base = ledger.version_with(kind), ledger.version_with(base_kind)
        if version is None or base is None:
            continue
        of_both = [
            question.unhelped & question.labelled & (episodes.version == episodes.names["version"].find(name))
            for name in (version, base)
        ]
        for task in np.intersect1d(episodes.task[of_both[0]], episodes.task[of_both[1]]).tolist():
            ours, theirs = (rows_of & (episodes.task == task) for rows_of in of_both)
            name = episodes.names["task"].texts[task]
            rows.append(_compared(question, name, (kind, version, ours), (base, theirs)))
    return sorted(rows, key=lambda row: row["difference"]) or None


def _compared(question: Question, task: str, ours: tuple[str, str, Bool], theirs: tuple[str, Bool]) -> Json:
    kind, version, own = ours
    base, other = theirs
    counts = [int((rows & question.succeeded).sum()) for rows in (own, other)]
    interval = difference_interval(counts[0], int(own.sum()), counts[1], int(other.sum()))
    shown = plain_interval(interval)
    links: dict[str, str | bool] = {"task": task, "assisted": False, "source": "rollout,evaluation"}
    return {
        "task": task,
        "version": version,
        "base_version": base,
        "kind": kind,
        "difference": shown["estimate"],
        "low": shown["low"],
        "high": shown["high"],
        "n": int(own.sum()),
        "base_n": int(other.sum()),
        "episodes": question.filters.query(**links, version=version),
        "base_episodes": question.filters.query(**links, version=base),
    }


def headline_success(question: Question, rows: Bool) -> Json:
    """A success rate with its trend."""
    early, late = (question.rate(rows & half)["estimate"] for half in question.halves())
    return {**question.rate(rows), "trend": late - early if early is not None and late is not None else None}


def headline_autonomy(question: Question) -> Json:
    """The share of all rollouts that succeeded without help: what selection cannot flatter."""

    def share(rows: Bool) -> Json:
        counted = rows & question.rollouts & question.labelled
        alone = counted & question.succeeded & ~question.found.episodes.is_assisted()
        return rate(int(alone.sum()), int(counted.sum()))

    early, late = (share(half)["estimate"] for half in question.halves())
    return {
        **share(question.fits),
        "trend": late - early if early is not None and late is not None else None,
        "episodes": question.filters.query(source=str(Source.ROLLOUT)),
    }


def headline_throughput(question: Question) -> Json:
    """Successes per robot-hour of all rollouts, help included."""
    early, late = (_throughput(question, question.rollouts & half) for half in question.halves())
    return {
        "value": _throughput(question, question.rollouts),
        "trend": plain(late - early) if early is not None and late is not None else None,
        "n_hours": question.hours(question.rollouts),
    }


def _throughput(question: Question, rows: Bool) -> float | None:
    return ratio(int((rows & question.succeeded).sum()), question.hours(rows))
