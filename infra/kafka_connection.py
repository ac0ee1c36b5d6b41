"""How each of our Kafka clients connects, and what a refusal means to the person who can mend it."""

import contextlib
import dataclasses
import functools
import ssl
from collections.abc import Iterator
from typing import Any

from kafka.errors import AuthorizationError, KafkaError, OffsetOutOfRangeError

from infra import tls
from infra.bus import KafkaConfig
from infra.kafka_knock import knock
from infra.kafka_login import Login
from infra.ports import is_loopback
from policy.errors import BusError, BusRefused, BusUnavailable, ConfigError


def servers_of(config: KafkaConfig) -> list[tuple[str, int]]:
    """Host and port of every server that the settings name.

    Raises:
        ConfigError: one has no port.
    """
    servers = []
    for server in config.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigError("kafka.bootstrap_servers must be host:port[,host:port...]", got=server)
        servers.append((host.strip("[]"), int(port)))
    return servers


@dataclasses.dataclass(frozen=True, kw_only=True)
class Connection:
    """A cluster, and as whom we log in."""

    config: KafkaConfig
    login: Login | None = None

    def __post_init__(self) -> None:
        strangers = [host for host, _ in servers_of(self.config) if not is_loopback(host)]
        if strangers and self.config.security_protocol == "PLAINTEXT":
            raise ConfigError(
                "Kafka beyond this machine needs kafka.security_protocol SASL_SSL or SSL", host=strangers[0]
            )
        _ = self._tls  # a file without certificates is said now, and not on a thread

    def settings(self, client_id: str) -> dict[str, Any]:
        """What every client of the library is told."""
        config = self.config
        settings: dict[str, Any] = {
            "bootstrap_servers": config.bootstrap_servers.split(","),
            "client_id": f"touchline-{client_id}",
            "request_timeout_ms": int(config.request_timeout_s * 1e3),
            "bootstrap_timeout_ms": int(config.request_timeout_s * 1e3),
            "reconnect_backoff_max_ms": 1000,
            "security_protocol": config.security_protocol,
            "ssl_context": self._tls,
        }
        if self.login is not None:
            settings |= {
                "sasl_mechanism": config.sasl_mechanism,
                "sasl_plain_username": self.login.username,
                "sasl_plain_password": self.login.password,
            }
        return settings

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Name what goes wrong while a client connects.

        Raises:
            BusRefused: TLS, the login or an ACL is in the way.
            BusUnavailable: nobody answers.
        """
        if self.login is not None:
            self._knock()  # the client itself would try for long, and could not say why
        try:
            yield
        except KafkaError as error:
            self._knock()
            raise self.named(error) from error

    @contextlib.contextmanager
    def translated(self, topic: str) -> Iterator[None]:
        """Name what goes wrong with a client that is connected."""
        try:
            yield
        except KafkaError as error:
            raise self.named(error, topic) from error

    def named(self, error: KafkaError, topic: str = "") -> BusError:
        """One of our errors for one of the library's."""
        if isinstance(error, OffsetOutOfRangeError):
            return BusError("an offset is not kept", topic=topic, cause=str(error))
        servers = self.config.bootstrap_servers
        unavailable = BusUnavailable("Kafka does not answer", bootstrap_servers=servers, cause=str(error))
        return self.refusal(error, topic) or unavailable

    def refusal(self, error: Exception, topic: str = "") -> BusRefused | None:
        """What a person has to mend at the broker; None where it is not that."""
        # The library wraps one such refusal in an error of no type: what tells it is its name.
        if not isinstance(error, AuthorizationError) and "AuthorizationFailed" not in str(error):
            return None
        return BusRefused(
            "Kafka's ACLs refuse this: touchline acl render prints those that a member needs",
            username=self.login.username if self.login else "",
            topic=topic,
            cause=str(error),
        )

    def missing(self, topic: str) -> BusUnavailable:
        """For a topic of which the broker knows no partitions; it says the same of one that we may not see."""
        if self.login is None:
            return BusUnavailable("the topic does not exist", topic=topic)
        return BusRefused(
            "the topic does not exist, or Kafka's ACLs hide it: touchline acl render prints those that a member needs",
            username=self.login.username,
            topic=topic,
        )

    def _knock(self) -> None:
        for host, port in servers_of(self.config):
            knock(host, port, self._tls, self.login, self.config.sasl_mechanism)

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext | None:
        if self.config.security_protocol == "PLAINTEXT":
            return None
        return tls.client_context(self.config.ca_file)
