"""A question's figures as SVG files that follow a light or a dark page, from the same findings as its tables."""

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from demo.plots import BLUE, GREEN, INK, ORANGE, VERMILION, svg
from study.cell import Finding
from study.compare import SUCCESS, Comparison, Findings, pool, primary
from study.plan import Question
from study.tables import MEASURES, Group, grouped

_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, INK)
_MARKERS = ("o", "s", "D", "^", "X")
_THEME = "<style>svg{color:#1c2126}@media (prefers-color-scheme:dark){svg{color:#e4e7ea}}</style>"
_ROW_INCHES, _EDGE_INCHES, _WIDE_INCHES = 0.3, 1.3, 8.0

Style = dict[str, Any]


def of_question(question: Question, findings: Findings) -> Iterator[tuple[str, str, str]]:
    """(file name, title, SVG text) of every figure of a question, task by task; none where there is nothing to draw."""
    for task in dict.fromkeys(arm.task for arm in findings):
        own = {arm: finding for arm, finding in findings.items() if arm.task == task}
        for kind in _FIGURES[question.name]:
            drawn = kind(question, own)
            if drawn is not None:
                title, text = drawn
                yield f"{question.name}-{kind.__name__}-{task}.svg", f"{task}: {title}", text


def differences(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Primary comparisons with their intervals, zero in the middle."""
    found = primary(question, findings)
    if not found:
        return None

    def draw(axes: Axes) -> None:
        for y, one in enumerate(reversed(found)):
            apart = one.difference.interval
            style = _style(list(dict.fromkeys(other.theirs for other in found)).index(one.theirs))
            axes.errorbar(apart.estimate, y, xerr=_bars(apart.estimate, apart.low, apart.high), capsize=3, **style)
        axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(found)), [_comparison(one) for one in reversed(found)])
        axes.set_ylim(-0.6, len(found) - 0.4)

    return _drawn("differences with 95 % intervals", draw, num_rows=len(found))


def arms(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Success of every arm with Wilson's interval."""
    groups = grouped(findings, SUCCESS)
    if not groups:
        return None
    names = list(dict.fromkeys(name for _, _, name in groups))

    def draw(axes: Axes) -> None:
        for y, ((_, _, name), group) in enumerate(reversed(groups.items())):
            rate = pool(list(group.values())).success
            bars = _bars(rate.estimate, rate.low, rate.high)
            axes.errorbar(rate.estimate, y, xerr=bars, capsize=3, **_style(names.index(name)))
        axes.set_yticks(range(len(groups)), [_arm(group) for group in reversed(groups)])
        axes.set_ylim(-0.6, len(groups) - 0.4)
        axes.set_xlim(0, 1.02)

    return _drawn("success over held-out scenes, without help", draw, num_rows=len(groups))


def minutes(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Success of fleets over fleet minutes, one line a seed: some end sooner than others."""
    groups = _with_curves(findings)
    if not groups:
        return None

    def draw(axes: Axes) -> None:
        for number, (name, curves) in enumerate(groups.items()):
            for label, curve in zip([f"{name}, {len(curves)} seeds", *[None] * len(curves)], curves, strict=False):
                x = [entry["fleet_minutes"] for entry in curve]
                axes.plot(x, [entry[SUCCESS] for entry in curve], label=label, **_style(number, line="-"))
        axes.axhline(0.9, color=INK, linewidth=0.8, linestyle=":")
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("fleet minutes")

    return _drawn("success over fleet minutes", draw, num_rows=8)


def effort(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Success against what people did, an arm a line; Wilson's interval."""
    groups = grouped(findings, SUCCESS)
    if not groups:
        return None

    def draw(axes: Axes) -> None:
        for number, name in enumerate(dict.fromkeys(name for _, _, name in groups)):
            points = []
            for (_, _, other), group in groups.items():
                if other == name:
                    corrected = np.mean([finding.get("num_correction_steps", 0) for finding in group.values()])
                    points.append((float(corrected), pool(list(group.values())).success))
            points.sort(key=lambda point: point[0])
            rates = [rate for _, rate in points]
            bars = np.array([[rate.estimate - rate.low, rate.high - rate.estimate] for rate in rates]).T
            x, y = [steps for steps, _ in points], [rate.estimate for rate in rates]
            axes.errorbar(x, y, yerr=bars, capsize=3, label=name, **_style(number, line="-"))
        axes.set_xscale("symlog", linthresh=10)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("corrected steps")

    return _drawn("success against human effort", draw, num_rows=8)


def reliability(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Mean realised return in ten groups of rising held-out value, a critic a line; the mean over seeds."""
    measured = {arm: finding for arm, finding in findings.items() if finding.get("calibration")}
    groups = {group: list(found.values()) for group, found in grouped(measured, "calibration").items()}
    if not groups:
        return None

    def draw(axes: Axes) -> None:
        axes.plot([-1, 0], [-1, 0], color=INK, linewidth=0.8, linestyle=":", label="perfect")
        for number, (group, found) in enumerate(groups.items()):
            num_groups = min(len(one["calibration"]) for one in found)
            mean = np.mean([np.array(one["calibration"])[:num_groups, :2] for one in found], axis=0)
            axes.plot(mean[:, 0], mean[:, 1], label=_arm(group), **_style(number, line="-"))
        axes.set_xlabel("predicted value")
        axes.set_ylabel("realised return")

    return _drawn("calibration of critics on episodes that they did not see", draw, num_rows=10)


def rounds(question: Question, findings: Findings) -> tuple[str, str] | None:
    """Success over rounds in a world that changes, beside that of the start; refusals are marked."""
    groups = _with_curves(findings)
    if not groups:
        return None

    def draw(axes: Axes) -> None:
        for number, (name, curves) in enumerate(groups.items()):
            x = [entry["round"] for entry in curves[0]]
            axes.plot(x, _mean(curves, SUCCESS), label=f"{name}, {len(curves)} seeds", **_style(number, line="-"))
        start = _mean(next(iter(groups.values())), "start_success_rate")
        axes.plot(range(1, len(start) + 1), start, color=INK, linestyle="--", label="the start, which never learns")
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("round")

    return _drawn("success while the world changes, mean over seeds", draw, num_rows=8)


_Figure = Callable[[Question, Findings], tuple[str, str] | None]
_FIGURES: Mapping[str, Sequence[_Figure]] = {
    "a": (differences, arms),
    "b": (differences, arms),
    "c": (minutes,),
    "d": (effort, differences),
    "e": (minutes, differences),
    "f": (differences, reliability),
    "g": (rounds,),
}


def _drawn(title: str, draw: Callable[[Axes], None], *, num_rows: int) -> tuple[str, str]:
    text = svg(draw, title, (_WIDE_INCHES, _EDGE_INCHES + _ROW_INCHES * num_rows))
    head, rest = text.split(">", 1)
    return title, f"{head}>{_THEME}{rest}"


def _style(number: int, line: str = "none") -> Style:
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "linestyle": line,
        "markersize": 6,
    }


def _bars(estimate: float, low: float, high: float) -> list[list[float]] | None:
    return None if np.isnan(low) else [[estimate - low], [high - estimate]]


def _with_curves(findings: Findings) -> dict[str, list[list[Finding]]]:
    """Curves of all seeds, by the arm's name."""
    curves: dict[str, list[list[Finding]]] = collections.defaultdict(list)
    for arm, finding in findings.items():
        if finding.get("curve"):
            curves[arm.name].append(finding["curve"])
    return dict(curves)


def _mean(curves: Sequence[Sequence[Finding]], measure: str) -> list[float]:
    return [float(np.mean([entry[measure] for entry in entries])) for entries in zip(*curves, strict=False)]


def _comparison(one: Comparison) -> str:
    of = "" if one.measure == SUCCESS else f"{MEASURES.get(one.measure, one.measure)}, "
    return f"{of}{', '.join([*filter(None, one.setting), f'{one.ours} - {one.theirs}'])}"


def _arm(group: Group) -> str:
    _, setting, name = group
    return ", ".join([*filter(None, setting), name])
