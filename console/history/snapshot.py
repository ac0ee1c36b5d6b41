"""All that was read of the lake up to one moment; it never changes, so any number of requests may use it."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from console.history.columns import Bool, Int32, Int64
from console.history.episode_table import UNLABELLED, Episodes
from console.history.ledger_view import LedgerView
from console.history.people import Help, Row, effective_label
from console.history.sampling_index import Samplings
from console.history.step_modes import StepModes
from console.history.value_digest import Digests
from console.history.value_index import EpisodeValues
from policy.schema import MarkKind

Rows = Mapping[str, tuple[Row, ...]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Interventions:
    """I spans of human control, in order of time."""

    rows: Sequence[Row]
    episode: Int32
    """int32[I], row in `Episodes`; -1 while the episode has not ended."""
    started_ns: Int64
    ended_ns: Int64
    is_requested: Bool
    """A request for help stood open when it began."""

    def of(self, mask: Bool) -> Bool:
        """bool[I], those in episodes that the mask bool[E] takes."""
        return (self.episode >= 0) & mask[self.episode] if len(mask) else np.zeros(len(self.rows), np.bool_)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What people said, one row per episode."""

    outcome: Int32
    """int32[E], the code that counts now: the latest label's, else the robot's."""
    progress: Int32
    """int32[E], 1 to 5; 0 where nobody said."""
    is_flagged: Bool
    is_relabelled: Bool
    """A person judged it."""
    is_disputed: Bool
    """Not all judgements, the robot's included, are the same."""
    num_requests: Int32
    """int32[E], requests for help."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """The lake in columns."""

    episodes: Episodes
    labels: Rows
    """By episode, as are marks, spans and requests."""
    marks: Rows
    spans: Rows
    """Interventions."""
    requests: Sequence[Help]
    """For help, in no order."""
    modes: Mapping[str, StepModes]
    values: Mapping[str, EpisodeValues]
    samplings: Samplings
    digests: Digests
    ledger: LedgerView
    committed_ns: Int64
    """int64[E], when the lake had the episode; 0 where its log does not say any more."""
    num_removals: int
    """Lines of the list of removals (`storage/removals.py`) whose episodes and names are not in it."""

    # What takes long where much was kept is worked out when the first page asks: most snapshots nobody looks at.

    @functools.cached_property
    def helps(self) -> Sequence[Help]:
        """Requests for help in order of time."""
        return sorted(self.requests, key=lambda help: help.request["time_ns"])

    @functools.cached_property
    def judged(self) -> Judged:
        """What people said."""
        return judge(self.episodes, self.labels, self.marks, self.helps)

    @functools.cached_property
    def interventions(self) -> Interventions:
        """All spans of human control."""
        return intervention_columns(self.episodes, self.spans, self.helps)

    @functools.cached_property
    def helps_of(self) -> Mapping[str, Sequence[Help]]:
        """Requests by episode."""
        found: dict[str, list[Help]] = {}
        for own in self.helps:
            found.setdefault(own.request["episode_id"], []).append(own)
        return found

    @functools.cached_property
    def operators_of(self) -> Mapping[int, Sequence[str]]:
        """Who helped, by row of the episode."""
        found: dict[int, dict[str, None]] = {}
        for row, span in zip(self.interventions.episode.tolist(), self.interventions.rows, strict=True):
            found.setdefault(row, {})[span["operator_id"]] = None
        return {row: tuple(names) for row, names in found.items()}

    @functools.cached_property
    def robot_hours(self) -> Any:
        """float64[E], robot time."""
        return self.episodes.robot_hours()


def judge(episodes: Episodes, labels: Rows, marks: Rows, helps: Iterable[Help]) -> Judged:
    """Bring what people said to the episodes' rows; the names know every outcome of a label."""
    size = episodes.num_rows
    outcome, progress = episodes.first_outcome.copy(), np.zeros(size, np.int32)
    is_relabelled, is_disputed, is_flagged = (np.zeros(size, np.bool_) for _ in range(3))
    num_requests = np.zeros(size, np.int32)
    for episode_id, own in labels.items():
        row, last = episodes.row(episode_id), effective_label(own)
        if row is None or last is None:
            continue
        codes = {episodes.names["outcome"].find(label["outcome"]) for label in own}
        said = (codes | {int(outcome[row])}) - {UNLABELLED}
        outcome[row], progress[row] = episodes.names["outcome"].find(last["outcome"]), last["progress"]
        is_relabelled[row], is_disputed[row] = True, len(said) > 1
    for episode_id, own in marks.items():
        row = episodes.row(episode_id)
        if row is not None:
            is_flagged[row] = any(mark["kind"] == MarkKind.FLAG for mark in own)
    for help in helps:
        row = episodes.row(help.request["episode_id"])
        if row is not None:
            num_requests[row] += 1
    return Judged(
        outcome=outcome,
        progress=progress,
        is_flagged=is_flagged,
        is_relabelled=is_relabelled,
        is_disputed=is_disputed,
        num_requests=num_requests,
    )


def intervention_columns(episodes: Episodes, spans: Rows, helps: Sequence[Help]) -> Interventions:
    """All interventions, with what asked for them."""
    asked: dict[str, list[Help]] = {}
    for help in helps:
        asked.setdefault(help.request["episode_id"], []).append(help)
    rows = sorted((row for own in spans.values() for row in own), key=lambda row: row["started_ns"])
    found = [episodes.row(row["episode_id"]) for row in rows]
    return Interventions(
        rows=rows,
        episode=np.array([-1 if row is None else row for row in found], np.int32),
        started_ns=np.array([row["started_ns"] for row in rows], np.int64),
        ended_ns=np.array([row["ended_ns"] for row in rows], np.int64),
        is_requested=np.array(
            [any(h.is_open_at(row["started_ns"]) for h in asked.get(row["episode_id"], ())) for row in rows], np.bool_
        ),
    )
