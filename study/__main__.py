"""`touchline study NAME`: a question about learning, answered on this machine with seeds, intervals and controls."""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from policy.errors import ConfigError
from study import question_a, question_b, question_c, question_d, question_e, summary
from study.cell import Cell, Finding
from study.plan import MINIATURE, Arm, Question, Scale
from study.runner import Runner
from study.screen import Screen
from study.store import Store

_MODULES = (question_a, question_b, question_c, question_d, question_e)
QUESTIONS = {module.QUESTION.name: module.QUESTION for module in _MODULES}
_FAILED_CODE, _INTERRUPTED_CODE = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Answer one question: compute the cells that are missing, then write its files."""
    signal.signal(signal.SIGTERM, _interrupt)
    args = _parser().parse_args(argv)
    question = QUESTIONS[args.question]
    folder = args.out / question.name
    store = Store(folder)
    arms = _arms(args)
    runner = Runner(store, list(arms.values()), num_jobs=args.jobs, keeps_artefacts=args.keep)
    with Screen(f"study {question.name}", num_cells=runner.num_left) as screen:
        names = {cell.id: _name(arm) for arm, cell in arms.items()}

        def found(cell: Cell, finding: Finding, took_s: float) -> None:
            rate = f"success {finding['success_rate']:.3f}"
            screen.done(f"{names.get(cell.id, cell.kind)} (seed {cell.settings['world']['seed']}): {rate}", took_s)
            _write(folder, question, arms, store)

        try:
            runner.run(found, lambda: screen.show([names.get(cell.id, cell.kind) for cell in runner.running]))
        except KeyboardInterrupt:
            screen.event(f"interrupted; the same command goes on from here ({folder})")
            return _INTERRUPTED_CODE
        for failed in runner.failed:
            screen.event(f"failed: {names.get(failed.cell.id, failed.cell.kind)}: {failed.reason}")
    _write(folder, question, arms, store)
    print(f"{folder / summary.SUMMARY}\n{folder / summary.RESULTS}")
    return _FAILED_CODE if runner.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="touchline study",
        description=__doc__.split(": ", 1)[1],
        epilog="A study that is stopped goes on where it was; finished cells are kept in OUT/QUESTION/cells.jsonl.",
    )
    words = "; ".join(f"{name}: {question.title}" for name, question in QUESTIONS.items())
    parser.add_argument("question", choices=QUESTIONS, help=words)
    parser.add_argument("--task", nargs="+", default=["plug_insertion"], help="tasks by name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of scenes, training and people")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="cells at once, a core each")
    parser.add_argument("--out", type=Path, default=Path("runs/study"), help="folder of findings")
    parser.add_argument("--miniature", action="store_true", help="tiny cells that only show that everything runs")
    parser.add_argument("--keep", action="store_true", help="keep episodes and weights of finished cells")
    parser.add_argument(
        "--changes",
        type=_changes,
        default={},
        metavar="JSON",
        help='settings that differ from the learner\'s defaults: {"recap": {"value": {"num_updates": 600}}}',
    )
    return parser


def _arms(args: argparse.Namespace) -> dict[Arm, Cell]:
    from robots import tasks

    if args.jobs < 1:
        raise ConfigError("--jobs must be at least 1", jobs=args.jobs)
    for task in args.task:
        tasks.check(task)
    scale = MINIATURE if args.miniature else Scale()
    question = QUESTIONS[args.question]
    return {
        arm: cell
        for task in args.task
        for seed in args.seeds
        for arm, cell in question.arms(task, seed, scale, args.changes)
    }


def _write(folder: Path, question: Question, arms: Mapping[Arm, Cell], store: Store) -> None:
    findings = {arm: finding for arm, cell in arms.items() if (finding := store.finding(cell)) is not None}
    summary.write(folder, question, findings)


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
