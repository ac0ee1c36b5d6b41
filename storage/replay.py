"""Replay: complete episodes of one embodiment, decoded once, fresh within moments of their commit.

    steps table    -> staging (encoded, until the episode is whole) -> ring (decoded, memory-mapped)
    episodes table -> which episodes ended, and how many steps they have
    labels table   -> what people said since; the latest wins at the next refresh

`refresh` follows the tables' logs; draws come from a `View` of a `DataPin` and are reproducible from
(pin, seed). Evaluation episodes never enter; what experts demonstrated never gives way. One thread, one process
per directory.
"""

import collections
import logging
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.topics import EPISODES, LABELS, STEPS
from policy.errors import LakeError, SchemaError
from policy.schema import EXPERT_SOURCES, Source
from policy.spec import EmbodimentSpec
from storage.catalogue import Catalogue
from storage.episode_index import EndedEpisode, EpisodeIndex
from storage.frames import StepArrays, decode_steps
from storage.pin import DataPin
from storage.replay_ring import Ring
from storage.staging import Staging
from storage.tables import Lake, sql_text
from storage.tail import Tail, last_offsets
from storage.view import Batch, View

Int64 = NDArray[np.int64]

_LOG = logging.getLogger(__name__)
_STAMP_S = 10.0
"""How often the stamp is saved: a restart decodes again what came since."""
_FILL_SHARE = 0.9
"""Of the capacity, when the ring is filled from a longer table; the rest is room for what comes."""
_SPARE_SHARE = 0.05
"""Of the capacity: free rows below which nothing is read that could not be put anywhere."""
_COLUMNS = (
    "episode_id", "step_index", "source", "spec_id", "time_ns", "operator_id", "control_mode",
    "proposed_action", "executed_action", "state", "tactile", "frames", "command_delay_ms",
)  # fmt: skip


