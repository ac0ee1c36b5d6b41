"""Critic labels as records: one `Value` per judged step, keyed by the critic's version.

They have a topic and a table of their own and can be recomputed; raw steps are never rewritten.
"""

import logging
from collections.abc import Iterator

import numpy as np

from infra.bus import Producer
from infra.topics import VALUES
from learner.data import Data
from learner.labels import Labels, Pool
from policy.errors import BusUnavailable
from policy.schema import Value

_LOG = logging.getLogger(__name__)
_RECORDS_PER_SEND = 5_000


def send_values(
    producer: Producer, data: Data, labels: Labels, *, critic_version: str, boot_id: str, first_seq: int
) -> int:
    """Hand every step that has a value and a known return to the bus; returns how many numbers that used up."""
    records = list(value_records(data, labels, critic_version=critic_version, boot_id=boot_id, first_seq=first_seq))
    try:
        for first in range(0, len(records), _RECORDS_PER_SEND):
            producer.send(VALUES, records[first : first + _RECORDS_PER_SEND])
    except BusUnavailable as error:
        # They can be recomputed from pin and seed; training does not wait for the broker.
        _LOG.warning("critic labels not sent: %s", error)
    return len(records)


def value_records(data: Data, labels: Labels, *, critic_version: str, boot_id: str, first_seq: int) -> Iterator[Value]:
    """The records, in episode order."""
    experience = data.experience
    episode = experience.episode
    known = np.isfinite(labels.value) & np.isfinite(labels.return_to_go) & np.isfinite(labels.advantage)
    is_positive = labels.is_used & (labels.pool != Pool.AUTONOMOUS_NEGATIVE)
    for seq, step in enumerate(np.flatnonzero(known), start=first_seq):
        yield Value(
            boot_id=boot_id,
            seq=seq,
            critic_version=critic_version,
            episode_id=data.episode_ids[episode[step]],
            step_index=int(step - experience.start[episode[step]]),
            value=float(labels.value[step]),
            return_to_go=float(labels.return_to_go[step]),
            advantage=float(labels.advantage[step]),
            improvement_indicator=bool(is_positive[step]),
        )
