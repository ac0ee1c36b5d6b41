"""Follows the lake on one thread and publishes a `Snapshot` whenever something came."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from console.history import episode_table, sampling_index, snapshot, step_modes, value_index
from console.history.episode_table import EpisodeTable
from console.history.ledger_view import read_ledger
from console.history.people import RowsByEpisode
from console.history.sampling_index import SamplingIndex
from console.history.snapshot import Snapshot
from console.history.step_modes import StepModeIndex
from console.history.value_digest import Digests, digest
from console.history.value_index import ValueIndex
from infra import topics
from infra.topics import Topic
from policy.errors import ConfigError, LakeError, TouchlineError
from storage.commits import CommitTimes
from storage.tables import Lake
from storage.tail import Tail

_LOG = logging.getLogger(__name__)
_JOIN_S = 5.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class HistoryConfig:
    """How the console follows the lake."""

    poll_s: float = 1.0
    """Pause between looks at the tables."""
    cache_bytes: int = 128 << 20
    """Steps and pictures of episodes that were opened last."""

    def __post_init__(self) -> None:
        if not self.poll_s > 0 or not self.cache_bytes > 0:
            raise ConfigError("poll_s and cache_bytes must be above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Freshness:
    """How far what is shown can be trusted to be current."""

    as_of_ns: int
    """When every table was last read; 0 before the first time."""
    away: str
    """Why the lake cannot be read now; empty where it can."""


class History:
    """The lake as requests see it; `start` follows it, `refresh` looks once."""

    def __init__(
        self, lake: Lake, *, config: HistoryConfig | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._config, self._now_ns = config or HistoryConfig(), now_ns
        self._episodes, self._modes, self._values = EpisodeTable(), StepModeIndex(), ValueIndex()
        self._samplings = SamplingIndex()
        self._labels, self._marks, self._spans, self._requests = (RowsByEpisode() for _ in range(4))
        self._answers, self._releases = RowsByEpisode("request_id"), RowsByEpisode("policy_version")
        self._commits = CommitTimes(lake, topics.EPISODES)
        self._digests = Digests({}, [])
        self._unsummed: set[str] = set()
        columns: dict[Topic, Sequence[str]] = {
            topics.EPISODES: episode_table.COLUMNS,
            topics.STEPS: step_modes.COLUMNS,
            topics.VALUES: value_index.COLUMNS,
            topics.SAMPLINGS: sampling_index.COLUMNS,
        }
        self._rows = {
            topics.LABELS: self._labels,
            topics.MARKS: self._marks,
            topics.INTERVENTIONS: self._spans,
            topics.HELP_REQUESTS: self._requests,
            topics.HELP_ANSWERS: self._answers,
            topics.RELEASES: self._releases,
        }
        self._tails = {topic: Tail(lake, topic, columns.get(topic)) for topic in (*columns, *self._rows)}
        self._has_news = True
        self._snapshot: Snapshot | None = None
        self.freshness = Freshness(as_of_ns=0, away="")
        """How old the snapshot is, and why."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following; what was read can still be asked for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def snapshot(self) -> Snapshot:
        """What is known now.

        Raises:
            LakeError: nothing was read yet.
        """
        found = self._snapshot
        if found is None:
            raise LakeError(self.freshness.away or "the lake is being read for the first time; try again in a moment")
        return found

    def refresh(self) -> None:
        """Look once at every table; an unreadable lake shows in `freshness`."""
        problem = ""
        for topic, tail in self._tails.items():
            try:
                self._read(topic, tail)
            except TouchlineError as error:
                problem = problem or str(error)
        if problem and problem != self.freshness.away:
            _LOG.warning("the lake cannot be read: %s", problem)
        if self._has_news and not (problem and self._snapshot is None):
            self._publish()
        as_of_ns = self.freshness.as_of_ns if problem else self._now_ns()
        self.freshness = Freshness(as_of_ns=as_of_ns, away=problem)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except Exception as error:  # data that nobody foresaw must show on the pages, not end the thread
                _LOG.exception("the lake's data cannot be shown")
                self.freshness = dataclasses.replace(self.freshness, away=f"the console failed on the data: {error}")
            self._stopping.wait(self._config.poll_s)

    def _read(self, topic: Topic, tail: Tail) -> None:
        # Rows of small tables may not come twice, so a read that fails half-way must leave nothing; the
        # indexes of the large ones take a row twice without harm.
        has_news = False
        for batch in tail.stream() if topic in (topics.STEPS, topics.VALUES) else tail.read():
            has_news = self._has_news = True
            if topic is topics.EPISODES:
                self._unsummed.update(self._episodes.take(batch))
            elif topic is topics.STEPS:
                self._unsummed |= self._modes.take(batch)
            elif topic is topics.VALUES:
                self._unsummed |= self._values.take(batch)
            elif topic is topics.SAMPLINGS:
                self._samplings.take(batch)
            else:
                self._rows[topic].take(batch)
        if has_news and topic is topics.EPISODES:
            self._commits.refresh()

    def _publish(self) -> None:
        self._sum_up()
        episodes = self._episodes.frozen()
        labels, marks, spans = self._labels.frozen(), self._marks.frozen(), self._spans.frozen()
        helps = snapshot.all_help(self._requests.frozen(), self._answers.frozen())
        self._snapshot = Snapshot(
            episodes=episodes,
            judged=snapshot.judge(episodes, labels, marks, helps),
            labels=labels,
            marks=marks,
            spans=spans,
            helps=helps,
            interventions=snapshot.intervention_columns(episodes, spans, helps),
            modes=self._modes.frozen(),
            values=self._values.frozen(),
            samplings=self._samplings.frozen(),
            digests=self._digests,
            ledger=read_ledger(row for own in self._releases.frozen().values() for row in own),
            committed_ns=self._commits.of(np.asarray(episodes.kafka_offset)),
        )
        self._has_news = False

    def _sum_up(self) -> None:
        """Digests of the ended episodes whose values, steps or row came."""
        episodes = self._episodes.frozen()
        changed = {}
        for episode_id in self._unsummed:
            values, row = self._values.get(episode_id), episodes.row(episode_id)
            if values is not None and row is not None:
                changed[row] = digest(
                    values, self._modes.get(episode_id), int(episodes.source[row]), int(episodes.num_steps[row])
                )
        self._unsummed.clear()
        if changed:
            self._digests = Digests({**self._digests.by_row, **changed}, self._values.critics())
