"""Follows the lake's small tables, so that every figure on screen is one that the lake holds."""

from typing import Any

from infra.topics import EPISODES, HELP_REQUESTS, INTERVENTIONS, LABELS, RELEASES, Topic
from policy.errors import LakeError
from policy.schema import Outcome, SceneSplit, Source
from policy.statistics import Interval, wilson_interval
from storage.tables import Lake
from storage.tail import Tail

_TOPICS = (EPISODES, INTERVENTIONS, LABELS, RELEASES, HELP_REQUESTS)
_DECISIONS = ("promote", "reject")


class Watch:
    """Rows of the episodes, interventions, labels, releases and help requests tables so far."""

    def __init__(self, lake: Lake) -> None:
        self._tails = {topic: Tail(lake, topic) for topic in _TOPICS}
        self._rows: dict[Topic, list[dict[str, Any]]] = {topic: [] for topic in _TOPICS}

    def refresh(self) -> None:
        """Read what came since; a table that cannot be read now is read the next time."""
        for topic, tail in self._tails.items():
            try:
                for batch in tail.read():
                    self._rows[topic] += batch.to_pylist()
            except LakeError:
                continue

    @property
    def episodes(self) -> list[dict[str, Any]]:
        """Rows of the episodes table."""
        return self._rows[EPISODES]

    @property
    def interventions(self) -> list[dict[str, Any]]:
        """Rows of the interventions table."""
        return self._rows[INTERVENTIONS]

    @property
    def labels(self) -> list[dict[str, Any]]:
        """Rows of the labels table."""
        return self._rows[LABELS]

    @property
    def help_requests(self) -> list[dict[str, Any]]:
        """Rows of the help requests table."""
        return self._rows[HELP_REQUESTS]

    @property
    def releases(self) -> list[dict[str, Any]]:
        """The ledger in order of time."""
        return sorted(self._rows[RELEASES], key=lambda row: row["time_ns"])

    @property
    def num_decisions(self) -> int:
        """Candidates that were promoted or rejected."""
        return sum(row["event"] in _DECISIONS for row in self._rows[RELEASES])

    @property
    def num_correction_steps(self) -> int:
        """Steps that people executed."""
        return sum(row["num_correction_steps"] for row in self.episodes)

    def num_steps(self, source: Source) -> int:
        """Steps of ended episodes from one source."""
        return sum(row["num_steps"] for row in self.episodes if row["source"] == source)

    def success(self, version: str, split: SceneSplit) -> tuple[Interval, int]:
        """Success rate of a version on a split's scenes without help, and from how many episodes."""
        outcomes = [
            row["outcome"] == Outcome.SUCCESS
            for row in self.episodes
            if row["policy_version"] == version
            and row["source"] == Source.EVALUATION
            and row["scene_seed"] in split.value
        ]
        return wilson_interval(sum(outcomes), len(outcomes)), len(outcomes)
