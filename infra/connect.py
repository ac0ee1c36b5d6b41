"""From settings to the real bus and the real registry: who uses one knows neither Kafka nor MLflow.

Their clients are imported in here, when they are first needed, so that --help stays quick.
"""

from infra import tls
from infra.bus import Bus, KafkaConfig
from infra.credentials import Credential
from infra.registry import MlflowConfig, PolicyRegistry
from policy.errors import ConfigError


def bus(config: KafkaConfig, held: Credential | None = None) -> Bus:
    """The bus of a configuration.

    Args:
        config: where it is.
        held: who this process is: its account, where Kafka asks for one.

    Raises:
        ConfigError: no broker is named, one beyond this machine without TLS, or no password is known.
    """
    if not config.bootstrap_servers:
        raise ConfigError(
            "no Kafka broker: start the fleet (touchline up) with the same --home, "
            "or set kafka.bootstrap_servers (TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS)"
        )
    from infra.kafka_bus import KafkaBus
    from infra.kafka_connection import Connection
    from infra.kafka_login import login_of

    return KafkaBus(Connection(config=config, login=login_of(config, held)))


def registry(config: MlflowConfig) -> PolicyRegistry:
    """The registry of a configuration.

    Raises:
        ConfigError: no server is named, or one beyond this machine without TLS.
    """
    if not config.tracking_url:
        raise ConfigError(
            "no MLflow server: start the fleet (touchline up) with the same --home, "
            "or set mlflow.tracking_url (TOUCHLINE_MLFLOW__TRACKING_URL)"
        )
    tls.check_url("mlflow.tracking_url", config.tracking_url)
    from infra.mlflow_registry import MlflowRegistry

    return MlflowRegistry(config)
