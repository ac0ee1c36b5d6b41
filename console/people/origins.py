"""The addresses under which browsers reach this console; pages of any other address are strangers.

Checked twice: a request's `Host`, against a name that somebody else made point here (DNS rebinding),
and the `Origin` of everything that writes or opens a socket, against pages of other sites.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_ANY = ("0.0.0.0", "::")


class Origins:
    """A fixed set of origins."""

    def __init__(self, origins: Iterable[str]) -> None:
        """`origins`: scheme://host[:port] each."""
        self._origins = frozenset(origin.lower() for origin in origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in self._origins)

    @classmethod
    def of(cls, *, scheme: str, host: str, port: int, more: Iterable[str] = ()) -> "Origins":
        """This machine's own names, the address listened on, and what the configuration adds."""
        names = [*_LOCAL_NAMES, *([] if host in _ANY else [f"[{host}]" if ":" in host else host])]
        is_usual = (scheme, port) in (("http", 80), ("https", 443))
        own = (f"{scheme}://{name}" if is_usual else f"{scheme}://{name}:{port}" for name in names)
        return cls([*own, *more])

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin is ours."""
        return origin.lower() in self._origins

    def allows_host(self, host: str) -> bool:
        """Whether a request's Host header names us."""
        return host.lower() in self._hosts