class Replay:
    """What a learner trains on."""

    def __init__(
        self, lake: Lake, directory: Path, spec: EmbodimentSpec, capacity: int = 100_000, *, pin: DataPin | None = None
    ) -> None:
        """Open the ring, with what it holds if that still fits the lake; `refresh` fills it.

        Args:
            lake: whose tables.
            directory: for the memory-mapped files, about `capacity` decoded steps in size.
            spec: whose steps; others are passed over.
            capacity: steps; the oldest episodes give way.
            pin: hold exactly this training set, and nothing newer.

        Raises:
            ConfigError: another process uses the directory.
            SchemaError: the cameras differ in size, or the pin is of another spec.
            LakeError: the tables cannot be opened.
        """
        if pin is not None and pin.spec_id != spec.spec_id:
            raise SchemaError("a pin of another embodiment", pin=pin.spec_id, spec=spec.spec_id)
        self.spec, self._spec_id = spec, spec.spec_id  # a hash: made once, asked for with every episode
        self._pinned = pin
        tables = {topic.name: str(lake.open(topic).metadata().id) for topic in (STEPS, EPISODES)}
        identity = {"tables": tables, "pin": pin.to_json() if pin else ""}
        self._ring = Ring(directory, spec, capacity, identity)
        until = pin.offsets if pin else None
        self._index = EpisodeIndex(lake, until=until)
        self._steps = Tail(
            lake,
            STEPS,
            _COLUMNS,
            offsets=self._ring.resume_offsets,
            until=None if until is None else until.get(STEPS.name, {}),
            where=f"spec_id = {sql_text(spec.spec_id)} AND source <> {sql_text(Source.EVALUATION)}",
        )
        self._catalogue = Catalogue(self._ring, self._index, spec.spec_id)
        self._staging = Staging()
        self._refused: set[str] = set()
        self._view: View | None = None
        self._is_filled = False
        self._stamped_s = time.monotonic()
        self.step_age_s: collections.deque[float] = collections.deque(maxlen=10_000)
        """From a step's action to its arrival here; of steps that came after the first refresh."""
        self.episode_age_s: collections.deque[float] = collections.deque(maxlen=10_000)
        """From an episode's last action to its first possible draw."""

    @property
    def steps(self) -> StepArrays:
        """The ring's arrays; `View.step_rows` and `episodes["start"]` are rows in them."""
        return self._ring.columns

    @property
    def episodes(self) -> NDArray[Any]:
        """EPISODE_DTYPE[E], all complete episodes as of the last refresh."""
        return self.view().episodes

    @property
    def num_refused(self) -> int:
        """Episodes that do not fit the spec or hold numbers that are not finite."""
        return len(self._refused)

    @property
    def num_given_up(self) -> int:
        """Episodes let go because their missing steps did not come."""
        return self._staging.num_given_up

    def refresh(self, *, makes_room: bool = True) -> int:
        """Read what the tables have got since; returns how many episodes became complete.

        Args:
            makes_room: whether the oldest episodes may give way, and views taken before are no longer valid.
                Otherwise no steps are read while the ring is nearly full, nor before it was filled: what a process
                before this one pinned stays.

        Raises:
            LakeError: a table cannot be read; the next refresh carries on.
        """
        if self._index.refresh():
            self._view = None
        self._forget_removed(makes_room)
        if not makes_room and not (self._is_filled and self._has_spare_room()):
            return 0
        if not self._is_filled:
            self._raise_floor()
        num_complete = 0
        for batch in self._steps.stream():
            self._view = None
            self._stage(batch)
            num_complete += self._complete(makes_room)
        num_complete += self._complete(makes_room)  # the episode's own row may be what was missing
        self._is_filled = True
        if time.monotonic() - self._stamped_s > _STAMP_S:
            self.save()
        return num_complete

    def pin(self) -> DataPin:
        """The name of what can be drawn now."""
        return self.view().pin

    def view(
        self,
        pin: DataPin | None = None,
        *,
        sources: Collection[str] = (),
        task_ids: Collection[str] = (),
        policy_versions: Collection[str] = (),
    ) -> View:
        """The complete episodes of a pin, filtered; each empty filter lets everything through.

        Args:
            pin: None for all as of the last refresh.
            sources: values of `policy.schema.Source`.
            task_ids: tasks.
            policy_versions: registry versions under which the episode began.

        Raises:
            LakeError: the pinned set is not here any more, or not yet.
        """
        if self._view is None:
            self._view = self._catalogue.at(self._pinned) if self._pinned else self._newest_view()
        view = self._view if pin is None or pin == self._view.pin else self._catalogue.at(pin)
        return view.where(source=sources, task_id=task_ids, policy_version=policy_versions)

    def gather(self, step_rows: Int64, horizon: int) -> Batch:
        """As `View.gather`, for rows of any complete episode."""
        return self.view().gather(step_rows, horizon)

    def save(self) -> None:
        """Write down what is here: a process that is killed leaves that, else what was here ten seconds before."""
        self._stamped_s = time.monotonic()
        self._ring.resume_offsets = self._staging.resume_offsets(self._steps.offsets)
        self._ring.save_stamp()

    def close(self) -> None:
        """Save, and let another process have the directory."""
        self.save()
        self._ring.release()

    def _newest_view(self) -> View:
        tails = {
            STEPS.name: self._steps,
            EPISODES.name: self._index.episodes_tail,
            LABELS.name: self._index.labels_tail,
        }
        return self._catalogue.now(
            {name: dict(tail.offsets) for name, tail in tails.items()},
            {name: tail.version for name, tail in tails.items()},
        )

    def _forget_removed(self, makes_room: bool) -> None:
        """See to lines of the list of removals: new views lack them at once, the files when no view is in use."""
        removals = self._index.removals
        if not removals.lines or self._ring.num_removals == len(removals.lines):
            return
        for episode_id in [name for name in self._staging if name in removals.episodes]:
            self._staging.drop(episode_id)
        self._view = None
        if makes_room:
            self._ring.forget(removals.episodes, removals.without_name, len(removals.lines))

    def _has_spare_room(self) -> bool:
        return self._ring.has_room(int(self._ring.capacity * _SPARE_SHARE))

    def _raise_floor(self) -> None:
        """Before the first read: pass over episodes that would not fit, rather than decode them first."""
        if self._pinned is not None:
            self._ring.floor = self._pinned.floor
            return
        experts = sum(episode.num_steps for episode in self._index.episodes.values() if self._is_experts(episode))
        num_steps = min(experts, self._ring.capacity // 2)
        for episode in sorted(self._index.episodes.values(), key=lambda e: e.kafka_offset, reverse=True):
            if self._is_experts(episode) or not self._is_wanted(episode):
                continue
            num_steps += episode.num_steps
            if num_steps > self._ring.capacity * _FILL_SHARE and episode.episode_id not in self._ring.entries:
                self._ring.floor = max(self._ring.floor, episode.kafka_offset)
                return

    def _is_wanted(self, episode: EndedEpisode) -> bool:
        return (
            episode.spec_id == self._spec_id
            and episode.source != Source.EVALUATION
            and (episode.kafka_offset > self._ring.floor or self._is_to_keep(episode))
            and episode.episode_id not in self._refused
        )

    def _is_experts(self, episode: EndedEpisode) -> bool:
        return episode.spec_id == self._spec_id and episode.source in EXPERT_SOURCES

    def _is_to_keep(self, episode: EndedEpisode) -> bool:
        """Robots at work would soon push out what an expert showed, which every training rests on."""
        return self._is_experts(episode) and self._ring.can_keep(episode.num_steps)

    def _stage(self, batch: pa.RecordBatch) -> None:
        spec_ids: Any = batch.column("spec_id")
        sources: Any = batch.column("source")
        spec_id, evaluation = pa.scalar(self._spec_id), pa.scalar(str(Source.EVALUATION))
        is_ours: Any = pc.and_(pc.equal(spec_ids, spec_id), pc.not_equal(sources, evaluation))
        batch = batch.filter(is_ours)
        if self._is_filled and batch.num_rows:
            self.step_age_s.extend((time.time_ns() - batch.column("time_ns").to_numpy()) / 1e9)
        episode_ids: Any = batch.column("episode_id")
        for episode_id in pc.unique(episode_ids).to_pylist():
            episode = self._index.episodes.get(episode_id)
            if episode_id in self._index.removals.episodes:
                continue
            if episode_id in self._ring.entries or (episode is not None and not self._is_wanted(episode)):
                continue
            here: Any = pc.equal(episode_ids, episode_id)
            self._staging.add(episode_id, batch.filter(here))

    def _complete(self, makes_room: bool) -> int:
        """Move what is whole from staging to the ring, in the order of the episodes topic."""
        ended = [self._index.episodes[name] for name in self._staging if name in self._index.episodes]
        num_complete = 0
        for episode in sorted(ended, key=lambda e: e.kafka_offset):
            steps = self._staging.whole(episode.episode_id, episode.num_steps)
            if steps is None:
                continue
            is_kept = self._is_to_keep(episode)
            if not makes_room and not self._ring.has_room(episode.num_steps, is_kept=is_kept):
                break
            self._staging.drop(episode.episode_id)
            if self._is_wanted(episode):
                num_complete += self._decode(episode, steps, is_kept=is_kept)
        return num_complete

    def _decode(self, episode: EndedEpisode, steps: pa.Table, *, is_kept: bool) -> int:
        try:
            arrays = decode_steps(steps, self.spec)
            self._ring.append(
                arrays,
                episode_id=episode.episode_id,
                kafka_offset=episode.kafka_offset,
                step_offsets=last_offsets(steps),
                operator_id=next((name for name in steps.column("operator_id").to_pylist() if name), ""),
                is_kept=is_kept,
            )
        except (SchemaError, LakeError) as error:
            self._refused.add(episode.episode_id)
            _LOG.warning("episode refused", extra={"episode_id": episode.episode_id, "reason": str(error)})
            return 0
        if self._is_filled:
            self.episode_age_s.append((time.time_ns() - steps.column("time_ns")[-1].as_py()) / 1e9)
        return 1
