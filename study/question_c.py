"""Study c: how much sooner with more robots? Fleet time to 90 % with 1, 2, 4 and 8 robots and one learner's pace.

Written down before running: fleet minutes until success over held-out scenes is at least .9 in two rounds
running; the ratio of one robot's to four robots' (SOP, arXiv 2601.03044, published 2.4 for its own task
and a target of .8). A history that never gets there counts as longer than it ran.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, Recipes

_ROBOTS = (4, 1, 2, 8)
_ATTENTION = 0.3


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    yield Arm(task=task, seed=seed, name="base", setting=()), base
    for num_robots in _ROBOTS[: scale.settings]:
        cell = recipes.fleet(base, {**FAST, "attention": _ATTENTION}, num_robots=num_robots)
        yield Arm(task=task, seed=seed, name=f"{num_robots} robots", setting=()), cell


QUESTION = Question(
    name="c",
    title="how much sooner with more robots?",
    columns=(),
    comparisons=(("4 robots", "1 robots"), ("8 robots", "4 robots")),
    arms=_arms,
)
