"""Where the console listens and how long people stay signed in."""

import dataclasses
from urllib.parse import urlsplit

from infra import tls
from policy.errors import ConfigError

_HOUR_S = 3600.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConsoleConfig:
    """The web server."""

    fleet: str = ""
    """The fleet's name, shown on every page; empty for the name of its home's folder."""
    host: str = "127.0.0.1"
    """Address to listen on; beyond loopback only with tls_cert and tls_key."""
    port: int = 8780
    """Port of pages and sockets; 0 takes a free one."""
    tls_cert: str = ""
    """PEM file of the certificate chain; empty serves plain http, on loopback only."""
    tls_key: str = ""
    """PEM file of the certificate's key."""
    origins: tuple[str, ...] = ()
    """Further addresses under which browsers reach the console, such as https://touchline.example.org."""
    session_idle_s: float = 8 * _HOUR_S
    """A session from which nothing is asked for this long ends: a shift."""
    session_lifetime_s: float = 24 * _HOUR_S
    """Everybody is signed out after this long, whatever they do."""

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65_536:
            raise ConfigError("console.port must be 0 to 65535", got=self.port)
        if not 0 < self.session_idle_s <= self.session_lifetime_s:
            raise ConfigError(
                "sessions need 0 < session_idle_s <= session_lifetime_s",
                session_idle_s=self.session_idle_s,
                session_lifetime_s=self.session_lifetime_s,
            )
        tls.check_files("console", self.tls_cert, self.tls_key)
        tls.check_bind("console", self.host, is_secure=self.is_secure)
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
                raise ConfigError("console.origins are like https://touchline.example.org, without a path", got=origin)

    @property
    def is_secure(self) -> bool:
        """Whether it speaks https and wss."""
        return bool(self.tls_cert)

    @property
    def scheme(self) -> str:
        """The scheme of our addresses: http or https."""
        return "https" if self.is_secure else "http"
