"""How often the learner drew from each episode, for which version, and when a person's steps were first drawn."""

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from console.history.columns import GrowingColumns, Int32, Int64, Names

_NUMBERS = ("num_sampled", "num_corrections_sampled", "first_sampled_ns", "first_correction_sampled_ns")
COLUMNS = ("policy_version", "episode_id", *_NUMBERS)
_NEVER = np.iinfo(np.int64).max


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampled:
    """One training's use of one episode."""

    version: str
    num_sampled: int
    num_corrections_sampled: int
    first_sampled_ns: int


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Samplings:
    """n rows of the samplings table."""

    episodes: Names
    """Texts of the episode codes; may know more than the rows have, as may `versions`."""
    versions: Names
    episode: Int32
    """int32[n], a code, as is version."""
    version: Int32
    num_sampled: Int64
    num_corrections_sampled: Int64
    first_sampled_ns: Int64
    first_correction_sampled_ns: Int64
    """int64[n]; 0 where no person's step was drawn."""

    def of(self, episode_id: str) -> list[Sampled]:
        """What was drawn from one episode, in the order in which the versions were published."""
        return [
            Sampled(
                version=self.versions.texts[self.version[row]],
                num_sampled=int(self.num_sampled[row]),
                num_corrections_sampled=int(self.num_corrections_sampled[row]),
                first_sampled_ns=int(self.first_sampled_ns[row]),
            )
            for row in np.flatnonzero(self.episode == self.episodes.find(episode_id)).tolist()
        ]

    def has_version(self, version: str) -> bool:
        """Whether it is recorded what a version's training drew from."""
        return bool((self.version == self.versions.find(version)).any())

    def first_correction_ns(self, episode_ids: Iterable[str]) -> Int64:
        """int64 per episode, when a person's step in it was first drawn; the largest int64 where none was."""
        codes = np.array([self.episodes.find(episode_id) for episode_id in episode_ids], np.int64)
        first = self._first_by_code
        is_known = (codes >= 0) & (codes < len(first))
        return np.where(is_known, first[np.where(is_known, codes, 0)] if len(first) else _NEVER, _NEVER)

    @functools.cached_property
    def _first_by_code(self) -> Int64:
        first = np.full(int(self.episode.max(initial=-1)) + 1, _NEVER)
        drawn = self.first_correction_sampled_ns > 0
        np.minimum.at(first, self.episode[drawn], self.first_correction_sampled_ns[drawn])
        return first


class SamplingIndex:
    """Takes batches of the samplings table, each row once."""

    def __init__(self) -> None:
        self._episodes, self._versions = Names(), Names()
        self._columns = GrowingColumns({"episode": np.int32, "version": np.int32, **dict.fromkeys(_NUMBERS, np.int64)})

    def take(self, batch: pa.RecordBatch) -> None:
        """Add a batch."""
        self._columns.append(
            {
                "episode": self._episodes.codes(batch.column("episode_id")),
                "version": self._versions.codes(batch.column("policy_version")),
                **{name: batch.column(name).to_numpy(zero_copy_only=False) for name in _NUMBERS},
            }
        )

    def frozen(self) -> Samplings:
        """What was read so far."""
        return Samplings(episodes=self._episodes, versions=self._versions, **self._columns.frozen())
