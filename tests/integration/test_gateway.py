"""Robots and people meet over real sockets: takeover, hand-back, refusal, silence, stop."""

import asyncio
import dataclasses
from typing import Any

import pytest

from corrections.intervention import SafetyConfig
from corrections.lease import LeaseConfig
from corrections.protocol import SILENT
from policy.errors import ConfigError, GatewayLost, LeaseRefused
from policy.schema import ControlMode
from tests.corrections_rig import DEADLINE_S, operator, robot_url, running_gateway, ticking, until

BRISK = SafetyConfig(max_command_age_ms=200, hold_after_ms=250, lost_after_ms=800)
BRISK_LEASE = LeaseConfig(lost_after_s=0.8)


async def take_and_drive(client: Any, robot: Any, robot_id: Any = "r1") -> None:
    """Acquire, and keep wishing to move until the robot corrects."""
    await client.wait_for(lambda: robot_id in client.seen, DEADLINE_S)
    await client.acquire(robot_id)
    await until(lambda: robot.mode is ControlMode.PAUSED)
    await keep_driving(client, lambda: robot.mode is ControlMode.CORRECTING)


async def keep_driving(client: Any, condition: Any) -> None:
    def wish_and_check() -> bool:
        client.drive((0.5, -0.5, 0.0), is_deadman_held=True)
        return bool(condition())

    await until(wish_and_check)


def test_a_person_takes_over_moves_the_robot_and_hands_back() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await take_and_drive(client, robot)
                    await keep_driving(client, lambda: robot.history[-1][1] == (0.5, -0.25, 0.0))
                    client.drive((0.5, 0.0, 0.0), is_deadman_held=False)
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                    await client.release()
                    await until(lambda: robot.mode is ControlMode.AUTONOMOUS)
                    assert client.held is None
        moved = [action for mode, action in robot.history if mode is ControlMode.CORRECTING]
        assert moved[0] == (0.0, 0.0, 0.0), "the ramp starts at rest"
        assert all(action == () for mode, action in robot.history if mode is not ControlMode.CORRECTING)

    asyncio.run(scenario())


def test_a_second_operator_is_refused_and_cannot_move_the_robot() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    await take_and_drive(ann, robot)
                    with pytest.raises(LeaseRefused, match="somebody else holds this robot"):
                        await bob.acquire("r1")
                    assert bob.leases["r1"].operator_id == "ann"
                    assert not bob.leases["r1"].is_yours
                    assert ann.held is not None
                    epoch = ann.held.epoch
                    forged = dataclasses.replace(
                        bob._commands.next(ann.held, bob.seen["r1"], bob.clock_ns()), is_deadman_held=True
                    )
                    await bob.send(forged)
                    await bob.wait_for(
                        lambda: bob.last_refusal is not None and bob.last_refusal.request == "command", DEADLINE_S
                    )
                    assert bob.last_refusal is not None
                    assert "you do not hold this robot" in bob.last_refusal.reason
                    assert ann.held.epoch == epoch

    asyncio.run(scenario())


def test_a_silent_operator_is_held_and_then_lost_and_only_a_new_hand_back_resumes() -> None:
    async def scenario() -> None:
        async with running_gateway(lease=BRISK_LEASE) as gateway:
            with ticking(robot_url(gateway), safety=BRISK) as robot:
                async with operator(gateway, "ann") as ann:
                    await take_and_drive(ann, robot)
                    for task in ann._tasks[1:]:  # the person's computer hangs: no commands, no renewals
                        task.cancel()
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                    await until(lambda: robot.mode is ControlMode.LOST)
                    await ann.wait_for(lambda: ann.held is None, DEADLINE_S)
                    assert ann.leases["r1"].end_reason == SILENT
                    num_ticks = len(robot.history)
                    await until(lambda: len(robot.history) > num_ticks + 10)
                    assert {mode for mode, _ in robot.history[num_ticks:]} == {ControlMode.LOST}
                async with operator(gateway, "bob") as bob:
                    await bob.wait_for(lambda: bool(bob.help), DEADLINE_S)
                    assert bob.help[0].robot_id == "r1"
                    assert bob.help[0].severity == "error"
                    await bob.acquire("r1")
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                    await bob.release()
                    await until(lambda: robot.mode is ControlMode.AUTONOMOUS)

    asyncio.run(scenario())


