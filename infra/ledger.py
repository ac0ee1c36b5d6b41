"""The ledger's writing end: every release decision becomes one `Release` on its topic.

The alias in the registry is the truth and moves first; the line follows, as record and as hint. A
line that the broker does not take waits here and goes out before the next one, in order.
"""

import collections
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping

from infra.bus import Producer
from infra.credentials import Credential
from infra.topics import RELEASES
from policy.errors import BusUnavailable
from policy.schema import Release

_log = logging.getLogger(__name__)


class Ledger:
    """Numbers the decisions of one process and sends them; any thread may write."""

    def __init__(self, producer: Producer, *, signatory: Credential | None = None, timeout_s: float = 5.0) -> None:
        """Start.

        Args:
            producer: of the process.
            signatory: who decides here: signs orders and weights; robots follow no unsigned ones.
            timeout_s: how long a line may take.
        """
        self.signatory = signatory
        self._producer = producer
        self._timeout_s = timeout_s
        self._boot_id = uuid.uuid4().hex
        self._seq = 0
        self._waiting: collections.deque[Release] = collections.deque()
        self._lock = threading.RLock()

    def write(
        self,
        event: str,
        *,
        policy_version: str,
        previous_version: str,
        author: str,
        reason: str,
        evidence: Mapping[str, object] | None = None,
        decided_ns: int | None = None,
    ) -> Release:
        """Write one line; see `schema.Release` for the fields. Never raises for a broker that is away.

        `decided_ns` is the line's time, taken before the aliases moved, because a robot may act on them before
        the line is written; None for now.
        """
        with self._lock:
            release = Release(
                boot_id=self._boot_id,
                seq=self._seq,
                time_ns=time.time_ns() if decided_ns is None else decided_ns,
                event=event,
                policy_version=policy_version,
                previous_version=previous_version,
                author=author,
                reason=reason,
                evidence=json.dumps(evidence or {}),
            )
            self._seq += 1
            self._waiting.append(release)
            if self.flush():
                _log.warning("a release is in force, its ledger line waits for the broker", extra={"event": event})
        return release

    def flush(self) -> int:
        """Send what waits, oldest first; returns the number of lines that still wait."""
        with self._lock:
            while self._waiting and self._is_delivered(self._waiting[0]):
                self._waiting.popleft()
            return len(self._waiting)

    def _is_delivered(self, release: Release) -> bool:
        answered = threading.Event()
        errors: list[Exception] = []

        def on_delivery(error: Exception | None) -> None:
            errors.extend([error] if error else [])
            answered.set()

        try:
            self._producer.send(RELEASES, [release], on_delivery=on_delivery)
        except BusUnavailable:
            return False
        # A late acknowledgement makes us send it twice; (boot_id, seq) is stored once.
        return answered.wait(self._timeout_s) and not errors
