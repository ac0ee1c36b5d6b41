"""`docs/results.md` and its figures, from committed cells alone: the same cells give the same bytes.

`touchline study report` writes them; `touchline study NAME --publish` adds a study's cells and then writes them.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra import whole_file
from robots.tasks import TASKS
from study import gather, published, tables, verdict
from study.cell import Cell
from study.compare import Findings
from study.plan import Arm, Question, Scale
from study.questions import QUESTIONS, words
from study.store import Line

RESULTS = "results.md"
_FIGURES = "results"
_BASE = "base"
_HOW_TO_READ = """\
Made by `touchline study report` from [`results/cells.jsonl`](results/cells.jsonl), never by hand: every cell names its
settings, its parents and the commit that computed it. [`study/README.md`](../study/README.md) says what a cell is, who
the modelled people are, and how to compute a cell again.

Success is over held-out scenes without help. Intervals are 95 %: Wilson's for a rate, over the episodes of all
seeds together; for a difference Student's over the seeds' own differences, or, below three seeds, Newcombe's over
episodes, which says nothing of other seeds. n counts episodes. No interval is corrected for how many there are. The
words under each question were written before it ran."""


def run(argv: Sequence[str]) -> Path:
    """`touchline study report`: write the results of the published cells; returns the page."""
    parser = argparse.ArgumentParser(
        prog="touchline study report", description="Write docs/results.md and its figures from the published cells."
    )
    parser.add_argument("--cells", type=Path, default=published.CELLS, help="published cells")
    parser.add_argument("--out", type=Path, default=published.CELLS.parent.parent, help="folder of results.md")
    args = parser.parse_args(argv)
    return write(args.out, published.read(args.cells))


def write(folder: Path, cells: Mapping[str, Line]) -> Path:
    """Write `results.md` and its figures below a folder; figures of before that nothing shows now are removed."""
    from study import figures

    pictures = folder / _FIGURES
    pictures.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, str] = {}
    shown: dict[str, list[str]] = {}
    for question in QUESTIONS.values():
        for name, title, text in figures.of_question(question, found(question, cells)):
            drawn[name] = text
            shown.setdefault(question.name, []).append(f"![{title}]({_FIGURES}/{name})")
    for stale in set(pictures.glob("*.svg")) - {pictures / name for name in drawn}:
        stale.unlink()
    for name, text in drawn.items():
        whole_file.write_text(pictures / name, text)
    whole_file.write_text(folder / RESULTS, "\n".join(lines(cells, shown)) + "\n")
    return folder / RESULTS


def lines(cells: Mapping[str, Line], figures: Mapping[str, Sequence[str]]) -> list[str]:
    """The page. `figures` are its pictures, by question."""
    text = [
        "# What learning is worth",
        "",
        *verdict.lines(found(QUESTIONS["a"], cells)),
        "",
        *_HOW_TO_READ.splitlines(),
    ]
    text += ["", "## What was computed", "", *_coverage(cells)]
    for question in QUESTIONS.values():
        text += ["", f"## {question.name}: {question.title}", *words(question.name), ""]
        findings = found(question, cells)
        text += tables.lines(question, findings) if findings else ["Not run yet."]
        text += [line for picture in figures.get(question.name, ()) for line in ("", picture)]
    return text


def found(question: Question, cells: Mapping[str, Line]) -> Findings:
    """The findings of a question's arms, for every task and seed that any cell is about."""
    known = gather.findings(_arms(question, cells), lambda cell: cells.get(cell.id, {}).get("finding"))
    # Questions share their bases: one alone answers nothing.
    return known if any(arm.name != _BASE for arm in known) else {}


def _arms(question: Question, cells: Mapping[str, Line]) -> list[tuple[Arm, Cell]]:
    worlds = {(line["settings"]["world"]["task"], line["settings"]["world"]["seed"]) for line in cells.values()}
    known = [(task, seed) for task in TASKS for seed in sorted(seed for other, seed in worlds if other == task)]
    return [pair for task, seed in known for pair in question.arms(task, seed, Scale(), {})]


def _coverage(cells: Mapping[str, Line]) -> list[str]:
    """What is there and, by name, what is missing."""
    rows: list[str] = []
    absent: dict[str, list[str]] = {}
    for question in QUESTIONS.values():
        arms = _arms(question, cells)
        for task in TASKS:
            planned = [(arm, cell) for arm, cell in arms if arm.task == task]
            seeds = sorted({arm.seed for arm, cell in planned if cell.id in cells and arm.name != _BASE})
            own = [(arm, cell) for arm, cell in planned if arm.seed in seeds]
            lost = [arm for arm, cell in own if cell.id not in cells]
            if seeds:
                there = f"{len(own) - len(lost)} of {len(own)}"
                rows.append(f"| {question.name} | {task} | {', '.join(map(str, seeds))} | {there} | {_named(lost)} |")
            elif any(question.arms(task, 0, Scale(), {})):
                absent.setdefault(task, []).append(question.name)
    head = ["| question | task | seeds | arms found | missing |", "| --- | --- | --- | --- | --- |"]
    commits = sorted({str(line.get("commit") or "unknown") for line in cells.values()})
    said = [f"{len(cells)} cells, computed by {', '.join(commits) or 'nobody yet'}."]
    missing = "; ".join(f"{', '.join(absent[task])} of {task}" for task in TASKS if task in absent)
    said += ["", f"Not computed yet: {missing}."] if absent else []
    return [*head, *rows, "", *said] if rows else said


def _named(arms: Sequence[Arm]) -> str:
    """Arms without a cell; of many the first few, and how many more."""
    names = [f"{' '.join(word for word in (*arm.setting, arm.name) if word)} (seed {arm.seed})" for arm in arms]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more if names else "-"
