"""What a study is made of: its question, its arms, and how large it is."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from study.cell import Cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arm:
    """One line of a study's table, for one seed."""

    task: str
    seed: int
    name: str
    """What is compared: an algorithm, "base", or a kind of touch."""
    setting: tuple[str, ...]
    """What arms that may be compared have in common; one word for each of the question's columns."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything a cell does."""

    demonstrations: int | None = None
    """Scripted demonstrations of a base; None for as many as its task takes."""
    base_updates: int | None = None
    """Updates of a base; None for the task's own number."""
    episodes: int = 300
    """Rollouts of one collection."""
    updates: int = 800
    """Updates of one candidate, from the base."""
    evaluations: int = 200
    """Held-out scenes for every policy."""
    rounds: int = 9
    """Rounds of a fleet."""
    round_minutes: float = 2.0
    """Fleet minutes of a round."""
    updates_per_minute: int = 300
    """The learner's pace."""
    promotions: int = 20
    """Rounds in which a candidate asks to be promoted, in a world that changes."""
    promotion_episodes: int = 80
    """Rollouts of such a round."""
    promotion_updates: int = 300
    """Updates of such a round."""
    promotion_scenes: int = 100
    """Gate scenes of such a round at most, and held-out scenes after it."""
    settings: int = 99
    """Settings that are asked about, the first so many of the question's."""


MINIATURE = Scale(
    demonstrations=4,
    base_updates=3,
    episodes=6,
    updates=3,
    evaluations=4,
    rounds=3,
    round_minutes=0.1,
    updates_per_minute=20,
    promotions=3,
    promotion_episodes=3,
    promotion_updates=2,
    promotion_scenes=4,
    settings=1,
)
"""Shows that the machinery runs; its figures say nothing."""

Changes = Mapping[str, Mapping[str, Any]]
"""By algorithm: sections of settings that differ from the learner's defaults."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What a study asks, written down before it runs."""

    name: str
    title: str
    """In one line."""
    columns: tuple[str, ...]
    """What the words of an arm's setting are about."""
    comparisons: tuple[tuple[str, str], ...]
    """The primary ones: names of arms, the first minus the second."""
    arms: Callable[[str, int, Scale, Changes], Iterator[tuple[Arm, Cell]]]
    """From task, seed, scale and changes to every arm with the cell that answers it."""
    measures: tuple[str, ...] = ("success_rate",)
    """What is compared: fields of findings; a comparison is made on those that both arms have."""
