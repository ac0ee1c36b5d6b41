"""How long a study will take, said before it starts.

A guess from what cells are made of, times what finished cells of the same kind took against their guess: so
the estimate is right for this machine, this task and this size as soon as one cell of each kind is there.
"""

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from study.cell import Cell, Kind

_START_S = 5.0
"""Imports, and 32 robots."""
_UPDATE_S = 0.09
_EVALUATION_S = 25 / 200
_COLLECTED_S = 60 / 300
_DEMONSTRATION_S = 0.15
_CRITIC_S = 60.0
"""Cross-fit of a value function."""
_TICKS_PER_EPISODE = 80
_CONTROL_RATE_HZ = 20
_GATE_SHARE = 0.6
"""Of a promotion's gate scenes that are run before the judge has seen enough."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is still to do."""

    num_left: int
    num_found: int
    num_jobs: int
    wall_s: float

    @property
    def in_words(self) -> str:
        """For people."""
        found = f"{self.num_left} cells to do, {self.num_found} found before"
        if not self.num_left:
            return found
        return f"{found}, about {_duration(self.wall_s)} on {self.num_jobs} jobs"


def estimate(to_do: Sequence[Cell], done: Iterable[Mapping[str, Any]], *, num_found: int, num_jobs: int) -> Estimate:
    """Of the cells that are to be computed, parents first, from the lines of those that were."""
    factors = _factors(done)
    cost = {cell.id: guess_s(cell.kind, cell.settings) * factors.get(cell.kind, 1.0) for cell in to_do}
    ready: dict[str, float] = {}
    for cell in to_do:
        ready[cell.id] = cost[cell.id] + max((ready.get(parent.id, 0.0) for parent in cell.parents), default=0.0)
    wall_s = max(sum(cost.values()) / num_jobs, max(ready.values(), default=0.0))
    return Estimate(num_left=len(to_do), num_found=num_found, num_jobs=num_jobs, wall_s=wall_s)


def guess_s(kind: Kind, settings: Mapping[str, Any]) -> float:
    """Seconds on one core of the machine that the constants were measured on (two shared x86-64 cores)."""
    evaluations_s = settings.get("evaluations", 0) * _EVALUATION_S
    work_s: float
    match kind:
        case Kind.BASE:
            work_s = settings["demonstrations"] * _DEMONSTRATION_S + settings["updates"] * _UPDATE_S + evaluations_s
        case Kind.COLLECT:
            work_s = settings["episodes"] * _COLLECTED_S
        case Kind.CANDIDATE:
            work_s = settings["updates"] * _UPDATE_S + evaluations_s + _critic_s(settings["algorithm"])
        case Kind.FLEET:
            work_s = _fleet_s(settings["fleet"], evaluations_s)
        case Kind.CRITIC:
            num_networks = settings["changes"].get("critic", {}).get("num_networks", 1)
            work_s = _CRITIC_S * num_networks
        case Kind.DRIFT:
            work_s = len(settings["conditions"]) * _promotion_s(settings["promotions"])
    return _START_S + work_s


def _fleet_s(fleet: Mapping[str, Any], evaluations_s: float) -> float:
    minutes = fleet["round_minutes"]
    episodes = fleet["num_robots"] * minutes * 60 * _CONTROL_RATE_HZ / _TICKS_PER_EPISODE
    learning_s = minutes * fleet["updates_per_minute"] * _UPDATE_S + _critic_s(fleet.get("algorithm", "recap"))
    return float(fleet["num_rounds"] * (episodes * _COLLECTED_S + learning_s + evaluations_s))


def _promotion_s(promotions: Mapping[str, Any]) -> float:
    scenes = promotions["num_scenes"] * (2 + 2 * _GATE_SHARE * promotions.get("is_gated", True))
    learning_s = promotions["num_updates"] * _UPDATE_S + _critic_s(promotions.get("algorithm", "recap"))
    return float(promotions["num_episodes"] * _COLLECTED_S + learning_s + scenes * _EVALUATION_S)


def _critic_s(algorithm: str) -> float:
    return _CRITIC_S if algorithm.startswith("recap") else 0.0


def _factors(done: Iterable[Mapping[str, Any]]) -> dict[Kind, float]:
    """By kind: seconds taken over seconds guessed."""
    taken_s: dict[Kind, float] = collections.defaultdict(float)
    guessed_s: dict[Kind, float] = collections.defaultdict(float)
    for line in done:
        kind = Kind(line["kind"])
        taken_s[kind] += line["finding"]["wall_s"]
        guessed_s[kind] += guess_s(kind, line["settings"])
    return {kind: taken_s[kind] / guessed_s[kind] for kind in taken_s}


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
