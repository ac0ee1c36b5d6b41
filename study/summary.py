"""A study's files: `summary.json` for machines and `results.md` for people; only what was measured is in them."""

import collections
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra import whole_file
from study.cell import Finding
from study.compare import Difference, Pooled, difference, pool
from study.plan import Arm, Question

Findings = Mapping[Arm, Finding]
SUMMARY, RESULTS = "summary.json", "results.md"


def write(folder: Path, question: Question, findings: Findings) -> None:
    """Write both files, each whole or not at all."""
    whole_file.write_text(folder / SUMMARY, json.dumps(by_name(findings), indent=2, sort_keys=True) + "\n")
    whole_file.write_text(folder / RESULTS, "\n".join(lines(question, findings)) + "\n")


def by_name(findings: Findings) -> dict[str, dict[str, dict[str, Any]]]:
    """{task: {arm's name: figures}}, each over all its settings and seeds together."""
    groups: dict[str, dict[str, list[Finding]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for arm, finding in findings.items():
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two arms in one setting of one task, over the seeds that have both."""

    task: str
    setting: tuple[str, ...]
    ours: str
    theirs: str
    seeds: tuple[int, ...]
    difference: Difference


def compare(findings: Findings, ours: str, theirs: str) -> list[Comparison]:
    """In every setting in which both were measured."""
    found: dict[tuple[str, tuple[str, ...]], dict[str, dict[int, Finding]]] = {}
    for arm, finding in findings.items():
        group = found.setdefault((arm.task, arm.setting), {})
        group.setdefault(arm.name, {})[arm.seed] = finding
    comparisons = []
    for (task, setting), group in found.items():
        seeds = tuple(sorted(group.get(ours, {}).keys() & group.get(theirs, {}).keys()))
        if seeds:
            apart = difference([group[ours][seed] for seed in seeds], [group[theirs][seed] for seed in seeds])
            comparisons.append(
                Comparison(task=task, setting=setting, ours=ours, theirs=theirs, seeds=seeds, difference=apart)
            )
    return comparisons


def lines(question: Question, findings: Findings) -> list[str]:
    """Markdown: a table of arms, and the comparisons that were written down before."""
    about = ("task", *question.columns)
    text = [f"# Study {question.name}: {question.title}", ""]
    text += _head(*about, "arm", "success [95 %]", "n", "seeds", "successes/h", "steps", "corrected steps")
    groups: dict[tuple[str, tuple[str, ...], str], list[Finding]] = collections.defaultdict(list)
    for arm, finding in findings.items():
        groups[arm.task, arm.setting, arm.name].append(finding)
    for (task, setting, name), group in groups.items():
        pooled = pool(group)
        corrected = sum(finding.get("num_correction_steps", 0) for finding in group) / len(group)
        text.append(
            _row(
                *(task, *setting, name),
                f"{pooled.success.estimate:.3f} [{pooled.success.low:.3f}, {pooled.success.high:.3f}]",
                *(str(pooled.num_episodes), str(pooled.num_seeds)),
                f"{pooled.throughput_per_robot_hour:,.0f}",
                f"{pooled.steps_of_successes:.1f}",
                f"{corrected:,.0f}",
            )
        )
    text += ["", *_head(*about, "difference of success", "[95 %]", "seeds", "by")]
    for ours, theirs in question.comparisons:
        text += [_line(comparison) for comparison in compare(findings, ours, theirs)]
    return text


def _line(comparison: Comparison) -> str:
    apart = comparison.difference.interval
    return _row(
        *(comparison.task, *comparison.setting, f"{comparison.ours} - {comparison.theirs}"),
        f"{apart.estimate:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]",
        _numbers(comparison.seeds),
        comparison.difference.method,
    )


def _head(*names: str) -> list[str]:
    return [_row(*names), _row(*["---"] * len(names))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _numbers(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in seeds)
