"""Who is signed in: 256 random bits in a cookie, everything else here.

The server keeps only the cookie's hash, so that a copied file signs nobody in; random bits of that
length need no signature. Sessions survive a restart of the console in `<home>/console/sessions.json`
(mode 600) and end when they are idle, too old, or when their person is removed, or has another role or password.
"""

import dataclasses
import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from console.people.roles import Person, Role
from infra.whole_file import read_text, write_private

_LOG = logging.getLogger(__name__)
_MAX_SESSIONS = 10_000


@dataclasses.dataclass(kw_only=True)
class Session:
    """One signed-in browser."""

    person: Person
    csrf: str
    """The word that every writing request must repeat."""
    started_s: float
    seen_s: float
    """When the person last did something."""
    is_listed: bool
    """Whether the person is in the list of users; whoever came by the one-time link is not."""
    num_sockets: int = 0
    """Open now."""
    is_over: bool = False
    """Set once; whoever holds on to the session, such as a socket, looks at it."""


class Sessions:
    """All sessions; any thread may ask."""

    def __init__(
        self, *, idle_s: float, lifetime_s: float, file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`file` keeps them over a restart; `clock` in seconds since the epoch."""
        self._idle_s, self._lifetime_s = idle_s, lifetime_s
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = self._load()

    def start(self, person: Person, *, is_listed: bool = True) -> tuple[str, Session]:
        """Sign somebody in; returns the cookie's value and the session."""
        cookie = secrets.token_urlsafe(32)
        now_s = self._clock()
        csrf = secrets.token_urlsafe(32)
        session = Session(person=person, csrf=csrf, started_s=now_s, seen_s=now_s, is_listed=is_listed)
        with self._lock:
            self._sweep()
            while len(self._sessions) >= _MAX_SESSIONS:
                self._sessions.pop(next(iter(self._sessions))).is_over = True
            self._sessions[_key(cookie)] = session
            self._save()
        return cookie, session

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie, which counts as something done; None where there is none."""
        with self._lock:
            session = self._sessions.get(_key(cookie))
        if session is None or not self.is_alive(session):
            return None
        self.touch(session)
        return session

    def touch(self, session: Session) -> None:
        """The person did something."""
        session.seen_s = self._clock()

    def is_alive(self, session: Session) -> bool:
        """Whether the session still counts; a socket asks now and then."""
        session.is_over = session.is_over or self.left_s(session) <= 0
        return not session.is_over

    def left_s(self, session: Session) -> float:
        """Seconds until it ends if nothing more is done."""
        return min(session.seen_s + self._idle_s, session.started_s + self._lifetime_s) - self._clock()

    def end(self, session: Session) -> None:
        """Sign one browser out."""
        session.is_over = True
        with self._lock:
            self._sweep()
            self._save()

    def end_all(self, name: str) -> None:
        """Sign somebody out everywhere: they were removed, or may do something else now."""
        with self._lock:
            for session in self._sessions.values():
                session.is_over = session.is_over or session.person.name == name
            self._sweep()
            self._save()

    def keep(self, people: Iterable[Person], changed_s: Mapping[str, float]) -> None:
        """Sign out whoever is no longer in the list, or has another role or password there since.

        The command line changes it too. `changed_s`: by name, when, seconds since the epoch.
        """
        known = set(people)
        with self._lock:
            gone = [
                session
                for session in self._sessions.values()
                if session.is_listed
                and (session.person not in known or session.started_s < changed_s.get(session.person.name, 0.0))
            ]
            for session in gone:
                session.is_over = True
            if gone:
                self._sweep()
                self._save()

    def close(self) -> None:
        """Keep when everybody was last seen."""
        with self._lock:
            self._sweep()
            self._save()

    def _sweep(self) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if self.is_alive(session)}

    def _load(self) -> dict[str, Session]:
        text = read_text(self._file) if self._file is not None else ""
        try:
            return {row.pop("key"): _session(row) for row in json.loads(text or "[]")}
        except (ValueError, TypeError, KeyError, AttributeError):
            _LOG.warning("the sessions of before cannot be read: everybody signs in again")
            return {}

    def _save(self) -> None:
        if self._file is None:
            return
        rows = [
            {
                "key": key,
                "name": session.person.name,
                "role": session.person.role,
                "csrf": session.csrf,
                "started_s": session.started_s,
                "seen_s": session.seen_s,
                "is_listed": session.is_listed,
            }
            for key, session in self._sessions.items()
        ]
        write_private(self._file, json.dumps(rows))


def _session(row: dict[str, Any]) -> Session:
    return Session(person=Person(name=row.pop("name"), role=Role.of(row.pop("role"))), **row)


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
