"""Where findings are kept, and what one study takes over from those beside it."""

import json
from pathlib import Path

import pytest

from policy.errors import ConfigError
from study import work
from study.__main__ import main
from study.cell import Cell
from study.plan import MINIATURE, Scale
from study.questions import QUESTIONS
from study.recipes import FAST, Recipes
from study.runner import Runner
from study.store import Store

_FINDING = {
    "num_successes": 150,
    "num_episodes": 200,
    "success_rate": 0.75,
    "robot_hours": 0.5,
    "steps_of_successes": 40.0,
    "wall_s": 3.0,
}


def _cells() -> tuple[Cell, Cell]:
    recipes = Recipes({"task": "plug_insertion", "seed": 0}, MINIATURE, {})
    base = recipes.base()
    return base, recipes.collection(base, FAST, round=1)


def _compute(store: Store, cell: Cell, file: str) -> None:
    """As its process leaves it, and kept."""
    folder = store.artefacts / cell.id
    folder.mkdir(parents=True)
    (folder / file).write_text("heavy")
    (folder / work.FINDING).write_text(json.dumps(_FINDING))
    store.keep(cell)


def test_a_study_takes_over_what_its_neighbours_found(tmp_path: Path) -> None:
    base, collection = _cells()
    theirs, ours = Store(tmp_path / "a"), Store(tmp_path / "d")
    _compute(theirs, base, work.GUIDANCE)
    _compute(theirs, collection, work.EPISODES)
    theirs.drop(collection)
    ours.borrow([base, collection])
    assert ours.finding(base) == ours.finding(collection) == _FINDING
    assert ours.has_artefacts(base)
    assert not ours.has_artefacts(collection)
    assert [line["id"] for line in Store(tmp_path / "d").lines] == [base.id, collection.id]


def test_borrowed_files_stay_when_their_owner_drops_them(tmp_path: Path) -> None:
    base, _ = _cells()
    theirs, ours = Store(tmp_path / "a"), Store(tmp_path / "d")
    _compute(theirs, base, work.GUIDANCE)
    ours.borrow([base])
    theirs.drop(base)
    assert (ours.artefacts / base.id / work.GUIDANCE).read_text() == "heavy"
    ours.drop(base)
    assert not ours.has_artefacts(base)


def test_only_cells_that_are_asked_for_are_taken_over(tmp_path: Path) -> None:
    base, collection = _cells()
    theirs, ours = Store(tmp_path / "a"), Store(tmp_path / "d")
    _compute(theirs, base, work.GUIDANCE)
    ours.borrow([collection])
    assert not ours.lines


def test_a_cell_that_a_stop_overtook_at_its_end_is_computed_again(tmp_path: Path) -> None:
    base, collection = _cells()
    store = Store(tmp_path / "a")
    _compute(store, base, work.GUIDANCE)
    _compute(store, collection, work.EPISODES)
    lines = (tmp_path / "a" / "cells.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "a" / "cells.jsonl").write_text(lines[0])
    candidate = Recipes({"task": "plug_insertion", "seed": 0}, MINIATURE, {}).candidate("recap", base, collection)
    assert Runner(Store(tmp_path / "a"), [candidate], num_jobs=1).to_do == [collection, candidate]


def test_a_line_that_is_being_written_next_door_is_left(tmp_path: Path) -> None:
    base, collection = _cells()
    theirs, ours = Store(tmp_path / "a"), Store(tmp_path / "d")
    _compute(theirs, base, work.GUIDANCE)
    path = tmp_path / "a" / "cells.jsonl"
    path.write_text(path.read_text() + '{"id": "' + collection.id)
    ours.borrow([base, collection])
    assert [line["id"] for line in ours.lines] == [base.id]
    assert path.read_text().endswith(collection.id), "it is not ours to mend"


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cells.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(ConfigError, match="line 1 is not a cell"):
        Store(tmp_path / "a")


@pytest.mark.parametrize("flags", [["--miniature"], ["--changes", '{"recap": {}}']])
def test_only_the_question_as_it_is_asked_is_published(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(ConfigError, match="published"):
        main(["b", "--publish", "--out", str(tmp_path), *flags])


def test_a_task_that_a_question_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not asked of this task"):
        main(["g", "--task", "busybox", "--out", str(tmp_path)])


def test_a_finished_study_is_published_with_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "runs" / "b")
    cells = [cell for _, cell in QUESTIONS["b"].arms("plug_insertion", 0, Scale(), {})]
    for cell in cells:
        _compute(store, cell, work.GUIDANCE)
    for _ in range(2):
        assert main(["b", "--publish", "--out", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr().out
    assert "0 cells to do, 4 found before" in said
    assert "cells.jsonl: 4 new cells" in said
    assert "cells.jsonl: 0 new cells" in said
    ids = [json.loads(line)["id"] for line in (tmp_path / "docs/results/cells.jsonl").read_text().splitlines()]
    assert ids == sorted(cell.id for cell in cells)
    assert "0.750 [0.686, 0.805] | 200 | 0 |" in (tmp_path / "docs/results.md").read_text()
    assert json.loads((tmp_path / "runs/b/summary.json").read_text())["plug_insertion"]["on"]["num_episodes"] == 200


def test_what_is_finished_when_it_is_interrupted_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *_ = [cell for _, cell in QUESTIONS["b"].arms("plug_insertion", 0, Scale(), {})]
    _compute(Store(tmp_path / "runs" / "b"), first, work.GUIDANCE)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "run", interrupted)
    assert main(["b", "--publish", "--out", str(tmp_path / "runs")]) == 130
    said = capsys.readouterr().out
    assert "the same command goes on from here" in said
    assert "cells.jsonl: 1 new cells" in said
