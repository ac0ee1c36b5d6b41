"""Nothing lost, nothing doubled: what senders counted against what the table holds."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from infra.topics import STEPS, Topic
from storage.tables import Lake


@dataclasses.dataclass(frozen=True, kw_only=True)
class Audit:
    """The balance over some boots."""

    num_sent: int
    """Records that the senders say were acknowledged."""
    num_in_lake: int
    """Different records of these boots in the table."""
    num_lost: int
    """Acknowledged and not in the table."""
    num_doubled: int
    """Rows beyond the first of the same record."""
    num_unannounced: int
    """In the table, though the sender never heard so: it may have been killed before it could."""

    @property
    def is_exact(self) -> bool:
        """No record lost, none doubled."""
        return self.num_lost == 0 and self.num_doubled == 0


def audit(lake: Lake, sent: Mapping[str, int], topic: Topic = STEPS) -> Audit:
    """Compare per boot how many records were acknowledged with how many different ones are stored.

    Args:
        lake: where they should be.
        sent: acknowledged records per boot_id; records that the sender gave up are not in it.
        topic: whose table.

    Raises:
        LakeError: the table cannot be read.
    """
    rows = lake.read(topic, ["boot_id", "seq"])
    boot_ids, seqs = rows.column("boot_id").to_numpy(), rows.column("seq").to_numpy()
    num_in_lake = num_lost = num_doubled = num_unannounced = 0
    for boot_id, num_sent in sent.items():
        stored = seqs[boot_ids == boot_id]
        num_different = len(np.unique(stored))
        num_in_lake += num_different
        num_doubled += len(stored) - num_different
        num_lost += max(0, num_sent - num_different)
        num_unannounced += max(0, num_different - num_sent)
    return Audit(
        num_sent=sum(sent.values()),
        num_in_lake=num_in_lake,
        num_lost=num_lost,
        num_doubled=num_doubled,
        num_unannounced=num_unannounced,
    )
