"""Tickets for sockets: a WebSocket cannot carry a CSRF header, so it shows one of these instead.

Good once, for 30 s, and only for the session that asked for it.
"""

import secrets
import time
from collections.abc import Callable

from console.people.sessions import Session

LIFETIME_S = 30.0
_MAX_WAITING = 10_000
"""Tickets that nobody has used yet; beyond it the oldest go."""


class Tickets:
    """Those that wait; used on the server's event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[Session, float]] = {}

    def issue(self, session: Session) -> str:
        """A new one."""
        now_s = self._clock()
        for ticket, (_, end_s) in list(self._waiting.items()):
            if end_s > now_s and len(self._waiting) < _MAX_WAITING:
                break  # oldest first: the rest is younger
            del self._waiting[ticket]
        ticket = secrets.token_urlsafe(24)
        self._waiting[ticket] = session, now_s + LIFETIME_S
        return ticket

    def redeem(self, ticket: str) -> Session | None:
        """Whose it was; None where it is forged, used, or too old."""
        session, end_s = self._waiting.pop(ticket, (None, 0.0))
        return session if self._clock() < end_s else None
