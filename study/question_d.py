"""Study d: what does human effort buy? Success against the number of corrected steps, one collection each.

Written down before running: RECAP and HG-DAgger on the same data, over the share of episodes that a fast expert
watches; success over held-out scenes against the correction steps that share gave.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, Recipes

_ATTENTION = (0.03, 0.3, 0.0, 0.1, 1.0)


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    yield Arm(task=task, seed=seed, name="base", setting=("",)), base
    for attention in _ATTENTION[: scale.settings]:
        shared = recipes.collection(base, {**FAST, "attention": attention}, round=1)
        for algorithm in ("recap", "hg_dagger"):
            arm = Arm(task=task, seed=seed, name=algorithm, setting=(f"{attention:g}",))
            yield arm, recipes.candidate(algorithm, base, shared)


QUESTION = Question(
    name="d",
    title="what does human effort buy?",
    columns=("watched",),
    comparisons=(("recap", "hg_dagger"),),
    arms=_arms,
)
