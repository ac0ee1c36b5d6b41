"""Bad input, strangers and a missing broker: a clear answer, and robots never notice."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from corrections import auth, codec, frames, protocol
from corrections import operator_messages as messages
from corrections.operator_messages import Watch
from infra import identity
from infra.enrolment import Enrolments
from infra.memory_bus import MemoryBus
from infra.topics import LABELS
from policy.errors import ConfigError
from policy.schema import ControlMode, Outcome
from tests.corrections_rig import DEADLINE_S, SPEC, logged, operator, robot_url, running_gateway, ticking, until


def hello(name: Any = "mallory") -> Any:
    return codec.encode(messages.OperatorHello(operator_id=name))


async def refusal(socket: Any) -> Any:
    """The next refusal, past everything else that the gateway says."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            fields = json.loads(await socket.recv())
            if fields["type"] == "refused":
                return fields


async def closing_code(socket: Any, text: Any = "") -> Any:
    """Say something, and return the code with which the gateway hangs up."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            if text:
                await socket.send(text)
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


def test_malformed_and_oversized_messages_get_an_answer_that_names_the_mistake() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                await until(lambda: gateway.room.num_robots == 1)
                url = f"ws://127.0.0.1:{gateway.port}/operator"
                async with connect(url) as socket:
                    await socket.send(hello())
                    for text, complaint in (
                        ("{", "not JSON"),
                        (b"\x00", "binary"),
                        ('{"type":"acquire"}', "missing"),
                        ('{"type":"acquire","robot_id":"nobody"}', "no such robot"),
                        ('{"type":"claim","request_id":"nothing"}', "no such request is open"),
                        ('{"type":"answer_help","request_id":"nothing","answer":"go on"}', "no such request is open"),
                        ('{"type":"mark","episode_id":"e","step_index":-9}', "step_index is -1 or more"),
                        ('{"type":"label","episode_id":"e","outcome":"success","progress":9}', "progress is 1 to 5"),
                        (
                            '{"type":"raise_help","robot_id":"r1","episode_id":"e1","kind":"point","trigger":"x",'
                            '"reason":""}',
                            "services",
                        ),
                        ('{"type":"operator_hello","operator_id":"x"}', "not now"),
                        (json.dumps({"type": "stop", "robot_id": "r1", "reason": "x" * 17_000}), "too long"),
                        ('{"type":"instruct","robot_id":"nobody","instruction":"x"}', "no such robot"),
                        ('{"type":"acquire","robot_id":"r1","force":true}', "somebody|needs a reason"),
                    ):
                        await socket.send(text)
                        answer = (await refusal(socket))["reason"]
                        assert any(part in answer for part in complaint.split("|")), answer
                socket = await connect(url)
                await socket.send(hello())
                assert await closing_code(socket, "x" * (protocol.MAX_ROBOT_BYTES + 1)) == 1009
                await until(lambda: len(robot.history) > 5)
                assert {mode for mode, _ in robot.history} == {ControlMode.AUTONOMOUS}
                assert robot.link.is_up
                assert robot.link.drops == {}

    asyncio.run(scenario())


def test_who_sends_nothing_but_nonsense_is_hung_up_on() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway, connect(f"ws://127.0.0.1:{gateway.port}/operator") as socket:
            await socket.send(hello())
            for _ in range(20):
                await socket.send("nonsense")
            assert await closing_code(socket) == 1008

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["robot", "operator"])
@pytest.mark.parametrize(
    "first",
    [
        "{",
        '{"type":"renew","robot_id":"r","lease_epoch":1}',
        '{"type":"operator_hello","operator_id":"a","protocol":9}',
    ],
)
def test_a_wrong_first_message_is_answered_and_hung_up_on(path: Any, first: Any) -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            async with connect(f"ws://127.0.0.1:{gateway.port}/{path}") as socket:
                await socket.send(first)
                assert (await refusal(socket))["reason"]
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
            assert gateway.room.num_operators == gateway.room.num_robots == 0

    asyncio.run(scenario())


def test_a_robot_speaks_only_for_itself_and_a_name_is_taken_once() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
                    async with connect(robot_url(gateway)) as impostor:
                        info = protocol.RobotInfo(robot_id="r1", spec="{}", is_simulated=True)
                        await impostor.send(codec.encode(protocol.RobotHello(robots=(info,))))
                        assert "connected already" in (await refusal(impostor))["reason"]
                    async with connect(robot_url(gateway)) as other:
                        info = protocol.RobotInfo(robot_id="r2", spec="{}", is_simulated=True)
                        await other.send(codec.encode(protocol.RobotHello(robots=(info,))))
                        stopped = protocol.RobotState(robot_id="r1", mode=ControlMode.STOPPED)
                        await other.send(codec.encode(protocol.Reports(states=(stopped,))))
                        assert "not yours" in (await refusal(other))["reason"]
                        await other.send(
                            frames.pack(frames.Frame(view=5, camera=0, sequence=0, capture_ns=0, jpeg=b""))
                        )
                        assert "not yours" in (await refusal(other))["reason"]
                    assert client.seen["r1"].state.mode is ControlMode.AUTONOMOUS
                    assert robot.link.is_up

    asyncio.run(scenario())


def test_tokens_are_checked_and_pages_of_other_origins_refused() -> None:
    async def scenario() -> None:
        async with running_gateway(operator_token="people", robot_token="robots") as gateway:
            url = f"ws://127.0.0.1:{gateway.port}"
            for path, headers, status in (
                ("/operator", {}, 401),
                ("/robot", {"Authorization": "Bearer people"}, 401),
                ("/operator", {"Authorization": "Bearer people", "Origin": "https://evil"}, 403),
                ("/elsewhere", {}, 404),
            ):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(url + path, additional_headers=headers)
                assert refused.value.response.status_code == status
            with pytest.raises(ConfigError, match="TOUCHLINE_GATEWAY_TOKEN"):
                await operator(gateway, token="wrong").__aenter__()
            with ticking(robot_url(gateway), token="robots") as robot:
                async with operator(gateway, token="people") as client:
                    await client.wait_for(lambda: "r1" in client.robots, DEADLINE_S)
                    await until(lambda: robot.link.is_up)

    asyncio.run(scenario())


def test_an_enrolled_robot_comes_in_by_its_own_token_under_its_own_name_until_it_is_revoked(tmp_path: Path) -> None:
    held = [identity.robot(tmp_path, name, is_simulated=True) for name in ("r1", "r2")]
    enrolments = Enrolments(tmp_path)

    async def scenario() -> None:
        async with running_gateway(operator_token="people", robot_token="s", roster=enrolments.roster()) as gateway:
            with ticking(robot_url(gateway), token=auth.tokens_of(held, {})) as robot:
                async with operator(gateway, token="people") as client:
                    await client.wait_for(lambda: "r1" in client.robots, DEADLINE_S)
                    await until(lambda: robot.link.is_up)
            own = auth.header(held[1].token)
            async with connect(robot_url(gateway), additional_headers=own) as socket:
                info = protocol.RobotInfo(robot_id="r1", spec="{}", is_simulated=True)
                await socket.send(codec.encode(protocol.RobotHello(robots=(info,))))
                assert "did not show its own token" in (await refusal(socket))["reason"]
            with pytest.raises(InvalidStatus):
                await connect(f"ws://127.0.0.1:{gateway.port}/operator", additional_headers=own)
        enrolments.revoke("r2", author="ann", reason="stolen")
        async with running_gateway(operator_token="people", robot_token="s", roster=enrolments.roster()) as gateway:
            with pytest.raises(InvalidStatus):
                await connect(robot_url(gateway), additional_headers=auth.header(held[1].token))

    asyncio.run(scenario())


def test_labels_reach_the_log_and_wait_while_the_broker_is_away() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            bus.is_available = False
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await client.label("e1", Outcome.FAILURE, "dropped")
                    await client.wait_for(lambda: client.receipt is not None, DEADLINE_S)
                    await client.wait_for(lambda: "r1" in client.seen, DEADLINE_S)
                    await client.acquire("r1")
                    await until(lambda: robot.mode is ControlMode.PAUSED)
                    await client.release()
                    bus.is_available = True
                    await client.label("e1", Outcome.SUCCESS)
                    await until(lambda: len(logged(bus, LABELS)) == 2)
                    outcomes = {label.outcome: label.author for label in logged(bus, LABELS)}
                    assert outcomes == {"failure": "ann", "success": "ann"}

    asyncio.run(scenario())


def test_pictures_flow_only_while_somebody_watches() -> None:
    import numpy as np

    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await client.wait_for(lambda: "r1" in client.robots, DEADLINE_S)
                    assert not robot.link.people("r1").is_watched
                    await client.watch(Watch(frames_of=("other", "r1")))
                    await until(lambda: robot.link.people("r1").is_watched)

                    def show_and_check() -> Any:
                        robot.link.show("r1", (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)))
                        return len(client.frames) == 2

                    await until(show_and_check)
                    assert set(client.frames) == {(1, 0), (1, 1)}
                    assert client.frames[1, 0].jpeg.startswith(b"\xff\xd8")
                await until(lambda: not robot.link.people("r1").is_watched)

    asyncio.run(scenario())


def test_the_spec_travels_to_the_operator() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            with ticking(robot_url(gateway)):
                async with operator(gateway) as client:
                    await client.wait_for(lambda: "r1" in client.robots, DEADLINE_S)
                    assert client.robots["r1"].spec == SPEC.to_json()

    asyncio.run(scenario())
