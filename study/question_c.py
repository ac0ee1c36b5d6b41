"""Study c: how much sooner with more robots? Fleet time to 90 % with 1, 2, 4 and 8 robots and one learner's pace.

Written down before running: fleet minutes until success over held-out scenes is at least .9 in two rounds
running; the ratio of one robot's to four robots' (SOP, arXiv 2601.03044, published 2.4 for its own task
and a target of .8). People watch one episode in twenty of each robot, so that data is what a fleet waits for:
the smallest time there can be is two rounds. A history ends when it got there; one that never does counts as longer
than it ran.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, Recipes

_ROBOTS = (4, 1, 2, 8)
_ATTENTION = 0.05
_TIMES_ROUNDS = 2
"""Of a study's usual rounds: one robot may need long."""


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    yield Arm(task=task, seed=seed, name="base", setting=()), base
    for num_robots in _ROBOTS[: scale.settings]:
        cell = recipes.fleet(
            base,
            {**FAST, "attention": _ATTENTION},
            num_robots=num_robots,
            num_rounds=_TIMES_ROUNDS * scale.rounds,
            ends_at_target=True,
        )
        yield Arm(task=task, seed=seed, name=f"{num_robots} robots", setting=()), cell


QUESTION = Question(
    name="c",
    title="how much sooner with more robots?",
    columns=(),
    comparisons=(),
    arms=_arms,
)
