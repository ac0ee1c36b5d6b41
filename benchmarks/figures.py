"""Figures with their goals: printed by the command that measures them, collected for the table by `all`.

Work on a busy machine swings, so a figure is the median of several repetitions, and its spread their quartiles. Two
ways of doing a thing take turns within one run, and what is quoted is the ratio within each turn.
"""

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

FILE_VARIABLE = "TOUCHLINE_FIGURES"
"""Names the file that `publish` writes beside what it prints; set by `python -m benchmarks all`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread:
    """Median and quartiles of repetitions."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of at least one value."""
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        return cls(median=float(median), low=float(low), high=float(high))

    def __str__(self) -> str:
        return f"{_short(self.median)} [{_short(self.low)}, {_short(self.high)}]"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number; a row of the table."""

    what: str
    value: float
    unit: str = ""
    spread: tuple[float, float] | None = None
    """Quartiles, where it was measured several times."""
    against: str = ""
    """What it is a ratio to, or a difference from."""
    at_most: float | None = None
    """The goal, where less is better."""
    at_least: float | None = None
    """The goal, where more is better."""
    bounded_by: str = ""
    """What keeps it from its goal; shown where it is missed."""

    @classmethod
    def of(
        cls,
        what: str,
        values: Sequence[float],
        *,
        unit: str = "",
        against: str = "",
        at_most: float | None = None,
        at_least: float | None = None,
        bounded_by: str = "",
    ) -> Self:
        """The median of repetitions."""
        spread = Spread.of(values)
        return cls(
            what=what,
            value=spread.median,
            spread=(spread.low, spread.high) if len(values) > 1 else None,
            unit=unit,
            against=against,
            at_most=at_most,
            at_least=at_least,
            bounded_by=bounded_by,
        )

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`, through JSON."""
        return cls(**{**row, "spread": tuple(row["spread"]) if row["spread"] else None})

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        most = math.inf if self.at_most is None else self.at_most
        least = -math.inf if self.at_least is None else self.at_least
        return least <= self.value <= most  # never of a figure that is not a number

    @property
    def measured(self) -> str:
        """Value, unit and spread in words."""
        spread = f" [{_short(self.spread[0])}, {_short(self.spread[1])}]" if self.spread else ""
        return f"{_short(self.value)}{spread}{f' {self.unit}' if self.unit else ''}"

    @property
    def goal(self) -> str:
        """The goal in words; empty where there is none."""
        if self.at_most is not None:
            return f"<= {_short(self.at_most)}"
        return "" if self.at_least is None else f">= {_short(self.at_least)}"

    @property
    def verdict(self) -> str:
        """Met, or missed and by what it is bounded."""
        if self.is_met is None:
            return ""
        if self.is_met:
            return "met"
        return f"missed: {self.bounded_by}" if self.bounded_by else "missed"


def take_turns(ways: Mapping[str, Callable[[], float]], num_turns: int) -> dict[str, list[float]]:
    """What each way gave in each turn; every second turn goes backwards, so that nobody is always first."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(num_turns):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            found[name].append(ways[name]())
    return found


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Turn by turn."""
    return [a / b for a, b in zip(over, under, strict=True)]


def differences(minuend: Sequence[float], subtrahend: Sequence[float]) -> list[float]:
    """Turn by turn."""
    return [a - b for a, b in zip(minuend, subtrahend, strict=True)]


def publish(figures: Sequence[Figure]) -> None:
    """Print the figures, and leave them where `python -m benchmarks all` looks."""
    width = max(len(figure.what) for figure in figures) + 2
    for figure in figures:
        goal = f"   goal {figure.goal}: {figure.verdict}" if figure.goal else ""
        against = f"   against {figure.against}" if figure.against else ""
        print(f"{figure.what:<{width}}{figure.measured}{goal}{against}")
    if file := os.environ.get(FILE_VARIABLE):
        Path(file).write_text(json.dumps([dataclasses.asdict(figure) for figure in figures]))


def read(file: Path) -> list[Figure]:
    """What `publish` left; nothing where it left nothing."""
    if not file.exists():
        return []
    rows = json.loads(file.read_text())
    return [Figure.from_dict(row) for row in rows]


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
