"""A person at a terminal, with a scripted device: take, move, label, lose the device."""

import asyncio
from typing import Any

import pytest

from corrections.device import REST, Button, DeviceState, ScriptedDevice
from corrections.drive import Drive, check
from corrections.mapping import MappingConfig
from infra.memory_bus import MemoryBus
from policy.errors import DeviceLost
from policy.schema import ControlMode
from tests.corrections_rig import DEADLINE_S, operator, robot_url, running_gateway, ticking, until


class Hand(ScriptedDevice):
    """A device that a test moves."""

    def __init__(self) -> None:
        super().__init__([])

    def put(self, *buttons: Any, axes: Any = REST) -> None:
        self._states[:] = [DeviceState(axes=axes, buttons=frozenset(buttons))]


def test_a_person_takes_moves_labels_and_leaves() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        screens: list[object] = []
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    hand = Hand()
                    mapping = MappingConfig(dead_zone=0, curve=1)
                    drive = asyncio.create_task(Drive(client, hand, "r1", mapping).run(screens.append))
                    hand.put(Button.TAKE)
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                    hand.put(axes=(1.0, 0, 0, 0, 0, 0))
                    await until(lambda: len(screens) > 2)
                    assert robot.mode is ControlMode.PAUSED, "no motion without the dead-man"
                    hand.put(Button.DEADMAN, axes=(1.0, 0, 0, 0, 0, 0))
                    await until(lambda: robot.history[-1] == (ControlMode.CORRECTING, (0.5, 0.0, 0.0)))
                    hand.put(Button.DEADMAN, Button.FASTER, axes=(1.0, 0, 0, 0, 0, 0))
                    await until(lambda: robot.history[-1] == (ControlMode.CORRECTING, (1.0, 0.0, 0.0)))
                    hand.put(Button.SUCCESS)
                    await client.wait_for(lambda: client.receipt is not None, DEADLINE_S)
                    assert client.receipt is not None
                    assert client.receipt.episode_id == "e1"
                    hand.put(Button.STOP)
                    await until(lambda: robot.mode is ControlMode.STOPPED)
                    await client.clear_stop("r1", "looked")
                    hand.put(Button.HAND_BACK)
                    await until(lambda: robot.mode is ControlMode.AUTONOMOUS)
                    hand.put(Button.LEAVE)
                    async with asyncio.timeout(DEADLINE_S):
                        await drive

    asyncio.run(scenario())


def test_an_unplugged_device_stops_the_motion_and_ends_the_drive() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    hand = Hand()
                    drive = asyncio.create_task(Drive(client, hand, "r1", MappingConfig()).run(lambda screen: None))
                    hand.put(Button.DEADMAN, axes=(1.0, 0, 0, 0, 0, 0))
                    await until(lambda: robot.mode is ControlMode.CORRECTING)
                    hand.close()
                    with pytest.raises(DeviceLost):
                        async with asyncio.timeout(DEADLINE_S):
                            await drive
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                num_ticks = len(robot.history)
                await until(lambda: len(robot.history) > num_ticks + 10)
                assert robot.mode is ControlMode.PAUSED, "nobody handed it back"

    asyncio.run(scenario())


def test_a_device_check_shows_axes_until_it_is_left() -> None:
    import io

    from rich.console import Console

    out = io.StringIO()
    states = [DeviceState(axes=(0.5, -1.0, 0, 0, 0, 0)), DeviceState(buttons=frozenset({Button.LEAVE}))]
    console = Console(file=out, width=80, force_terminal=False)
    asyncio.run(check(ScriptedDevice(states), lambda: False, console))
    assert "leave" in out.getvalue()
