"""How an episode went, in the end: the latest judgement wins, and the history stays.

The robot's own judgement (simulator, sensor) comes first, as the `Episode` says it; people may relabel
at any time. "Timed out" and "unlabelled" are outcomes of their own, never silently a failure.
"""

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Judgement:
    """One label of an episode, as far as its order among others matters."""

    time_ns: int
    offset: int
    """Its place in the labels topic, which has one partition: decides between labels of one instant."""
    outcome: str = dataclasses.field(compare=False)


def latest(first: str, labels: Iterable[Judgement]) -> str:
    """The outcome that counts: of the latest label in any order of arrival, else the robot's own, `first`."""
    winner = max(labels, default=None)
    return first if winner is None else winner.outcome
