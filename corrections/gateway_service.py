"""The gateway as a process: settings, signals, health, metrics around `gateway.py`."""

import argparse
import asyncio

from corrections import auth
from corrections.gateway import Gateway, GatewayConfig
from corrections.lease import LeaseConfig
from corrections.record_log import RecordLog
from infra import config, connect, home, identity, service
from infra.bus import KafkaConfig
from infra.enrolment import Enrolments
from infra.service import Service
from infra.signing import service_signer
from policy.errors import ConfigError

_POLL_S = 0.5
_HELP_FILE = "gateway.help.json"
"""In the home."""


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting is wrong, a port is in use, or no broker is named.
    """
    gateway_config = config.from_args("gateway", GatewayConfig, args)
    lease_config = config.from_args("lease", LeaseConfig, args)
    kafka = config.from_args("kafka", KafkaConfig, args)
    if not kafka.bootstrap_servers:
        raise ConfigError("the gateway needs kafka.bootstrap_servers for what people say; it may be away, not unnamed")
    place = home.from_args(args)
    held = identity.service(place.path, "gateway")
    log = RecordLog(lambda: connect.bus(kafka, held), signer=service_signer(held))
    with service.from_args("gateway", args) as frame:
        gateway = Gateway(
            gateway_config,
            lease_config,
            log,
            operator_token=auth.operator_token(file=place.gateway_token),
            robot_token=auth.robot_token(file=place.gateway_token),
            roster=Enrolments(place.path).roster,
            metrics=frame.metrics,
            help_file=place.path / _HELP_FILE,
        )
        log.start()
        asyncio.run(_serve(gateway, log, frame))
        log.close()
    return 0


async def _serve(gateway: Gateway, log: RecordLog, frame: Service) -> None:
    async with gateway:
        frame.log.info("listening", extra={"port": gateway.port})
        while not frame.stopping.is_set():
            frame.metrics.set("touchline_gateway_connections", gateway.room.num_robots, role="robot")
            frame.metrics.set("touchline_gateway_connections", gateway.room.num_operators, role="operator")
            frame.metrics.set("touchline_records_waiting", log.num_waiting)
            await asyncio.sleep(_POLL_S)
