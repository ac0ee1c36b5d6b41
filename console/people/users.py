"""The people of this machine: `<home>/users.json`, mode 600, passwords hashed with argon2.

`Identity` and `Directory` are all that the server knows of where people come from: single sign-on is
another class with the same two faces.
"""

import fcntl
import json
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import argon2

from console.people.roles import Person, Role
from infra.whole_file import read_text, write_private
from policy.errors import ConfigError

MAX_NAME_BYTES = 64
"""It also names a file."""
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 1024


class Identity(Protocol):
    """Says who somebody is."""

    def check(self, name: str, password: str) -> Person | None:
        """The person, or None: which of the two was wrong is not told. May take 100 ms."""


class Directory(Protocol):
    """The list of people."""

    def people(self) -> list[Person]:
        """Everybody, by name."""

    def changed_s(self) -> Mapping[str, float]:
        """By name, when somebody was last given a password or a role, seconds since the epoch."""

    def add(self, name: str, password: str, role: Role) -> Person:
        """Add somebody, or give them a new password and role.

        Raises:
            ConfigError: the name or the password will not do.
        """

    def remove(self, name: str) -> str:
        """Take somebody off the list; returns their name as it stood there.

        Raises:
            ConfigError: there is nobody of that name.
        """


class UserFile:
    """Both, on one file that the command line and the server may write at the same time."""

    def __init__(
        self, file: Path, hasher: argon2.PasswordHasher | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`hasher`: how expensive a password is, the library's choice if None; `clock` in seconds since the epoch."""
        self._clock = clock
        self._file = file
        self._hasher = hasher or argon2.PasswordHasher()
        self._one_at_a_time = threading.Lock()
        """A check takes 64 MiB: strangers must not start many at once."""
        self._nobody = ""

    def check(self, name: str, password: str) -> Person | None:
        """The person, or None; takes as long for a name that nobody has."""
        row = self._read().get(_normal(name))
        with self._one_at_a_time:
            self._nobody = self._nobody or self._hasher.hash("nobody's password")
            try:
                self._hasher.verify(row["hash"] if row else self._nobody, password[:MAX_PASSWORD_CHARS])
            except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
                return None
        return Person(name=row["name"], role=Role.of(row["role"])) if row else None

    def people(self) -> list[Person]:
        """Everybody, by name."""
        return [Person(name=row["name"], role=Role.of(row["role"])) for row in self._read().values()]

    def changed_s(self) -> Mapping[str, float]:
        """By name, when somebody was last given a password or a role, seconds since the epoch."""
        return {name: float(row.get("changed_s", 0.0)) for name, row in self._read().items()}

    def add(self, name: str, password: str, role: Role) -> Person:
        """Add somebody, or give them a new password and role.

        Raises:
            ConfigError: the name or the password will not do.
        """
        name = _normal(name)
        _check_name(name)
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise ConfigError(f"a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")
        hashed = self._hasher.hash(password)
        with self._changing() as rows:
            twin = next((other for other in rows if other.casefold() == name.casefold() and other != name), None)
            if twin is not None:
                raise ConfigError(f"the name differs from {twin!r} only in capitals: people would mix them up")
            rows[name] = {"name": name, "role": role.value, "hash": hashed, "changed_s": self._clock()}
        return Person(name=name, role=role)

    def remove(self, name: str) -> str:
        """Take somebody off the list; returns their name as it stood there.

        Raises:
            ConfigError: there is nobody of that name, or it is the last admin.
        """
        name = _normal(name)
        with self._changing() as rows:
            if name not in rows:
                raise ConfigError(f"there is no user {name!r}; there are: {', '.join(rows) or 'none'}")
            is_admin = rows[name]["role"] == Role.ADMIN
            if is_admin and not any(r["role"] == Role.ADMIN for n, r in rows.items() if n != name):
                raise ConfigError(f"{name!r} is the last admin: add another one first")
            del rows[name]
        return name

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Mapping[str, Any]]]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = dict(self._read())
            yield rows
            write_private(self._file, json.dumps([rows[name] for name in sorted(rows)], indent=2) + "\n")

    def _read(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            return {row["name"]: row for row in json.loads(read_text(self._file) or "[]")}
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                "the list of users is damaged; restore it, or delete it and add users again", path=str(self._file)
            ) from error


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())


def _check_name(name: str) -> None:
    if not name.isprintable() or not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise ConfigError(f"a name has 1 to {MAX_NAME_BYTES} bytes of printable characters", got=name[:80])


def users_file(home: Path) -> Path:
    """Where a home keeps its people."""
    return home / "users.json"
