"""Study f: what makes a critic trustworthy? Ranking, calibration and look-ahead on episodes that it did not see.

Written down before running:

* data: study a's first two settings with one shared collection each, so that every figure is about the data on
  which study a's RECAP stands or falls; two folds, values held out by episode;
* primary comparisons, on held-out ranking and AUC: the learner's critic (201 bins, one network, corrected parts
  included) - 51 bins, - two networks, - without corrections;
* look-ahead: rank correlation of N-step advantages with true progress over the chunk, N of 4, 8, 16 and to the end;
* and for a few the policies that RECAP makes of them, in the first setting, on success: 8 ticks - 4 ticks,
  - 16 ticks, - to the end, and one network - two networks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.question_a import QUESTION as QUESTION_A
from study.recipes import Recipes

_NUM_SETTINGS = 2
_CRITICS: Mapping[str, Mapping[str, Any]] = {
    "as is": {},
    "51 bins": {"value": {"num_bins": 51}},
    "two networks": {"critic": {"num_networks": 2}},
    "without corrections": {"critic": {"fits_corrected": False}},
}
_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "as is": {},
    "4 ticks": {"advantage": {"lookahead_steps": 4}},
    "16 ticks": {"advantage": {"lookahead_steps": 16}},
    "to the end": {"advantage": {"lookahead_steps": 0}},
    "two networks": {"critic": {"num_networks": 2}},
}


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    for number, (setting, base, shared) in enumerate(_data_of_study_a(task, seed, scale, changes)):
        for name, variant in _CRITICS.items():
            cell = Recipes({"task": task, "seed": seed}, scale, {}).critic(base, shared, _merged(changes, variant))
            yield Arm(task=task, seed=seed, name=name, setting=(*setting, "critic")), cell
        for name, variant in _POLICIES.items() if number == 0 else ():
            recipes = Recipes({"task": task, "seed": seed}, scale, {"recap": _merged(changes, variant)})
            yield (
                Arm(task=task, seed=seed, name=name, setting=(*setting, "policy")),
                recipes.candidate("recap", base, shared),
            )


def _data_of_study_a(task: str, seed: int, scale: Scale, changes: Changes) -> list[tuple[tuple[str, ...], Cell, Cell]]:
    """(setting, base, collection) of study a's first settings with a shared collection."""
    found = []
    for arm, cell in QUESTION_A.arms(task, seed, scale, changes):
        *setting, data = arm.setting
        if (arm.name, data) == ("recap", "same"):
            base, shared = cell.parents
            found.append((tuple(setting), base, shared))
    return found[:_NUM_SETTINGS]


def _merged(changes: Changes, variant: Mapping[str, Any]) -> dict[str, Any]:
    """RECAP's changes with a variant's on top, section by section."""
    own = changes.get("recap", {})
    return {section: {**own.get(section, {}), **variant.get(section, {})} for section in sorted({*own, *variant})}


QUESTION = Question(
    name="f",
    title="what makes a critic trustworthy?",
    columns=("help", "people", "of"),
    comparisons=(
        ("as is", "51 bins"),
        ("as is", "two networks"),
        ("as is", "without corrections"),
        ("as is", "4 ticks"),
        ("as is", "16 ticks"),
        ("as is", "to the end"),
    ),
    arms=_arms,
    measures=("ranking", "auc", "success_rate"),
)
