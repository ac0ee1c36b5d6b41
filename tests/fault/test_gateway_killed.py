"""A gateway that is killed while a person drives leaves a robot that holds still within its own limits; it moves
again only for somebody who takes it anew from the next gateway, which gives receipts as before."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from corrections.intervention import SafetyConfig
from corrections.operator_client import OperatorClient, OperatorConfig
from infra.ports import LOOPBACK, free_port, is_open
from infra.processes import Launch, Process, running
from policy.errors import GatewayLost
from policy.schema import ControlMode, Outcome
from tests.corrections_rig import RigRobot, ticking, until

DEADLINE_S = 60.0
TOKEN = "secret"
TICK_MS = 20
"""Shortest tick of `RigRobot`."""
SAFETY = SafetyConfig(max_command_age_ms=400, hold_after_ms=500, lost_after_ms=1_500)
"""Wide enough for a person to drive on a busy machine."""


def gateway(home: Path, port: int) -> Launch:
    """A gateway whose broker is away: nobody waits for a log to hold a robot still."""
    environ = {
        "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": f"{LOOPBACK}:{free_port()}",
        "TOUCHLINE_GATEWAY_TOKEN": TOKEN,
        "TOUCHLINE_GATEWAY__PORT": str(port),
    }
    command = (sys.executable, "-m", "corrections", "gateway", "--home", str(home))
    return Launch(name="gateway", command=command, environ=environ, is_ready=lambda: is_open(LOOPBACK, port))


@contextlib.asynccontextmanager
async def person(port: int, name: str) -> AsyncIterator[OperatorClient]:
    """Somebody who sees the robot."""
    config = OperatorConfig(url=f"ws://{LOOPBACK}:{port}/operator", operator_id=name, timeout_s=DEADLINE_S)
    async with OperatorClient(config, token=TOKEN) as client:
        await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
        yield client


async def drive_and_kill(port: int, robot: RigRobot, process: Process) -> tuple[int, int]:
    """Returns the ticks of the robot before the kill, and the epoch of the lease."""

    def moves() -> bool:
        ann.drive((0.5, -0.5, 0.0), is_deadman_held=True)
        return robot.mode is ControlMode.CORRECTING and any(robot.history[-1][1])

    async with person(port, "ann") as ann:
        lease = await ann.acquire("r1")
        await until(moves, DEADLINE_S)
        num_ticks = len(robot.history)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(GatewayLost):
            await push_on(ann)
    return num_ticks, lease.epoch


async def push_on(client: OperatorClient) -> None:
    """As somebody does who has not heard yet."""
    while True:
        client.drive((0.5, -0.5, 0.0), is_deadman_held=True)
        await client.changed(TICK_MS / 1000)


async def label_take_and_hand_back(port: int, robot: RigRobot, epoch: int) -> None:
    async with person(port, "bob") as bob:
        await bob.label("e1", Outcome.FAILURE)
        await bob.wait_for(lambda: bob.receipt is not None, DEADLINE_S)
        assert (await bob.acquire("r1")).epoch > epoch
        await until(lambda: robot.mode is ControlMode.PAUSED, DEADLINE_S)
        await bob.release()
        await until(lambda: robot.mode is ControlMode.AUTONOMOUS, DEADLINE_S)


def test_no_motion_after_the_lost_link_and_a_receipt_afterwards(tmp_path: Path) -> None:
    port = free_port()
    launch = gateway(tmp_path / "home", port)
    with ticking(f"ws://{LOOPBACK}:{port}/robot", safety=SAFETY, token=TOKEN) as robot:
        with running(launch, tmp_path) as process:
            num_ticks, epoch = asyncio.run(drive_and_kill(port, robot, process))
        asyncio.run(until(lambda: robot.mode is ControlMode.LOST, DEADLINE_S))
        after = robot.history[num_ticks:]
        num_moved = sum(any(action) for _, action in after)
        # Ticks may be longer on a busy machine, never shorter: so many fit into the limits at most.
        assert num_moved <= (SAFETY.max_command_age_ms + SAFETY.hold_after_ms) / TICK_MS
        first_held = next(index for index, (mode, _) in enumerate(after) if mode is not ControlMode.CORRECTING)
        assert not any(any(action) for _, action in after[first_held:])
        with running(launch, tmp_path):
            asyncio.run(label_take_and_hand_back(port, robot, epoch))
        assert not any(any(action) for _, action in robot.history[num_ticks + first_held :])
