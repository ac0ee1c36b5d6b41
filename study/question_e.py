"""Study e: onwards from the last weights or anew from the base, and a mix that follows losses or a fixed one?

Written down before running: four robots of whose episodes people watch one in twenty, as in c; success over held-out
scenes after the last round, and fleet minutes to .9; continual - iterated and adaptive - fixed.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, Recipes

_ATTENTION = 0.05
_NUM_ROBOTS = 4
_SCHEDULES = (("iterated", False), ("continual", True))
_MIXES = (("adaptive", True), ("fixed", False))


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    yield Arm(task=task, seed=seed, name="base", setting=()), base
    arms = [(schedule, mix) for mix in _MIXES for schedule in _SCHEDULES]
    for (schedule, is_continual), (mix, is_adaptive) in arms[: scale.settings]:
        cell = recipes.fleet(
            base,
            {**FAST, "attention": _ATTENTION},
            num_robots=_NUM_ROBOTS,
            is_continual=is_continual,
            changes={"mix": {"is_adaptive": is_adaptive}},
        )
        yield Arm(task=task, seed=seed, name=f"{schedule}, {mix}", setting=()), cell


QUESTION = Question(
    name="e",
    title="onwards or anew, adaptive or fixed mix?",
    columns=(),
    comparisons=(
        ("continual, adaptive", "iterated, adaptive"),
        ("iterated, adaptive", "iterated, fixed"),
        ("continual, adaptive", "continual, fixed"),
    ),
    arms=_arms,
)
