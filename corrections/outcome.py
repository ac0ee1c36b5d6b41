"""How an episode went, in the end: the latest judgement wins, and the history stays.

The robot's own judgement (simulator, sensor) comes first, as the `Episode` says it; people may relabel
at any time. "Timed out" and "unlabelled" are outcomes of their own, never silently a failure.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from policy.schema import Episode, Label, Outcome


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judgement:
    """The outcome of one episode and who said so."""

    outcome: Outcome
    reason: str
    author: str
    history: Sequence[Label]
    """All labels in order of time, the winning one last; empty where nobody relabelled."""


def histories(labels: Iterable[Label]) -> Mapping[str, Sequence[Label]]:
    """Labels by episode in order of time; the same label delivered twice counts once.

    Labels of the same instant are ordered by (boot_id, seq), so that every reader agrees.
    """
    unique = {(label.boot_id, label.seq): label for label in labels}
    result: dict[str, list[Label]] = {}
    for label in sorted(unique.values(), key=lambda label: (label.time_ns, label.boot_id, label.seq)):
        result.setdefault(label.episode_id, []).append(label)
    return result


def judge(episode: Episode, labels: Iterable[Label]) -> Judgement:
    """The judgement that counts for an episode, among `labels` of any episodes."""
    history = histories(labels).get(episode.episode_id, ())
    if not history:
        return Judgement(
            outcome=Outcome(episode.outcome),
            reason=episode.outcome_reason,
            author=episode.outcome_author,
            history=(),
        )
    latest = history[-1]
    return Judgement(
        outcome=Outcome(latest.outcome), reason=latest.reason, author=latest.author, history=tuple(history)
    )
