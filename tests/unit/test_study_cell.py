"""Cells are found again by what they are made of."""

import pytest

from policy.errors import SchemaError
from study.cell import Cell, Kind, Order
from study.plan import MINIATURE, Scale
from study.question_a import QUESTION as QUESTION_A
from study.question_d import QUESTION as QUESTION_D
from study.recipes import FAST, Recipes


def _recipes(seed: int = 0, scale: Scale = MINIATURE) -> Recipes:
    return Recipes({"task": "plug_insertion", "seed": seed}, scale, {})


def test_the_same_question_has_the_same_id() -> None:
    assert _recipes().base().id == _recipes().base().id


def test_any_change_asks_a_new_question() -> None:
    base = _recipes().base()
    collection = _recipes().collection(base, FAST, round=1)
    others = [
        _recipes(seed=1).base(),
        Recipes({"task": "plug_insertion", "seed": 0, "touch": "off"}, MINIATURE, {}).base(),
        collection,
        _recipes().collection(base, {"attention": 0.5}, round=1),
        _recipes().collection(base, FAST, round=2),
        _recipes().collection(_recipes(seed=1).base(), FAST, round=1),
        _recipes().candidate("recap", base, collection),
        _recipes().candidate("hg_dagger", base, collection),
    ]
    assert len({cell.id for cell in [base, *others]}) == 1 + len(others)


def test_changes_touch_their_algorithm_only() -> None:
    world, changes = {"task": "plug_insertion", "seed": 0}, {"recap": {"value": {"num_updates": 2}}}
    changed, plain = Recipes(world, MINIATURE, changes), Recipes(world, MINIATURE, {})
    base = plain.base()
    assert changed.candidate("recap", base).id != plain.candidate("recap", base).id
    assert changed.candidate("hg_dagger", base).id == plain.candidate("hg_dagger", base).id


def test_a_cell_reaches_its_process_whole() -> None:
    base = _recipes().base()
    cell = _recipes().collection(base, FAST, round=1)
    order = Order.from_json(cell.to_json())
    assert (order.id, order.kind, order.settings) == (cell.id, cell.kind, dict(cell.settings))
    assert order.parents == ((base.id, Kind.BASE),)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"id": "a"}', '{"id": "a", "kind": "guess", "settings": {}, "parents": []}']
)
def test_what_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="not a cell"):
        Order.from_json(text)


def test_all_algorithms_learn_from_one_collection_in_study_a() -> None:
    arms = list(QUESTION_A.arms("plug_insertion", 0, Scale(), {}))
    scarce = {arm.name: cell for arm, cell in arms if arm.setting == ("scarce", "fast", "same")}
    assert set(scarce) == {"recap", "hg_dagger", "filtered_bc", "recap_random", "recap_published", "recap_no_goals"}
    assert len({cell.parents[1].id for cell in scarce.values()}) == 1
    assert len({cell.settings["updates"] for _, cell in arms if cell.kind is Kind.CANDIDATE}) == 1


def test_each_algorithm_collects_its_own_in_study_a() -> None:
    arms = list(QUESTION_A.arms("plug_insertion", 0, Scale(), {}))
    for arm, cell in arms:
        if arm.setting[-1:] == ("own",):
            base, shared, own = cell.parents
            (actor,) = own.parents
            assert actor.settings["algorithm"] == arm.name
            assert actor.parents == (base, shared)


def test_a_policy_that_nobody_watches_is_asked_about_in_study_d() -> None:
    arms = list(QUESTION_D.arms("plug_insertion", 0, Scale(), {}))
    watched = {arm.setting for arm, _ in arms}
    assert {("0",), ("1",)} <= watched


def test_ancestors_come_before_their_children() -> None:
    for _, cell in QUESTION_A.arms("plug_insertion", 0, MINIATURE, {}):
        seen: list[Cell] = []
        for ancestor in cell.with_ancestors():
            assert all(parent in seen for parent in ancestor.parents)
            seen.append(ancestor)
