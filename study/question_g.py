"""Study g: does learning keep its promises while the world changes? Twenty rounds in a row, each asks to be released.

Written down before running:

* the world: friction grows from its usual to three times that over all rounds; after a third of them clearance is
  halved, and after two thirds the sockets move to where no demonstration has them, each from one round to the next;
* `gated`: the judge's own gates decide; `every round`: every candidate is released, as without a judge;
* primary comparison, on the champion's success over the held-out scenes of all rounds: gated - every round;
* never below the start: in no round is the gated champion's success below, interval clear of zero, that of the
  start, a base that never learns, on the same scenes of the same world;
* time to recover: rounds, and robot minutes, until success is back within 2 points of the round before a jump.
"""

from collections.abc import Iterator
from typing import Any

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, Recipes

_ATTENTION = 0.3
_FRICTION = (0.15, 0.45)
"""First and last; the first is the usual."""
_TIGHT_M = 0.00015
"""Half of the usual clearance."""
_SHIFT_M = (0.015, -0.010)
_TASK = "plug_insertion"
"""The only task whose options say all this."""
_ARMS = (("gated", True), ("every round", False))


def conditions(num_rounds: int) -> list[dict[str, Any]]:
    """The task's options in every round."""
    tight, moved = jumps(num_rounds)
    found: list[dict[str, Any]] = []
    for number in range(1, num_rounds + 1):
        share = (number - 1) / max(1, num_rounds - 1)
        # Rounded, for an option is part of a cell's name.
        options: dict[str, Any] = {"friction": round(_FRICTION[0] + share * (_FRICTION[1] - _FRICTION[0]), 6)}
        options |= {"clearance_m": _TIGHT_M} if number >= tight else {}
        options |= {"sockets_shift_m": list(_SHIFT_M)} if number >= moved else {}
        found.append(options)
    return found


def jumps(num_rounds: int) -> tuple[int, ...]:
    """Rounds in which the world changes from one to the next, counted from 1."""
    return (num_rounds // 3 + 1, 2 * num_rounds // 3 + 1)


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    if task != _TASK:
        return
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    for name, is_gated in _ARMS[: scale.settings]:
        cell = recipes.drift(
            base,
            {**FAST, "attention": _ATTENTION},
            conditions(scale.promotions),
            jumps=jumps(scale.promotions),
            is_gated=is_gated,
            changes=changes.get("recap", {}),
        )
        yield Arm(task=task, seed=seed, name=name, setting=()), cell


QUESTION = Question(
    name="g",
    title="does learning keep its promises while the world changes?",
    columns=(),
    comparisons=(("gated", "every round"),),
    arms=_arms,
)
