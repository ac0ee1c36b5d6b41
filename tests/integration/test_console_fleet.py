"""The fleet's pages over robots that are connected: how each is set, and what its process says."""

import asyncio
import contextlib
import dataclasses
import json
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from console.api import fleet
from console.history.fleet_watch import FleetWatch
from console.history.history import History
from console.live import Live
from console.people.roles import Role
from console.sockets.gateway_line import GatewayAddress
from corrections.inspection import About
from corrections.protocol import RobotInfo, RobotState
from corrections.robot_link import LinkConfig, RobotLink
from infra import logs
from infra.home import Home
from policy.schema import ControlMode
from storage.tables import Lake
from tests.console_rig import Browser, heard, running_console, say
from tests.corrections_rig import PATIENT, SPEC, robot_url, running_gateway, until

SETTINGS = {"chunks": {"num_executed": 4}, "kafka": {"password": "(set)"}}
ODD = {"chunks": {"num_executed": 3}, "kafka": {"password": "(set)"}}


@contextlib.asynccontextmanager
async def site(tmp_path: Path) -> AsyncIterator[tuple[Browser, logs.Tail]]:
    """A viewer of three robots: two of one process that are set alike, and one that is not."""
    lake = Lake(str(tmp_path / "lake"))
    history, watch = History(lake), FleetWatch(Home(tmp_path / "home"))
    history.refresh()
    with logs.tailing("actor-0") as tail:
        async with running_gateway() as gateway:
            live = Live(GatewayAddress(url=f"ws://127.0.0.1:{gateway.port}/operator"))
            routers = [fleet.router(history, watch, live)]
            async with live, running_console(tmp_path, gateway, routers=routers) as rig:
                with connected(robot_url(gateway), tail):
                    await until(lambda: len(live.robots) == 3)
                    async with rig.signed_in("vera", Role.VIEWER) as vera:
                        yield vera, tail


@contextlib.contextmanager
def connected(url: str, tail: logs.Tail) -> Any:
    """The robots' links."""
    links = [
        link_of(url, ("r0", "r1"), "actor-0", SETTINGS, About(settings_before=json.dumps(ODD), lines=tail.after)),
        link_of(url, ("r2",), "actor-1", ODD, About()),
    ]
    for link in links:
        link.start()
    try:
        yield
    finally:
        for link in links:
            link.close()


def link_of(url: str, names: tuple[str, ...], process: str, settings: Mapping[str, Any], about: About) -> RobotLink:
    config_hash = f"{settings['chunks']['num_executed']:08x}"
    infos = [
        RobotInfo(robot_id=name, spec=SPEC.to_json(), is_simulated=True, process=process, config_hash=config_hash)
        for name in names
    ]
    about = dataclasses.replace(about, settings=json.dumps(settings))
    link = RobotLink(infos, LinkConfig(url=url), PATIENT, about=about, token="")
    for name in names:
        link.report(name, RobotState(robot_id=name, mode=ControlMode.AUTONOMOUS))
    return link


async def get(browser: Browser, path: str, status: int = 200) -> Any:
    answer = await browser.http.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_robot_that_is_set_differently_is_said_in_words(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as (vera, _):
            configs = (await get(vera, "/api/fleet"))["configs"]
            assert {name: row["is_odd"] for name, row in configs.items()} == {"r0": False, "r1": False, "r2": True}
            assert configs["r2"]["words"] == "differs from 2 of 3 of its kind"
            assert configs["r0"]["words"] == "as 2 of 3 of its kind"

    asyncio.run(scenario())


def test_a_robot_that_never_ended_an_episode_has_its_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as (vera, _):
            odd = await get(vera, "/api/fleet/robots/r2")
            assert (odd["num_episodes"], odd["bands"], odd["last_seen_ns"]) == (0, [], 0)
            found = odd["configuration"]
            assert (found["process"], found["settings"], found["from_before"]) == ("actor-1", ODD, None)
            changed = {"section": "chunks", "field": "num_executed", "value": 3, "other": 4}
            assert found["from_most"] == [changed]
            usual = (await get(vera, "/api/fleet/robots/r0"))["configuration"]
            assert (usual["from_most"], usual["from_before"]) == ([], [{**changed, "value": 4, "other": 3}])
            nobody = await get(vera, "/api/fleet/robots/nobody", 404)
            assert "'nobody'" in nobody["error"]

    asyncio.run(scenario())


def test_the_log_of_a_robots_process_is_read_as_it_grows(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as (vera, tail):
            first, lines = tail.after(-1)
            assert first == 0
            logging.getLogger("actor").warning("swap failed", extra={"version": "3"})
            answer = await get(vera, f"/api/fleet/robots/r1/log?after={len(lines) - 1}")
            assert answer["process"] == "actor-0"
            (line,) = [line for text in answer["lines"] if (line := json.loads(text))["message"] == "swap failed"]
            assert (line["level"], line["version"], line["service"]) == ("warning", "3", "actor-0")
            again = await get(vera, "/api/fleet/robots/r1/log?after=1000000")
            assert again["first_line"] == 0, "a process that has fewer lines started again"
            assert (
                "after is the number of a line" in (await get(vera, "/api/fleet/robots/r1/log?after=x", 400))["error"]
            )
            await get(vera, "/api/fleet/robots/nobody/log", 404)

    asyncio.run(scenario())


def test_a_page_cannot_look_into_processes_by_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as (vera, _):
            socket = await vera.socket("/ws/control")
            await say(socket, type="inspect", robot_id="r0", ticket=1)
            assert "not a page" in (await heard(socket, "refused"))["reason"]
            await socket.close()

    asyncio.run(scenario())
