"""`docs/results.md`: the same cells, the same bytes; the verdict first; what is missing is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from policy.errors import ConfigError
from study import published, report
from study.__main__ import main
from study.cell import Cell, Kind
from study.plan import Scale
from study.questions import QUESTIONS, words
from study.verdict import Standing, standing

_ROOT = Path(__file__).parents[2]
_SEEDS = (2, 3, 4)
"""Those that every setting is asked of."""


def _line(cell: Cell, finding: dict[str, Any]) -> dict[str, Any]:
    parents = [parent.id for parent in cell.parents]
    settings = json.loads(json.dumps(cell.settings))
    return {
        "id": cell.id,
        "kind": cell.kind,
        "settings": settings,
        "parents": parents,
        "commit": "c0ffee",
        "finding": finding,
    }


def _success(num_successes: int, num_episodes: int = 200) -> dict[str, Any]:
    return {
        "num_successes": num_successes,
        "num_episodes": num_episodes,
        "success_rate": num_successes / num_episodes,
        "robot_hours": 1.0,
        "steps_of_successes": 40.0,
        "num_correction_steps": 300,
        "throughput_per_robot_hour": float(num_successes),
        "wall_s": 100.0,
    }


def _finding(cell: Cell, name: str, seed: int, recap: int) -> dict[str, Any]:
    won = {"recap": recap + seed, "hg_dagger": 170 + seed, "recap_random": 140}.get(name, 120 + 10 * seed)
    match cell.kind:
        case Kind.CRITIC:
            calibration = [[-1 + i / 10, -0.9 + i / 12, 100] for i in range(10)]
            lookahead = {"4": 0.2, "8": 0.4, "16": None, "0": 0.1}
            known = {"ranking": 0.4 + seed / 100, "auc": 0.7, "ranking_low": 0.3, "ranking_high": 0.5, "auc_low": None}
            return {
                **known,
                "auc_high": None,
                "calibration_error": 0.05,
                "bias": -0.01,
                "num_rollouts": 250,
                "calibration": calibration,
                "lookahead": lookahead,
            }
        case Kind.FLEET:
            curve = [{**_success(150 + 10 * i), "fleet_minutes": 4.0 + 2 * i} for i in range(5)]
            return {**_success(won), "curve": curve, "minutes_to_target": None if "1 robots" in name else 8.0 + seed}
        case Kind.DRIFT:
            entries = [{**_success(150), "round": i, "start_success_rate": 0.4} for i in (1, 2, 3)]
            counts = {"num_promoted": 2, "num_refused": 1, "num_below_start": 0, "num_clearly_below_start": 0}
            recoveries = [{"num_rounds": 2, "robot_minutes": 12.0}, {"num_rounds": None, "robot_minutes": None}]
            return {**_success(won), **counts, "start_success_rate": 0.4, "recoveries": recoveries, "curve": entries}
        case _:
            return _success(won)


def _lines(recap: int = 185, questions: str = "abcdefg") -> list[dict[str, Any]]:
    return [
        _line(cell, _finding(cell, arm.name, seed - _SEEDS[0], recap))
        for name in questions
        for seed in _SEEDS
        for arm, cell in QUESTIONS[name].arms("plug_insertion", seed, Scale(), {})
    ]


def _written(folder: Path, lines: list[dict[str, Any]]) -> dict[str, bytes]:
    """Every file of the report, by its name."""
    published.add(lines, folder / "results" / "cells.jsonl")
    assert main(["report", "--cells", str(folder / "results" / "cells.jsonl"), "--out", str(folder)]) == 0
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def _page(lines: list[dict[str, Any]]) -> str:
    """The page without its figures."""
    return "\n".join(report.lines({line["id"]: line for line in lines}, {}))


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    lines = _lines()
    forwards = _written(tmp_path / "forwards", lines)
    published.add(lines[::-2], tmp_path / "shuffled" / "results" / "cells.jsonl")
    assert _written(tmp_path / "shuffled", lines) == forwards
    page = forwards["results.md"].decode()
    figures = {name for name in forwards if name.endswith(".svg")}
    assert len(figures) == 12
    assert all(f"]({name})" in page for name in figures)
    assert all(b"prefers-color-scheme:dark" in forwards[name] for name in figures)
    assert all(b"#123456" not in forwards[name] for name in figures)


def test_every_question_is_there_in_the_words_it_was_asked_in() -> None:
    page = _page(_lines())
    for question in QUESTIONS.values():
        assert f"## {question.name}: {question.title}" in page
        assert "\n".join(words(question.name)).strip() in page
        assert any("ritten down before running" in line for line in words(question.name))
    assert "| plug_insertion | 8 robots | 8.0, 9.0, 10.0 | > 1.5, > 1.3, > 1.2 | - | 2, 3, 4 |" in page
    assert "| 2 (12 min), never |" in page
    assert "ranking | as is - 51 bins | +0.000 [+0.000, +0.000] | 2, 3, 4 | Student over 3 seeds |" in page


def test_how_much_sooner_is_a_mean_once_every_fleet_got_there() -> None:
    lines = _lines(questions="c")
    for line in lines:
        if line["kind"] == Kind.FLEET and line["finding"]["minutes_to_target"] is None:
            line["finding"]["minutes_to_target"] = 18.0
    assert "| plug_insertion | 8 robots | 8.0, 9.0, 10.0 | 2.2, 2.0, 1.8 | 2.008 [1.522, 2.650] | 2, 3, 4 |" in _page(
        lines
    )


@pytest.mark.parametrize(
    ("recap", "said"),
    [
        (185, "RECAP is never worse than HG-DAgger where help is good, and better where it is not."),
        (150, "RECAP stays behind HG-DAgger in {all} of {all} settings, and is ahead in 0."),
        (170, "RECAP is ahead of HG-DAgger in 0 of {all} settings, and behind in none for certain."),
    ],
)
def test_the_first_lines_are_the_verdict(recap: int, said: str) -> None:
    page = _page(_lines(recap, "a"))
    arms = [arm for arm, _ in QUESTIONS["a"].arms("plug_insertion", _SEEDS[0], Scale(), {})]
    num_settings = sum(arm.name == "recap" for arm in arms)
    assert page.splitlines()[2].startswith(f"**plug_insertion: {said.format(all=num_settings)}**")


def test_what_is_missing_is_said() -> None:
    lines = _lines(questions="a")
    arms = [(arm, cell) for arm, cell in QUESTIONS["a"].arms("plug_insertion", _SEEDS[1], Scale(), {})]
    lost, cell = next((arm, cell) for arm, cell in arms if arm.name == "recap_random")
    page = _page([line for line in lines if line["id"] != cell.id])
    assert f"| {' '.join(lost.setting)} recap_random (seed {_SEEDS[1]}) |" in page
    assert "g of plug_insertion; a, b, c, d, e, f of busybox; a, b, c, d, e, f of toolbox." in page
    assert page.count("Not run yet.") >= 4, "but for those that share policies with a"


def test_without_cells_nothing_is_claimed(tmp_path: Path) -> None:
    page = report.write(tmp_path, {}).read_text()
    assert page.splitlines()[2].startswith("**Whether RECAP beats HG-DAgger is not known yet")
    assert page.count("Not run yet.") == len(QUESTIONS)


def test_a_figure_that_nothing_shows_any_more_goes(tmp_path: Path) -> None:
    _written(tmp_path, _lines(questions="b"))
    assert list(tmp_path.glob("results/b-*.svg"))
    report.write(tmp_path, {})
    assert not list(tmp_path.glob("results/*.svg"))


def test_published_cells_are_sorted_and_none_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    lines = _lines(questions="b")
    assert published.add([*lines, lines[0]], path) == len(lines)
    assert published.add([{**lines[0], "commit": "newer"}], path) == 0
    ids = [json.loads(line)["id"] for line in path.read_text().splitlines()]
    assert ids == sorted(set(ids))
    assert published.read(path)[lines[0]["id"]]["commit"] == "newer"


def test_a_line_that_is_no_cell_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    published.add(_lines(questions="b")[:1], path)
    path.write_text(path.read_text() + '{"id": "a"}\n')
    with pytest.raises(ConfigError, match="line 2 is not a cell"):
        published.read(path)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ((0.05, 0.06, 0.055), Standing.BETTER),
        ((-0.05, -0.06, -0.055), Standing.WORSE),
        ((-0.01, 0.0, 0.01), Standing.UNDECIDED),
        ((-0.002, 0.0, 0.002), Standing.NOT_WORSE),
    ],
)
def test_standings_go_by_the_interval(differences: tuple[float, ...], expected: Standing) -> None:
    from study.compare import compare
    from study.plan import Arm

    findings = {}
    for seed, apart in enumerate(differences):
        for name, rate in (("recap", 0.8 + apart), ("hg_dagger", 0.8)):
            arm = Arm(task="plug_insertion", seed=seed, name=name, setting=("plenty", "fast", "same"))
            findings[arm] = {"success_rate": rate}
    (comparison,) = compare(findings, "recap", "hg_dagger")
    assert standing(comparison) is expected


def test_a_control_that_is_the_same_training_is_said_and_not_counted() -> None:
    lines = _lines(questions="a")
    for line in lines:
        if line["kind"] == Kind.CANDIDATE:
            line["finding"]["loss"] = 0.5 if line["settings"]["algorithm"] == "recap_random" else 1.0
    apart = _page(lines)
    assert "where autonomous steps were used: not measured" not in apart.splitlines()[2]
    for line in lines:
        if line["kind"] == Kind.CANDIDATE:
            line["finding"]["loss"] = 1.0
    page = _page(lines)
    assert "where autonomous steps were used: not measured" in page.splitlines()[2]
    assert "plenty and good: 1 not worse by more than 2 points, goal met in 1 of 1" in page.splitlines()[2], (
        "of one seed"
    )
    assert page.count("one training, two names") > apart.count("one training, two names")


def test_the_committed_page_is_what_the_committed_cells_give(tmp_path: Path) -> None:
    docs = _ROOT / "docs"
    page = report.write(tmp_path, published.read(docs / "results" / "cells.jsonl"))
    assert page.read_text() == (docs / "results.md").read_text(), "run `touchline study report`"
    drawn = {path.name for path in (tmp_path / "results").glob("*.svg")}
    assert drawn == {path.name for path in (docs / "results").glob("*.svg")}
