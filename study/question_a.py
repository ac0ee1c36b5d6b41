"""Study a: when does RECAP beat HG-DAgger? The same data and compute, and each collecting its own.

Written down before running:

* settings: how many episodes are watched (plenty .6, scarce .03, nearly none .01), by a fast expert or by a model of
  real people (`recipes.IMPERFECT`);
* data: `same`, one collection by the base, and every algorithm learns from it; `own`, each algorithm's policy of
  that round collects again in the same way, and learns from both collections, from the base anew;
* primary comparisons, on success over held-out scenes without help: recap - hg_dagger and recap - recap_random in
  every setting. recap must not be worse by more than 2 points where help is plenty and good, and be better,
  interval clear of zero, where help is scarce or imperfect;
* control with imperfect people: recap_no_critic, whose critic is never asked, so that people are judged by how episodes
  ended and no autonomous step is used: what it gains on hg_dagger is due to judging people, and what recap gains on
  it is due to the critic;
* secondary: failures and throughput against base; steps of a success against those of helped successes.

Settings of recap were chosen on seeds 10 and 11. Whom to believe was chosen on seeds 0 and 1 of plug insertion too,
which therefore are not asked about imperfect people; other reported seeds had no part in it.
"""

from collections.abc import Iterator, Mapping

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import FAST, IMPERFECT, Recipes

_CONTROL = "recap_no_critic"
_ALGORITHMS: Mapping[str, tuple[str, Mapping[str, Mapping[str, int]]]] = {
    "recap": ("recap", {}),
    "hg_dagger": ("hg_dagger", {}),
    "filtered_bc": ("filtered_bc", {}),
    "recap_random": ("recap_random", {}),
    _CONTROL: ("recap", {"critic": {"min_episodes": 1_000_000}}),
}
"""Arm, the algorithm that learns, and what is changed of its settings."""
_PEOPLE = {"fast": FAST, "imperfect": IMPERFECT}
_ATTENTION = {"plenty": 0.6, "scarce": 0.03, "nearly none": 0.01}
_SETTINGS = (
    ("plenty", "imperfect"),
    ("plenty", "fast"),
    ("scarce", "fast"),
    ("nearly none", "fast"),
)
_LOOKED_AT = {("plug_insertion", "imperfect"): (0, 1)}
"""Seeds of a task by which settings of recap were chosen, with these people."""
_OWN = (("plenty", "imperfect"), ("scarce", "fast"))
"""Settings in which each algorithm collects its own as well."""


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    base = Recipes({"task": task, "seed": seed}, scale, changes).base()
    yield Arm(task=task, seed=seed, name="base", setting=("", "", "")), base
    asked = [setting for setting in _SETTINGS if seed not in _LOOKED_AT.get((task, setting[1]), ())]
    for setting in asked[: scale.settings]:
        budget, people = setting
        person = {**_PEOPLE[people], "attention": _ATTENTION[budget]}
        shared = Recipes({"task": task, "seed": seed}, scale, changes).collection(base, person, round=1)
        for name, (algorithm, changed) in _ALGORITHMS.items():
            if name == _CONTROL and people == "fast":
                continue
            recipes = Recipes({"task": task, "seed": seed}, scale, {algorithm: {**changed, **changes.get(name, {})}})
            first = recipes.candidate(algorithm, base, shared)
            yield Arm(task=task, seed=seed, name=name, setting=(*setting, "same")), first
            if setting in _OWN and name != _CONTROL:
                second = recipes.candidate(algorithm, base, shared, recipes.collection(first, person, round=2))
                yield Arm(task=task, seed=seed, name=name, setting=(*setting, "own")), second


QUESTION = Question(
    name="a",
    title="when does RECAP beat HG-DAgger?",
    columns=("help", "people", "data"),
    comparisons=(("recap", "hg_dagger"), ("recap", "recap_random")),
    arms=_arms,
)
