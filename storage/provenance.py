"""Who really sent a message: the check between the bus and the table, before a byte of it is decoded.

    signature -> over these bytes, on this topic, by an enrolled member who may write this topic
    records   -> of the robot that signed them, under a boot id of its own

The second matters because (boot_id, seq) is what is stored once: with another robot's boot id, a robot could make
ingest take that robot's true steps for repeats.
"""

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infra.bus import Headers
from infra.enrolment import Enrolments
from infra.roster import Member, Role
from infra.signing import SIGNATURE_HEADER, message_statement, stamp_of, writers_of
from infra.topics import Topic
from policy.errors import SignatureRefused


class Provenance:
    """Judges messages by the enrolments of this moment; several threads may ask."""

    def __init__(
        self,
        enrolments: Enrolments,
        *,
        accept_unsigned: bool = False,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._enrolments, self._accept_unsigned, self._clock_ns = enrolments, accept_unsigned, clock_ns

    def signer_of(self, topic: Topic, headers: Headers, value: bytes) -> Member | None:
        """The member who sent a message; None for an unsigned one where those are accepted.

        Raises:
            SignatureRefused: unsigned, altered, or of somebody who may not write the topic, and why.
        """
        if self._accept_unsigned and SIGNATURE_HEADER not in headers:
            return None
        stamp = stamp_of(headers)
        statement = message_statement(topic, stamp.signer, value)
        return self._enrolments.roster().verify(stamp, statement, writers_of(topic), self._clock_ns())

    @staticmethod
    def check(signer: Member | None, batch: pa.RecordBatch) -> None:
        """Refuse records that are not the signer's own; a service may write of any robot.

        Raises:
            SignatureRefused: a record of another robot, or under another's boot id.
        """
        if signer is None or Role.ROBOT not in signer.roles:
            return
        robots, boots = (_unique(batch, name) for name in ("robot_id", "boot_id"))
        if robots != [signer.name]:
            raise SignatureRefused("records of another robot", signer=signer.name, robot_ids=robots[:3])
        if any(boot.rpartition("-")[0] != signer.name for boot in boots):
            raise SignatureRefused("a boot id that is not the robot's: NAME-...", signer=signer.name, boots=boots[:3])


def _unique(batch: pa.RecordBatch, name: str) -> list[str]:
    column: Any = batch.column(name)
    found: list[str] = pc.unique(column).to_pylist()
    return found
