"""How questions put cells together: bases, collections, and candidates that learned from them."""

from collections.abc import Mapping, Sequence
from typing import Any

from robots import tasks
from study.cell import Cell, Kind
from study.plan import Changes, Scale

FAST: Mapping[str, Any] = {}
"""A fast expert: `PersonConfig`'s defaults."""
IMPERFECT: Mapping[str, Any] = {
    "reaction_ticks": [8, 20],
    "delay_ticks": 3,
    "noise": 0.25,
    "speed": 0.6,
    "num_correction_ticks": [20, 60],
    "mistaken_share": 0.15,
}
"""A model of real people: slow, late, noisy, and in one takeover of seven wrong."""


class Recipes:
    """The cells of one task and seed."""

    def __init__(self, world: Mapping[str, Any], scale: Scale, changes: Changes) -> None:
        self._world, self._scale, self._changes = world, scale, changes

    def base(self) -> Cell:
        """A policy that learned from demonstrations alone."""
        lesson = tasks.lesson(self._world["task"])
        settings = {
            "world": self._world,
            "demonstrations": self._scale.demonstrations or lesson.demonstrations,
            "updates": self._scale.base_updates or lesson.updates,
            "evaluations": self._scale.evaluations,
        }
        return Cell(kind=Kind.BASE, settings=settings)

    def collection(self, actor: Cell, person: Mapping[str, Any], *, round: int) -> Cell:
        """Watched rollouts of a cell's policy; the same scenes and people for every policy."""
        settings = {"world": self._world, "person": person, "episodes": self._scale.episodes, "round": round}
        return Cell(kind=Kind.COLLECT, settings=settings, parents=(actor,))

    def candidate(self, algorithm: str, base: Cell, *collections: Cell) -> Cell:
        """What an algorithm makes of the base and of all these episodes."""
        settings = {
            "world": self._world,
            "algorithm": algorithm,
            "changes": self._changes.get(algorithm, {}),
            "updates": self._scale.updates,
            "round": len(collections),
            "evaluations": self._scale.evaluations,
        }
        return Cell(kind=Kind.CANDIDATE, settings=settings, parents=(base, *collections))

    def fleet(self, base: Cell, person: Mapping[str, Any], **changes: Any) -> Cell:
        """A fleet's history; `changes` are fields of `FleetConfig`."""
        pace = {
            "num_rounds": self._scale.rounds,
            "round_minutes": self._scale.round_minutes,
            "updates_per_minute": self._scale.updates_per_minute,
        }
        settings = {
            "world": self._world,
            "person": person,
            "fleet": {**pace, **changes},
            "evaluations": self._scale.evaluations,
        }
        return Cell(kind=Kind.FLEET, settings=settings, parents=(base,))

    def critic(self, base: Cell, collection: Cell, changes: Mapping[str, Any]) -> Cell:
        """A value function on these episodes, without a policy; `changes` are those of an algorithm."""
        settings = {"world": self._world, "changes": changes}
        return Cell(kind=Kind.CRITIC, settings=settings, parents=(base, collection))

    def drift(
        self, base: Cell, person: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]], **changes: Any
    ) -> Cell:
        """Promotions in a world that changes: its options in every round; `changes` are of `PromotionConfig`."""
        size = {
            "num_episodes": self._scale.promotion_episodes,
            "num_updates": self._scale.promotion_updates,
            "num_scenes": self._scale.promotion_scenes,
        }
        settings = {
            "world": self._world,
            "person": person,
            "conditions": list(conditions),
            "promotions": {**size, **changes},
        }
        return Cell(kind=Kind.DRIFT, settings=settings, parents=(base,))
