"""What a study says before it starts: how much is to do, and about how long it takes."""

from typing import Any

import pytest

from study.cell import Cell, Kind
from study.costs import Estimate, estimate, guess_s
from study.plan import MINIATURE, Scale
from study.questions import QUESTIONS
from study.recipes import FAST, Recipes


def _cells(scale: Scale = MINIATURE) -> tuple[Cell, Cell, Cell]:
    recipes = Recipes({"task": "plug_insertion", "seed": 0}, scale, {})
    base = recipes.base()
    collection = recipes.collection(base, FAST, round=1)
    return base, collection, recipes.candidate("recap", base, collection)


def _done(cell: Cell, wall_s: float) -> dict[str, Any]:
    return {"kind": cell.kind, "settings": cell.settings, "finding": {"wall_s": wall_s}}


def test_cells_that_need_each_other_take_as_long_as_all_of_them() -> None:
    cells = _cells()
    expected_s = sum(guess_s(cell.kind, cell.settings) for cell in cells)
    assert estimate(cells, [], num_found=0, num_jobs=8).wall_s == pytest.approx(expected_s)


def test_cells_that_do_not_share_the_jobs() -> None:
    bases = [Recipes({"task": "plug_insertion", "seed": seed}, MINIATURE, {}).base() for seed in range(4)]
    one, four = (estimate(bases, [], num_found=0, num_jobs=jobs).wall_s for jobs in (1, 4))
    assert one == pytest.approx(4 * four)


def test_what_finished_cells_took_scales_their_own_kind() -> None:
    base, collection, candidate = _cells(Scale())
    small, _, _ = _cells()
    slow = _done(small, 3 * guess_s(small.kind, small.settings))
    both = [base, collection]
    before, after = (estimate(both, done, num_found=0, num_jobs=1).wall_s for done in ([], [slow]))
    assert after - before == pytest.approx(2 * guess_s(base.kind, base.settings))
    assert estimate([candidate], [slow], num_found=0, num_jobs=1).wall_s == pytest.approx(
        guess_s(candidate.kind, candidate.settings)
    )


def test_every_kind_of_cell_has_a_cost() -> None:
    found = set()
    for question in QUESTIONS.values():
        for _, wanted in question.arms("plug_insertion", 0, Scale(), {}):
            for cell in wanted.with_ancestors():
                found.add(cell.kind)
                assert 10 < guess_s(cell.kind, cell.settings) < 3 * 3600
    assert found == set(Kind)


def test_the_estimate_in_words() -> None:
    assert Estimate(num_left=12, num_found=7, num_jobs=2, wall_s=3010).in_words == (
        "12 cells to do, 7 found before, about 50 min on 2 jobs"
    )
    assert "about 2 h 05 min" in Estimate(num_left=1, num_found=0, num_jobs=1, wall_s=7500).in_words
    assert Estimate(num_left=0, num_found=7, num_jobs=2, wall_s=0).in_words == "0 cells to do, 7 found before"
