"""One reading of every table that the pages show, from its beginning on, into columns and indexes."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from console.history import episode_table, sampling_index, step_modes, value_index
from console.history.episode_table import EpisodeTable
from console.history.ledger_view import read_ledger
from console.history.people import Helps, RowsByEpisode
from console.history.sampling_index import SamplingIndex
from console.history.snapshot import Snapshot
from console.history.step_modes import StepModeIndex
from console.history.value_digest import Digests, digest
from console.history.value_index import ValueIndex
from infra import topics
from infra.topics import Topic
from policy.errors import TouchlineError
from storage.commits import CommitTimes
from storage.removals import Removals
from storage.tables import Lake
from storage.tail import Tail


class Tables:
    """Follows all of them; what the list of removals names by now does not come in."""

    def __init__(self, lake: Lake, removals: Removals) -> None:
        self._removals = removals
        self.num_removals = len(removals.lines)
        """How many lines of the list this reading knows of; with more, another one must begin."""
        self._episodes, self._modes, self._values = EpisodeTable(), StepModeIndex(), ValueIndex()
        self._samplings = SamplingIndex()
        self._labels, self._marks, self._spans = (RowsByEpisode() for _ in range(3))
        self._helps, self._releases = Helps(), RowsByEpisode("policy_version")
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
            topics.LABELS: self._label,
            topics.MARKS: self._marks.take,
            topics.INTERVENTIONS: self._spans.take,
            topics.HELP_REQUESTS: self._helps.ask,
            topics.HELP_ANSWERS: self._helps.answer,
            topics.RELEASES: self._releases.take,
        }
        self._tails = {topic: Tail(lake, topic, columns.get(topic)) for topic in (*columns, *self._rows)}
        self._has_news, self._is_whole = True, False

    def read(self) -> str:
        """Look once at every table; returns why one cannot be read, in words, or nothing."""
        problem = ""
        for topic, tail in self._tails.items():
            try:
                self._read(topic, tail)
            except TouchlineError as error:
                problem = problem or str(error)
        self._is_whole = self._is_whole or not problem
        return problem

    def snapshot(self) -> Snapshot | None:
        """All of it now; None where nothing came since the last one, and until every table was read."""
        if not (self._has_news and self._is_whole):
            return None
        self._sum_up()
        episodes = self._episodes.frozen()
        found = Snapshot(
            episodes=episodes,
            labels=self._labels.frozen(),
            marks=self._marks.frozen(),
            spans=self._spans.frozen(),
            requests=self._helps.frozen(),
            modes=self._modes.frozen(),
            values=self._values.frozen(),
            samplings=self._samplings.frozen(),
            digests=self._digests,
            ledger=read_ledger(row for own in self._releases.frozen().values() for row in own),
            committed_ns=self._commits.of(np.asarray(episodes.kafka_offset)),
            num_removals=self.num_removals,
        )
        self._has_news = False
        return found

    def _read(self, topic: Topic, tail: Tail) -> None:
        # Rows of small tables may not come twice, so a read that fails half-way must leave nothing; the
        # indexes of the large ones take a row twice without harm.
        has_news = False
        for batch in tail.stream() if topic in (topics.STEPS, topics.VALUES) else tail.read():
            batch = self._removals.cleaned(topic, batch)
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
                self._rows[topic](batch)
        if has_news and topic is topics.EPISODES:
            self._commits.refresh()

    def _label(self, batch: pa.RecordBatch) -> None:
        self._labels.take(batch)
        # Here, for one thread only may enter names, and requests for a page are answered on others.
        self._episodes.names["outcome"].codes(batch.column("outcome"))

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
