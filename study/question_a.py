"""Study a: when does RECAP beat HG-DAgger? The same data and compute, and each collecting its own.

Written down before running:

* settings: how many episodes are watched (plenty .6, scarce .06, nearly none .015), by a fast expert or by a
  model of real people (`recipes.IMPERFECT`);
* data: `same`, one collection by the base, and every algorithm learns from it; `own`, each algorithm's policy of
  that round collects again in the same way, and learns from both collections, from the base anew;
* primary comparisons, on success over held-out scenes without help: recap - hg_dagger and recap - recap_random in
  every setting. recap must not be worse by more than 2 points where help is plenty and good, and be better,
  interval clear of zero, where help is scarce or imperfect;
* secondary: failures and throughput against base; steps of a success against those of helped successes.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, IMPERFECT, Recipes

_ALGORITHMS = ("recap", "hg_dagger", "filtered_bc", "recap_random")
_PEOPLE = {"fast": FAST, "imperfect": IMPERFECT}
_ATTENTION = {"plenty": 0.6, "scarce": 0.06, "nearly none": 0.015}
_SETTINGS = (
    ("scarce", "fast"),
    ("plenty", "imperfect"),
    ("plenty", "fast"),
    ("scarce", "imperfect"),
    ("nearly none", "fast"),
)


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    recipes = Recipes({"task": task, "seed": seed}, scale, changes)
    base = recipes.base()
    yield Arm(task=task, seed=seed, name="base", setting=("", "", "")), base
    for budget, people in _SETTINGS[: scale.settings]:
        person = {**_PEOPLE[people], "attention": _ATTENTION[budget]}
        shared = recipes.collection(base, person, round=1)
        for algorithm in _ALGORITHMS:
            first = recipes.candidate(algorithm, base, shared)
            yield Arm(task=task, seed=seed, name=algorithm, setting=(budget, people, "same")), first
            second = recipes.candidate(algorithm, base, shared, recipes.collection(first, person, round=2))
            yield Arm(task=task, seed=seed, name=algorithm, setting=(budget, people, "own")), second


QUESTION = Question(
    name="a",
    title="when does RECAP beat HG-DAgger?",
    columns=("help", "people", "data"),
    comparisons=(("recap", "hg_dagger"), ("recap", "recap_random")),
    arms=_arms,
)
