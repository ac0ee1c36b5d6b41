"""Enrolment: the file of public keys that says who belongs to the fleet, and what was done to it.

    add  ->  member in good standing  --rotate-->  new key, the old one for a while longer
                       `-- revoke -->  nothing of it counts any more

`<home>/members.json` is kept by the machine that runs ingest and gateway. It is replaced in one rename
under a lock, so that processes which enrol at the same time lose nothing, and holds no secret.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from infra import credentials, whole_file
from infra.credentials import Credential
from infra.keys import PrivateKey
from infra.roster import EnrolledKey, Member, Role, Roster
from policy.errors import ConfigError

_LOG = logging.getLogger(__name__)
_FILE = "members.json"
_FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the history."""

    time_ns: int
    action: str
    """add, rotate or revoke."""
    name: str
    author: str
    key_id: str
    reason: str


@dataclasses.dataclass(frozen=True)
class _Book:
    members: dict[str, Member]
    history: list[Event]


class Enrolments:
    """The members of one home; any process may read and write it."""

    def __init__(self, home: Path) -> None:
        self._file = home / _FILE
        self._seen: tuple[int, int, int] | None = None
        self._roster = Roster(())

    def roster(self) -> Roster:
        """The members of this moment; the file is read again only when it was replaced.

        Raises:
            ConfigError: the file is damaged, and was so from the start.
        """
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return Roster(())
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            try:
                self._roster = Roster(self._read().members.values())
            except ConfigError:
                if self._seen is None:
                    raise
                _LOG.exception("the members' file cannot be read; those known before go on")
            self._seen = seen
        return self._roster

    def history(self) -> Sequence[Event]:
        """All that was done, oldest first."""
        return self._read().history

    def add(self, name: str, roles: Sequence[Role], *, file: Path, author: str, reason: str = "") -> Credential:
        """Enrol a member, or one that was revoked once more: then nothing that it signed before counts.

        Args:
            name: unique in the fleet.
            roles: what its signature is to stand for.
            file: where its credential is put.
            author: who enrols it.
            reason: why, in words.

        Raises:
            ConfigError: a name that cannot be one, or that is taken.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError("a name is 1 to 64 letters, digits, dots, dashes and underscores", name=name)

        def enrol(book: _Book, key: EnrolledKey, token_sha256: str, now_ns: int) -> Member:
            known = book.members.get(name)
            if known is not None and not known.is_revoked(now_ns):
                raise ConfigError(f"already enrolled; touchline robot rotate {name} makes a new key", name=name)
            return Member(name=name, roles=tuple(roles), keys=(key,), token_sha256=token_sha256)

        return self._issue("add", name, enrol, file, author, reason)

    def rotate(self, name: str, *, overlap_s: float, file: Path, author: str, reason: str = "") -> Credential:
        """Give a member a new key and token; messages that the old key signed count for `overlap_s` more.

        Raises:
            ConfigError: nobody of that name, or revoked.
        """

        def renew(book: _Book, key: EnrolledKey, token_sha256: str, now_ns: int) -> Member:
            member = _standing(book, name, now_ns)
            end_ns = now_ns + int(overlap_s * 1e9)
            older = [
                dataclasses.replace(old, not_after_ns=min(old.not_after_ns or end_ns, end_ns)) for old in member.keys
            ]
            return dataclasses.replace(member, keys=(*older, key), token_sha256=token_sha256)

        return self._issue("rotate", name, renew, file, author, reason)

    def revoke(self, name: str, *, author: str, reason: str, at_ns: int = 0) -> None:
        """Let nothing of a member count from `at_ns` (0 for now) on, whatever it was signed with and when.

        Raises:
            ConfigError: nobody of that name, or revoked before.
        """
        with self._changing() as book:
            now_ns = time.time_ns()
            member = _standing(book, name, now_ns)
            book.members[name] = dataclasses.replace(member, revoked_ns=at_ns or now_ns)
            book.history.append(_event("revoke", name, author, "", reason, now_ns))
            self._write(book)

    def _issue(
        self,
        action: str,
        name: str,
        change: Callable[[_Book, EnrolledKey, str, int], Member],
        file: Path,
        author: str,
        reason: str,
    ) -> Credential:
        private, token = PrivateKey.generate(), secrets.token_urlsafe(16)
        with self._changing() as book:
            now_ns = time.time_ns()
            key = EnrolledKey(public=private.public.text, since_ns=now_ns)
            book.members[name] = change(book, key, token_sha256(token), now_ns)
            book.history.append(_event(action, name, author, private.public.key_id, reason, now_ns))
            services = (member for member in book.members.values() if Role.SERVICE in member.roles)
            credential = Credential(name=name, key=private, token=token, trusted=tuple(services))
            self._write(book)
            credentials.write(file, credential)
            return credential

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_Book]:
        """The book, alone."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._read()
        finally:
            os.close(lock)

    def _write(self, book: _Book) -> None:
        whole_file.write_text(self._file, _to_json(book))

    def _read(self) -> _Book:
        try:
            content: Any = json.loads(self._file.read_text())
            if content["format"] != _FORMAT:
                raise ValueError(f"unknown format {content['format']}")
            members = [Member.from_json(fields) for fields in content["members"]]
            return _Book({member.name: member for member in members}, [Event(**line) for line in content["history"]])
        except FileNotFoundError:
            return _Book({}, [])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                "the file of members is damaged: put a copy back, or delete it and enrol everybody again",
                path=str(self._file),
                cause=str(error)[:200],
            ) from error


def token_sha256(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _to_json(book: _Book) -> str:
    content = {
        "format": _FORMAT,
        "members": [dataclasses.asdict(member) for member in book.members.values()],
        "history": [dataclasses.asdict(event) for event in book.history],
    }
    return json.dumps(content, indent=1) + "\n"


def _standing(book: _Book, name: str, now_ns: int) -> Member:
    member = book.members.get(name)
    if member is None:
        raise ConfigError(f"nobody of that name is enrolled; touchline robot add {name}", name=name)
    if member.is_revoked(now_ns):
        raise ConfigError(f"revoked already; touchline robot add {name} enrols it anew", name=name)
    return member


def _event(action: str, name: str, author: str, key_id: str, reason: str, now_ns: int) -> Event:
    return Event(time_ns=now_ns, action=action, name=name, author=author, key_id=key_id, reason=reason)