def test_anyone_signed_in_stops_a_robot_that_somebody_else_drives() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    await take_and_drive(ann, robot)
                    await bob.stop("r1", "a hand in the cell")
                    await keep_driving(ann, lambda: robot.mode is ControlMode.STOPPED)
                    stop = robot.link.people("r1").stop
                    assert stop is not None
                    assert stop.author == "bob"
                    await keep_driving(ann, lambda: robot.history[-5:] == [(ControlMode.STOPPED, ())] * 5)
                    await bob.clear_stop("r1", "the hand is out")
                    await keep_driving(ann, lambda: robot.mode is ControlMode.PAUSED)
                    await keep_driving(ann, lambda: robot.history[-5:] == [(ControlMode.PAUSED, ())] * 5)
                    ann.drive((0.0, 0.0, 0.0), is_deadman_held=False)
                    await until(lambda: not robot.state.must_release_deadman)
                    await keep_driving(ann, lambda: robot.mode is ControlMode.CORRECTING)

    asyncio.run(scenario())


def test_clocks_five_seconds_apart_do_no_harm() -> None:
    async def scenario(skew_ns: Any) -> None:
        import time

        async with running_gateway() as gateway:
            safety = SafetyConfig(max_command_age_ms=1_000, hold_after_ms=1_000, lost_after_ms=6_000)
            with ticking(robot_url(gateway), safety=safety) as robot:
                async with operator(gateway, clock_ns=lambda: time.monotonic_ns() + skew_ns) as client:
                    await take_and_drive(client, robot)
                    assert robot.link.drops.get("future", 0) == 0

    asyncio.run(scenario(5_000_000_000))
    asyncio.run(scenario(-5_000_000_000))


def test_a_gateway_that_restarts_leaves_a_held_robot_lost_and_grants_only_newer_epochs() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            port = gateway.port
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await take_and_drive(client, robot)
                    assert client.held is not None
                    epoch = client.held.epoch
                    await gateway.__aexit__()
                    with pytest.raises(GatewayLost):
                        await client.wait_for(lambda: False, DEADLINE_S)
                await until(lambda: robot.mode is ControlMode.PAUSED)
                async with running_gateway(port=port) as second:
                    await until(lambda: robot.mode is ControlMode.LOST)
                    async with operator(second) as client:
                        await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
                        lease = await client.acquire("r1")
                        assert lease.epoch > epoch
                        await client.release()
                        await until(lambda: robot.mode is ControlMode.AUTONOMOUS)

    asyncio.run(scenario())


def test_robots_work_on_without_a_gateway() -> None:
    async def scenario() -> None:
        with ticking("ws://127.0.0.1:9/robot") as robot:
            await until(lambda: len(robot.history) > 20)
            assert {mode for mode, _ in robot.history} == {ControlMode.AUTONOMOUS}
            assert not robot.link.is_up

    asyncio.run(scenario())


def test_the_holder_is_asked_and_gives_or_keeps() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    await take_and_drive(ann, robot)
                    for give in (False, True):
                        request = asyncio.create_task(bob.acquire("r1", ask=True))
                        await ann.wait_for(lambda: ann.asked is not None, DEADLINE_S)
                        assert ann.asked is not None
                        assert ann.asked.operator_id == "bob"
                        await ann.answer(give=give)
                        if give:
                            assert (await request).is_yours
                        else:
                            with pytest.raises(LeaseRefused, match="keeps the robot"):
                                await request
                    await ann.wait_for(lambda: ann.held is None, DEADLINE_S)
                    await ann.acquire("r1", force_reason="bob has left the building")
                    await bob.wait_for(lambda: bob.held is None, DEADLINE_S)

    asyncio.run(scenario())


def test_a_port_in_use_is_refused_with_its_number_and_the_fix() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with pytest.raises(ConfigError, match=rf"port {gateway.port} .* in use"):
                async with running_gateway(port=gateway.port):
                    pass

    asyncio.run(scenario())
