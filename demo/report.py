"""`report.json` for machines and a self-contained `report.html` for people, from the same figures."""

import dataclasses
import html
import json
import math
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.alarms import Alarms
from demo.evidence import VersionEvidence

REPORT_SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that `report.json` holds, in its order."""

    algorithm: str
    task: str
    seed: int
    wall_s: float
    num_robots: int
    versions: tuple[VersionEvidence, ...]
    """In order of time; the first is the base."""
    promotions: tuple[Mapping[str, Any], ...]
    """Ledger lines that moved the champion."""
    rejections: tuple[Mapping[str, Any], ...]
    steps: Mapping[str, int]
    """recorded, in_lake, lost, doubled, corrections."""
    latency_s: Mapping[str, float]
    targets: Mapping[str, bool]
    evidence_holds: bool
    autonomous_data: str
    """What advantage-labelled autonomous steps added beyond corrections, in words."""
    value_drop: Alarms
    """What the live critic's requests for help were worth."""

    def to_json(self) -> str:
        """Strict JSON: what could not be measured is null."""
        fields = {"schema": REPORT_SCHEMA, **dataclasses.asdict(self)}
        return json.dumps(_finite(fields), indent=1, allow_nan=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """One episode to look at."""

    caption: str
    sheets: tuple[str, ...]
    """`data:` addresses, one per camera."""
    touch_svg: str


def write(directory: Path, report: Report, figures: Sequence[str], pictures: Sequence[Picture]) -> None:
    """Write `report.json` and `report.html`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.json").write_text(report.to_json() + "\n")
    (directory / "report.html").write_text(_page(report, figures, pictures))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _page(report: Report, figures: Sequence[str], pictures: Sequence[Picture]) -> str:
    base, final = report.versions[0], next(v for v in reversed(report.versions) if v.role == "champion")
    verdict = "The evidence holds." if report.evidence_holds else "The evidence does not hold."
    headline = (
        f"Success without help went from {base.success_rate:.0%} to {final.success_rate:.0%} "
        f"in {report.wall_s / 60:.1f} minutes, with {report.steps['corrections']:,} corrected steps by people."
    )
    template = string.Template((Path(__file__).parent / "report.html").read_text())
    return template.substitute(
        title=html.escape(f"Touchline: {report.task}, {report.algorithm}, seed {report.seed}"),
        headline=html.escape(headline),
        verdict=verdict,
        targets="".join(
            f"<li class={'met' if met else 'missed'}>{'✓ met' if met else '✗ not met'}: {name.replace('_', ' ')}</li>"
            for name, met in report.targets.items()
        ),
        versions=_table([_version_row(version) for version in report.versions]),
        figures="".join(f"<figure>{figure}</figure>" for figure in figures),
        pictures="".join(map(_picture, pictures)),
        ledger=_table([_ledger_row(line) for line in (*report.promotions, *report.rejections)]),
        autonomous=html.escape(report.autonomous_data),
        alarms=html.escape(report.value_drop.in_words),
        facts=_table([{"figure": k.replace("_", " "), "value": _number(float(v))} for k, v in _facts(report).items()]),
    )


def _facts(report: Report) -> dict[str, float]:
    steps = {f"steps {name}": float(number) for name, number in report.steps.items()}
    return {**steps, **{f"{name}, s": seconds for name, seconds in report.latency_s.items()}}


def _version_row(version: VersionEvidence) -> dict[str, str]:
    return {
        "version": f"v{version.version}",
        "role": version.role,
        "success [95 %]": f"{version.success_rate:.1%} [{version.success_low:.1%}, {version.success_high:.1%}]",
        "episodes": f"{version.num_episodes} ({version.split} scenes)",
        "per robot-hour": _number(version.throughput_per_robot_hour),
        "steps to success": _number(version.mean_success_steps),
        "helped": f"{version.intervention_share:.1%}" if math.isfinite(version.intervention_share) else "-",
    }


def _ledger_row(line: Mapping[str, Any]) -> dict[str, str]:
    return {
        "event": str(line["event"]),
        "version": f"v{line['policy_version']}",
        "by": str(line["author"]),
        "reason": str(line["reason"]),
    }


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value.is_integer() else f"{value:.2f}"


def _picture(picture: Picture) -> str:
    sheets = "".join(f'<img src="{sheet}" alt="{html.escape(picture.caption)}">' for sheet in picture.sheets)
    caption = f"<figcaption>{html.escape(picture.caption)}</figcaption>"
    return f"<figure class=wide>{caption}{sheets}{picture.touch_svg}</figure>"


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row.values()) + "</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
