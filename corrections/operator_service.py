"""The scripted people as a process: settings, signals, and a new attempt when the gateway is away."""

import argparse
import asyncio

from corrections import auth
from corrections.corrector import QualityConfig
from corrections.operator_client import OperatorConfig
from corrections.scripted_operator import ScriptedConfig, ScriptedOperators
from infra import config, home, service
from infra.backoff import Backoff
from infra.service import Service
from policy.errors import GatewayLost

_POLL_S = 0.2


def run(args: argparse.Namespace) -> int:
    """Help until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting is wrong, or the gateway refuses the token.
    """
    token = auth.operator_token(file=home.from_args(args).gateway_token)
    scripted = config.from_args("scripted", ScriptedConfig, args)
    quality = config.from_args("quality", QualityConfig, args)
    client = config.from_args("operator", OperatorConfig, args)
    with service.from_args(client.operator_id, args) as frame:
        people = ScriptedOperators(scripted, quality, client, token=token)
        asyncio.run(_run(people, frame))
    return 0


async def _run(people: ScriptedOperators, frame: Service) -> None:
    work = asyncio.create_task(_keep_helping(people, frame))
    while not frame.stopping.is_set() and not work.done():
        await asyncio.sleep(_POLL_S)
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        frame.log.info("handed back what was held")


async def _keep_helping(people: ScriptedOperators, frame: Service) -> None:
    backoff = Backoff(max_s=2.0)
    while True:
        try:
            await people.run()
        except GatewayLost as error:
            frame.log.info("waiting for the gateway", extra={"cause": str(error)})
        await asyncio.sleep(backoff.next_s())
