"""The releases table read as a story: which version is what, since when, and what it was made from."""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from console.history.columns import Bool
from console.history.episode_table import EVALUATION, Episodes
from console.history.people import Row
from infra.releases import CANARY, CHAMPION, PREVIOUS
from infra.topics import EPISODES
from policy.errors import SchemaError
from storage.pin import DataPin
from storage.tables import OFFSET_COLUMN

CANDIDATE, REJECTED, RETIRED = "candidate", "rejected", "retired"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """One published version, as its learner entered it."""

    version: str
    time_ns: int
    pin: DataPin | None
    """What it could draw from; None where the record has none that can be read."""
    metrics: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LedgerView:
    """The ledger in order of time."""

    releases: tuple[Row, ...]
    """`evidence` parsed."""
    candidates: Mapping[str, Candidate]
    """By version, oldest first."""
    role: Mapping[str, str]
    """Of each version: champion, previous, canary, candidate, rejected or retired."""

    def version_with(self, role: str) -> str | None:
        """The version in a role, such as champion."""
        return next((version for version, own in self.role.items() if own == role), None)


def read_ledger(rows: Iterable[Row]) -> LedgerView:
    """Tell the story of these rows."""
    ordered = sorted(rows, key=lambda row: (row["time_ns"], row.get(OFFSET_COLUMN, 0)))
    releases = tuple({**row, "evidence": _evidence(row)} for row in ordered)
    candidates = {row["policy_version"]: _candidate(row) for row in releases if row["event"] == CANDIDATE}
    return LedgerView(releases=releases, candidates=candidates, role=_roles(releases))


def trained_on(candidate: Candidate, episodes: Episodes) -> Bool:
    """bool[E], whether an episode was in the set that a candidate could draw from."""
    pin = candidate.pin
    if pin is None:
        return np.zeros(episodes.num_rows, np.bool_)
    last = max(pin.offsets.get(EPISODES.name, {}).values(), default=-1)
    inside = (episodes.kafka_offset > pin.floor) & (episodes.kafka_offset <= last)
    of_body = episodes.spec == episodes.names["spec"].find(pin.spec_id)
    return np.asarray(inside & (episodes.source != EVALUATION) & of_body, np.bool_)


def _roles(releases: Iterable[Row]) -> dict[str, str]:
    role: dict[str, str] = {}
    for row in releases:
        event, version, before = row["event"], row["policy_version"], row["previous_version"]
        if event == CANDIDATE:
            role.setdefault(version, CANDIDATE)
        elif event == CANARY:
            _become(role, version, CANARY)
        elif event == "reject":
            role[version] = REJECTED
        elif event == "promote":
            _become(role, before, PREVIOUS)
            _become(role, version, CHAMPION)
        elif event == "rollback":
            role[before] = REJECTED
            _become(role, version, CHAMPION)
    role.pop("", None)  # nothing acted before the first version
    return role


def _become(role: dict[str, str], version: str, own: str) -> None:
    """Give a version a role that only one has."""
    for other in [v for v, r in role.items() if r == own]:
        role[other] = RETIRED
    role[version] = own


def _evidence(row: Row) -> Any:
    try:
        return json.loads(row["evidence"] or "{}")
    except ValueError:
        return {}


def _candidate(row: Row) -> Candidate:
    evidence = row["evidence"] if isinstance(row["evidence"], dict) else {}
    metrics = evidence.get("metrics")
    numbers = metrics.items() if isinstance(metrics, dict) else ()
    try:
        pin = DataPin.from_json(str(evidence.get("data_pin", "")))
    except SchemaError:
        pin = None
    return Candidate(
        version=row["policy_version"],
        time_ns=row["time_ns"],
        pin=pin,
        metrics={k: float(v) for k, v in numbers if isinstance(v, int | float) and math.isfinite(v)},
    )
