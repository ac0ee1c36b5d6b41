"""Who did what on the pages: one `AuditEntry` per deed, on its way to the log without anybody waiting.

What people do to robots (claims, takeovers, stops, labels, marks) the gateway writes down itself; here
are sign-ins, refusals, users, releases and whatever else is asked of the console over HTTP.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping

from console.people.roles import Person
from corrections.record_log import RecordLog
from infra.topics import AUDIT

_LOG = logging.getLogger(__name__)
_MAX_TEXT_CHARS = 2_000
"""A reason is a sentence, not a file."""


class Audit:
    """Writes entries; `say` may be called from any thread."""

    def __init__(self, records: RecordLog, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._records = records
        self._wall_ns = wall_ns

    def say(
        self,
        person: Person,
        action: str,
        subject: str,
        reason: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """`person` did `action` to `subject`; also in the process's own log, should the broker be away."""
        fields = {
            "author": person.name,
            "role": person.role.value,
            "action": action,
            "subject": subject[:_MAX_TEXT_CHARS],
            "reason": reason[:_MAX_TEXT_CHARS],
            "detail": json.dumps(detail or {}, default=str),
        }
        _LOG.info("audit", extra=fields)
        if not self._records.take(AUDIT, time_ns=self._wall_ns(), **fields):
            _LOG.error("the audit's queue is full: the broker is away", extra={"action": action})
