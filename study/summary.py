"""A study's files: `summary.json` for machines and `results.md` for people; only what was measured is in them."""

import collections
import json
from pathlib import Path
from typing import Any

from infra import whole_file
from study import tables
from study.cell import Finding
from study.compare import SUCCESS, Findings, Pooled, pool
from study.plan import Question

SUMMARY, RESULTS = "summary.json", "results.md"


def write(folder: Path, question: Question, findings: Findings) -> None:
    """Write both files, each whole or not at all."""
    text = [f"# Study {question.name}: {question.title}", "", *tables.lines(question, findings)]
    whole_file.write_text(folder / SUMMARY, json.dumps(by_name(findings), indent=2, sort_keys=True) + "\n")
    whole_file.write_text(folder / RESULTS, "\n".join(text) + "\n")


def by_name(findings: Findings) -> dict[str, dict[str, dict[str, Any]]]:
    """{task: {arm's name: figures}}, each over all its settings and seeds together; only success has a place here."""
    groups: dict[str, dict[str, list[Finding]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for arm, finding in findings.items():
        if SUCCESS in finding:
            groups[arm.task][arm.name].append(finding)
    return {task: {name: _figures(pool(group)) for name, group in names.items()} for task, names in groups.items()}


def _figures(pooled: Pooled) -> dict[str, Any]:
    return {
        "success_rate": pooled.success.estimate,
        "success_low": pooled.success.low,
        "success_high": pooled.success.high,
        "num_episodes": pooled.num_episodes,
        "throughput_per_robot_hour": pooled.throughput_per_robot_hour,
    }
