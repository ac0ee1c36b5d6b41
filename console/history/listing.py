"""Pages of episodes: filtered, ordered, a few at a time."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from console.history import filters
from console.history.columns import Array
from console.history.episode_table import UNLABELLED
from console.history.filters import Filters
from console.history.question import Json, version_order
from console.history.snapshot import Snapshot
from console.history.summary import summary

MAX_LIMIT = 200
_DEFAULT_LIMIT = 50
_MAX_OFFSET = 10**9
_SORTS = (
    "ended_ns",
    "started_ns",
    "duration_s",
    "num_steps",
    "num_interventions",
    "num_correction_steps",
    "progress",
    "episode_id",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """Which episodes, in which order."""

    filters: Filters
    sort: str
    """A column; with "-" in front the largest first."""
    limit: int
    offset: int


def parse(params: Mapping[str, Sequence[str]], now_ns: int) -> Page:
    """A page from a query.

    Raises:
        ConfigError: a value that cannot be.
    """
    limit = filters.whole_number("limit", params.get("limit", ()), 1, MAX_LIMIT)
    return Page(
        filters=filters.windowed(params, now_ns),
        sort=filters.word("sort", params.get("sort", ()), [*_SORTS, *(f"-{name}" for name in _SORTS)], "-ended_ns"),
        limit=_DEFAULT_LIMIT if limit is None else limit,
        offset=filters.whole_number("offset", params.get("offset", ()), 0, _MAX_OFFSET) or 0,
    )


def listing(found: Snapshot, page: Page) -> Json:
    """The page, and how many there are in all."""
    rows = np.flatnonzero(filters.mask(found, page.filters))
    rows = rows[_order(found, rows, page.sort)]
    shown = rows[page.offset : page.offset + page.limit].tolist()
    return {
        "total": len(rows),
        "num_unlabelled": int((found.judged.outcome[rows] == UNLABELLED).sum()),
        "limit": page.limit,
        "offset": page.offset,
        "episodes": [summary(found, row) for row in shown],
        "facets": facets(found),
    }


def facets(found: Snapshot) -> Json:
    """Every name that a filter could take."""
    names = found.episodes.names
    operators = {name for own in found.operators_of.values() for name in own}
    return {
        "tasks": sorted(names["task"].texts),
        "versions": version_order([text for text in names["version"].texts if text]),
        "robots": sorted(names["robot"].texts),
        "operators": sorted(operators),
    }


def _order(found: Snapshot, rows: Array, sort: str) -> Array:
    episodes, name = found.episodes, sort.removeprefix("-")
    column: Array
    if name == "duration_s":
        column = found.robot_hours
    elif name == "progress":
        column = found.judged.progress
    else:
        column = getattr(episodes, name)
    # Equal ones stand in the order of the log, newest first, whichever way the column goes.
    if sort.startswith("-"):
        return np.argsort(column[rows], kind="stable")[::-1]
    return len(rows) - 1 - np.argsort(column[rows][::-1], kind="stable")
