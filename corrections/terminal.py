"""`touchline device check` and `touchline drive`: opens a device and connects a person."""

import argparse
import asyncio
import dataclasses
import getpass
import time

from rich.console import Console
from rich.live import Live

from corrections import auth
from corrections.device import InputDevice
from corrections.drive import Drive, check
from corrections.mapping import MappingConfig
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.operator_messages import Watch
from infra import config, home

DEVICES = ("spacemouse", "gamepad", "keyboard")


def open_device(kind: str) -> InputDevice:
    """The device of this kind that is plugged in.

    Raises:
        ConfigError: there is none; the message names the alternatives.
    """
    match kind:
        case "spacemouse":
            from corrections.spacemouse import open_spacemouse

            return open_spacemouse()
        case "gamepad":
            from corrections.gamepad import open_gamepad

            return open_gamepad()
        case _:
            from corrections.keyboard import open_keyboard

            return open_keyboard()


def check_device(args: argparse.Namespace) -> int:
    """Show live axes until Ctrl-C, or for `--seconds`.

    Raises:
        ConfigError: no such device is plugged in.
        DeviceLost: it was unplugged.
    """
    device = open_device(args.device)
    end_s = time.monotonic() + args.seconds if args.seconds else float("inf")
    try:
        asyncio.run(check(device, lambda: time.monotonic() >= end_s))
    except KeyboardInterrupt:
        return 0
    finally:
        device.close()
    return 0


def drive(args: argparse.Namespace) -> int:
    """Drive one robot until the person leaves.

    Raises:
        ConfigError: no such device, or the gateway refuses the token.
        GatewayLost: nobody answers, or the gateway went away.
        DeviceLost: the device was unplugged.
    """
    settings = config.from_args("operator", OperatorConfig, args)
    if settings.operator_id == OperatorConfig.operator_id:
        settings = dataclasses.replace(settings, operator_id=_login_name())
    mapping = config.from_args("mapping", MappingConfig, args)
    token = auth.operator_token(file=home.from_args(args).gateway_token)
    client = OperatorClient(settings, token=token, watch=Watch(is_all=False, robot_ids=(args.robot,)))
    device = open_device(args.device)
    try:
        asyncio.run(_drive(client, device, args.robot, mapping))
    except KeyboardInterrupt:
        return 0
    finally:
        device.close()
    return 0


def _login_name() -> str:
    """Who sits here, for the record of corrections and labels."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # KeyError until Python 3.13: a user without a name
        return OperatorConfig.operator_id


async def _drive(client: OperatorClient, device: InputDevice, robot_id: str, mapping: MappingConfig) -> None:
    async with client:
        with Live(console=Console(), auto_refresh=False) as live:
            await Drive(client, device, robot_id, mapping).run(lambda screen: live.update(screen, refresh=True))
