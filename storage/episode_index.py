"""Every ended episode and what people said of it, followed from the episodes and labels tables.

Small enough to hold whole: the light half of replay, and what judges and reports count from.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from infra.topics import EPISODES, LABELS
from policy.outcome import Judgement, latest
from storage.removals import Removals
from storage.tables import OFFSET_COLUMN, Lake
from storage.tail import Tail


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndedEpisode:
    """One row of the episodes table, as far as anybody here asks."""

    episode_id: str
    spec_id: str
    robot_id: str
    boot_id: str
    source: str
    scene_seed: int
    task_id: str
    instruction: str
    policy_version: str
    release_role: str
    started_ns: int
    ended_ns: int
    num_steps: int
    num_correction_steps: int
    num_interventions: int
    control_rate_hz: float
    outcome: str
    """As first judged; `EpisodeIndex.outcome` knows the latest."""
    outcome_reason: str
    kafka_offset: int
    """Its place in the episodes topic, which has one partition: the order of all episodes."""


class EpisodeIndex:
    """Follows episodes and labels; `refresh` before you ask."""

    def __init__(self, lake: Lake, *, until: Mapping[str, Mapping[int, int]] | None = None) -> None:
        """Prepare to read.

        Args:
            lake: where the tables are.
            until: last wanted offsets per topic, for a set as it was; None for no end.
        """
        columns = [field.name for field in dataclasses.fields(EndedEpisode) if field.name != OFFSET_COLUMN]
        label_columns = ["episode_id", "time_ns", "outcome"]
        ends = {topic: None if until is None else until.get(topic.name, {}) for topic in (EPISODES, LABELS)}
        self.episodes_tail = Tail(lake, EPISODES, columns, until=ends[EPISODES])
        self.labels_tail = Tail(lake, LABELS, label_columns, until=ends[LABELS])
        self.removals = Removals(lake)
        """What must be forgotten."""
        self._judgements: dict[str, list[Judgement]] = {}
        self.episodes: dict[str, EndedEpisode] = {}
        """Ended episodes by id, in the order in which they were read."""

    def refresh(self) -> int:
        """Read what came since; returns how many rows came, or went because they were erased.

        Raises:
            LakeError: a table cannot be read; the next refresh carries on.
        """
        num_rows = self._forget() if self.removals.refresh() else 0
        for batch in self.episodes_tail.read():
            rows: list[dict[str, Any]] = batch.to_pylist()
            for row in rows:
                row.pop("kafka_partition")
                if row["episode_id"] not in self.removals.episodes:
                    self.episodes.setdefault(row["episode_id"], EndedEpisode(**row))
            num_rows += len(rows)
        for batch in self.labels_tail.read():
            for row in batch.to_pylist():
                judgement = Judgement(time_ns=row["time_ns"], offset=row[OFFSET_COLUMN], outcome=row["outcome"])
                self._judgements.setdefault(row["episode_id"], []).append(judgement)
                num_rows += 1
        return num_rows

    def outcome(self, episode_id: str, *, until: Mapping[int, int] | None = None) -> str:
        """The latest label's outcome, else the one the robot recorded.

        Args:
            episode_id: an ended episode.
            until: last label offset that counts, per partition; None for all.

        Raises:
            KeyError: the episode has not ended, as far as was read.
        """
        last = None if until is None else max(until.values(), default=-1)
        counted = [j for j in self._judgements.get(episode_id, ()) if last is None or j.offset <= last]
        return latest(self.episodes[episode_id].outcome, counted)

    def _forget(self) -> int:
        gone = [name for name in self.episodes if name in self.removals.episodes]
        for name in gone:
            del self.episodes[name]
            self._judgements.pop(name, None)
        return len(gone)
