"""How often somebody may guess a password: a few tries, then waits that double.

Counted per name and per address, so that neither one name from many places nor many names from one
place goes faster. A try counts before its password is looked at, so many at once gain nothing; a right
one is taken off again, and forgets the name's failures, not the address's.
"""

import time
from collections.abc import Callable

FREE_TRIES = 5
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 300.0
_FORGET_AFTER_S = 3600.0
_MAX_KEYS = 10_000


class SignInLimit:
    """Failures of names and addresses; used on the server's event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}
        """Number of failures, and when the last one was, by ("name" or "address", which)."""

    def wait_s(self, name: str, address: str) -> float:
        """Seconds to wait before the next try; 0 where none."""
        return max(self._wait_s(key) for key in _keys(name, address))

    def tried(self, name: str, address: str) -> None:
        """A password, or key, that counts as wrong until `succeeded`."""
        now_s = self._clock()
        for key in _keys(name, address):
            count, last_s = self._failures.pop(key, (0, now_s))
            self._failures[key] = (count + 1 if now_s - last_s < _FORGET_AFTER_S else 1), now_s
        while len(self._failures) > _MAX_KEYS:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str, address: str) -> None:
        """The last try was right."""
        self._failures.pop(("name", name), None)
        count, last_s = self._failures.pop(("address", address), (1, 0.0))
        if count > 1:
            self._failures["address", address] = count - 1, last_s

    def _wait_s(self, key: tuple[str, str]) -> float:
        count, last_s = self._failures.get(key, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        wait_s = min(_FIRST_WAIT_S * 2.0 ** min(count - FREE_TRIES, 16), _LONGEST_WAIT_S)
        return max(0.0, last_s + wait_s - self._clock())


def _keys(name: str, address: str) -> tuple[tuple[str, str], ...]:
    # A one-time key names nobody.
    return (("name", name), ("address", address)) if name else (("address", address),)
