"""`touchline study NAME`: a question about learning, answered on this machine with seeds, intervals and controls."""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from policy.errors import ConfigError
from study import costs, gather, published, report, summary
from study.cell import Cell, Finding
from study.compare import SUCCESS
from study.plan import MINIATURE, Arm, Question, Scale
from study.questions import QUESTIONS
from study.runner import Runner, Start, start_here
from study.screen import Screen
from study.store import Store

_REPORT = "report"
_FAILED_CODE, _INTERRUPTED_CODE = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Answer one question: compute the cells that are missing, then write its files; or report what was published."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == [_REPORT]:
        print(report.run(argv[1:]))
        return 0
    args = _parser().parse_args(argv)
    question = QUESTIONS[args.question]
    folder = args.out / question.name
    arms = _arms(args)
    signal.signal(signal.SIGTERM, _interrupt)
    start, num_jobs = _place(args)
    store = Store(folder)
    store.borrow([cell for wanted in arms.values() for cell in wanted.with_ancestors()])
    runner = Runner(store, list(arms.values()), num_jobs=num_jobs, keeps_artefacts=args.keep, start=start)
    wanted = {cell.id: cell for cell in arms.values()}
    with Screen(f"study {question.name}", num_cells=runner.num_left) as screen:
        names = {cell.id: _name(arm) for arm, cell in arms.items()}
        num_found = sum(store.finding(cell) is not None for cell in wanted.values())
        screen.event(costs.estimate(runner.to_do, store.lines, num_found=num_found, num_jobs=num_jobs).in_words)

        def found(cell: Cell, finding: Finding, took_s: float) -> None:
            name = f"{names.get(cell.id, cell.kind)} (seed {cell.settings['world']['seed']})"
            screen.done(f"{name}: {_told(finding)}", took_s)
            _write(folder, question, arms, store)

        code = 0
        try:
            runner.run(found, lambda: screen.show([names.get(cell.id, cell.kind) for cell in runner.running]))
        except KeyboardInterrupt:
            screen.event(f"interrupted; the same command goes on from here ({folder})")
            code = _INTERRUPTED_CODE
        for failed in runner.failed:
            screen.event(f"failed: {names.get(failed.cell.id, failed.cell.kind)}: {failed.reason}")
            code = code or _FAILED_CODE
    _write(folder, question, arms, store)
    print(f"{folder / summary.SUMMARY}\n{folder / summary.RESULTS}")
    if args.publish:
        _publish(wanted.values(), store)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="touchline study",
        description=__doc__.split(": ", 1)[1],
        epilog=(
            "A study that is stopped goes on where it was; finished cells are kept in OUT/QUESTION/cells.jsonl. "
            "OUT/QUESTION/summary.json pools every arm over all settings and seeds; results.md beside it tells them "
            "apart. Other studies in OUT are asked for cells that they share with this one. `touchline study report` "
            "makes docs/results.md and its figures from the published cells."
        ),
    )
    words = "; ".join(f"{name}: {question.title}" for name, question in QUESTIONS.items())
    parser.add_argument("question", choices=QUESTIONS, help=words)
    parser.add_argument("--task", nargs="+", default=["plug_insertion"], help="tasks by name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of scenes, training and people")
    parser.add_argument("--jobs", type=int, help="cells at once, a core each; all cores if not given")
    parser.add_argument(
        "--ray",
        default="",
        metavar="ADDRESS",
        help="compute on the nodes of this Ray cluster (host:port, or auto), which share OUT; here if not given",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/study"), help="folder of findings")
    parser.add_argument("--miniature", action="store_true", help="tiny cells that only show that everything runs")
    parser.add_argument("--keep", action="store_true", help="keep episodes and weights of finished cells")
    parser.add_argument(
        "--publish",
        action="store_true",
        help=f"add the finished cells to {published.CELLS} and write its report, also when interrupted",
    )
    parser.add_argument(
        "--changes",
        type=_changes,
        default={},
        metavar="JSON",
        help='settings that differ from the learner\'s defaults: {"recap": {"value": {"num_updates": 600}}}',
    )
    return parser


def _place(args: argparse.Namespace) -> tuple[Start, int]:
    """Where cells are computed, and how many at once."""
    if not args.ray:
        return start_here, args.jobs or os.cpu_count() or 1
    from learner import ray_cluster
    from study.ray_jobs import RayJob

    num_cores = ray_cluster.connect(args.ray)
    return RayJob, args.jobs or num_cores


def _arms(args: argparse.Namespace) -> dict[Arm, Cell]:
    from robots import tasks

    if args.jobs is not None and args.jobs < 1:
        raise ConfigError("--jobs must be at least 1", jobs=args.jobs)
    if args.publish and (args.miniature or args.changes):
        raise ConfigError("what is published is the question as it is asked: without --miniature and --changes")
    for task in args.task:
        tasks.check(task)
    scale = MINIATURE if args.miniature else Scale()
    question = QUESTIONS[args.question]
    arms = {
        arm: cell
        for task in args.task
        for seed in args.seeds
        for arm, cell in question.arms(task, seed, scale, args.changes)
    }
    for task in set(args.task) - {arm.task for arm in arms}:
        raise ConfigError("this question is not asked of this task", question=question.name, task=task)
    return arms


def _write(folder: Path, question: Question, arms: Mapping[Arm, Cell], store: Store) -> None:
    summary.write(folder, question, gather.findings(arms.items(), store.finding))


def _publish(wanted: Iterable[Cell], store: Store) -> None:
    """Also what these cells were made of, as far as this study computed it."""
    lines = [line for cell in wanted for one in cell.with_ancestors() if (line := store.line(one)) is not None]
    num_new = published.add(lines)
    page = report.write(published.CELLS.parent.parent, published.read())
    print(f"{published.CELLS}: {num_new} new cells\n{page}")


def _told(finding: Finding) -> str:
    """The figure that a cell is about."""
    if SUCCESS in finding:
        return f"success {finding[SUCCESS]:.3f}"
    ranking = finding["ranking"]
    return f"ranking {ranking:.3f}" if ranking is not None else finding["reason"]


def _name(arm: Arm) -> str:
    return " ".join(word for word in (arm.task, *arm.setting, arm.name) if word)


def _changes(text: str) -> Mapping[str, Any]:
    with contextlib.suppress(ValueError):
        changes = json.loads(text)
        if isinstance(changes, dict):
            return changes
    raise argparse.ArgumentTypeError(f"not a JSON object: {text}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
