"""How often training drew from each episode, and when first: what became of a correction, told to those who gave it.

Counted with every update, kept in the train state, and sent as `Sampling` records when the version is
published. They go to a table and not into `training.json`: a page asks for one episode over all versions, and
robots fetch a checkpoint's files.
"""

import dataclasses
import logging
from collections.abc import Iterator, Sequence

import numpy as np

from infra.bus import Producer
from infra.topics import SAMPLINGS
from learner.experience import Experience, Int64
from policy.errors import BusUnavailable
from policy.schema import Sampling

_LOG = logging.getLogger(__name__)
_RECORDS_PER_SEND = 2_000
_NOBODY = np.empty(0, np.int64)


@dataclasses.dataclass(kw_only=True, eq=False)
class SampleCounts:
    """Of E episodes, in the experience's order; empty until the first update."""

    num_sampled: Int64 = dataclasses.field(default_factory=_NOBODY.copy)
    """int64[E], training samples that began in each."""
    num_corrections_sampled: Int64 = dataclasses.field(default_factory=_NOBODY.copy)
    """int64[E], those that began at a person's step."""
    first_sampled_ns: Int64 = dataclasses.field(default_factory=_NOBODY.copy)
    """int64[E], wall time of the first; 0 where there is none."""
    first_correction_sampled_ns: Int64 = dataclasses.field(default_factory=_NOBODY.copy)
    """int64[E], of the first at a person's step; 0 where there is none."""

    def add(self, experience: Experience, steps: Int64, now_ns: int) -> None:
        """Count one batch: int64[B], steps of the experience."""
        if not len(self.num_sampled):
            for name in COLUMNS:
                setattr(self, name, np.zeros(len(experience.start), np.int64))
        episode = np.searchsorted(experience.start, steps, side="right") - 1
        corrected = episode[experience.is_correction[steps]]
        _count(self.num_sampled, self.first_sampled_ns, episode, now_ns)
        _count(self.num_corrections_sampled, self.first_correction_sampled_ns, corrected, now_ns)


COLUMNS = tuple(field.name for field in dataclasses.fields(SampleCounts))


def _count(number: Int64, first_ns: Int64, episode: Int64, now_ns: int) -> None:
    np.add.at(number, episode, 1)
    first_ns[episode[first_ns[episode] == 0]] = now_ns


def send(
    producer: Producer, counts: SampleCounts, episode_ids: Sequence[str], *, policy_version: str, train_id: str
) -> None:
    """Hand the counts to the bus; a broker that takes nothing now is a warning, and the version stays published."""
    records = list(sampling_records(counts, episode_ids, policy_version=policy_version, train_id=train_id))
    try:
        for first in range(0, len(records), _RECORDS_PER_SEND):
            producer.send(SAMPLINGS, records[first : first + _RECORDS_PER_SEND])
    except BusUnavailable as error:
        _LOG.warning("how often episodes were sampled is not recorded: %s", error)


def sampling_records(
    counts: SampleCounts, episode_ids: Sequence[str], *, policy_version: str, train_id: str
) -> Iterator[Sampling]:
    """One record for each episode that was drawn from, numbered by the training itself."""
    for seq, episode in enumerate(np.flatnonzero(counts.num_sampled).tolist()):
        yield Sampling(
            boot_id=f"train-{train_id}",
            seq=seq,
            policy_version=policy_version,
            episode_id=episode_ids[episode],
            **{name: int(getattr(counts, name)[episode]) for name in COLUMNS},
        )
