"""As whom a process logs in to Kafka: as the member that it is, or as the account that the settings name.

Passwords are in no settings file and no flag: a member's is made from its own key, others are in the environment.
"""

import dataclasses
import os
from collections.abc import Mapping

from infra.bus import KafkaConfig
from infra.credentials import Credential
from policy.errors import ConfigError

PASSWORD_VARIABLE = "TOUCHLINE_KAFKA_PASSWORD"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Login:
    """A name and its password."""

    username: str
    password: str = dataclasses.field(repr=False)


def login_of(config: KafkaConfig, held: Credential | None, environ: Mapping[str, str] = os.environ) -> Login | None:
    """The account of a process; None where Kafka asks for none.

    Raises:
        ConfigError: it has no name, or no password; says where both come from.
    """
    if config.security_protocol != "SASL_SSL":
        return None
    username = config.username or (held.name if held else "")
    own = held.kafka_password if held and held.name == username else ""
    password = environ.get(PASSWORD_VARIABLE) or own
    if not username or not password:
        raise ConfigError(
            f"no password for Kafka: set {PASSWORD_VARIABLE} (and kafka.username), "
            "or leave kafka.username empty, so that each member logs in with its own credential",
            username=username,
        )
    return Login(username=username, password=password)
