"""GET /api/fleet, /api/fleet/robots/ID and .../log: services and robots, as they are now and as the lake knows them.

What a robot does this second comes through the control socket.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from console import configurations
from console.access import Person, Role, require
from console.api.answers import answer, params_of
from console.history import robots
from console.history.fleet_watch import FleetWatch
from console.history.history import History
from console.live import Live
from policy.errors import ConfigError

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]


def router(history: History, watch: FleetWatch, live: Live, *, now_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/fleet")

    @routes.get("")
    def fleet(request: Request, person: Viewer) -> Response:
        params_of(request, ())
        view, connected = watch.view, live.robots
        body = {
            "services": [dataclasses.asdict(service) for service in view.services],
            "services_as_of_ns": view.time_ns,
            "robots": robots.robots(history.snapshot(), now_ns()),
            "configs": {name: dataclasses.asdict(configurations.standing_of(name, connected)) for name in connected},
            "health": {"is_healthy": not view.words, "words": view.words},
        }
        return answer(history, body)

    @routes.get("/robots/{robot_id:path}/log")
    async def log(robot_id: str, request: Request, person: Viewer) -> Response:
        after = _number(params_of(request, ("after",)).get("after", ["-1"])[0])
        _check_connected(robot_id, live)
        found = await live.inspect(robot_id, after_line=after)
        if found is None:
            raise HTTPException(503, "the robot's process did not answer; its log is in its home's folder logs")
        body = {"process": live.robots[robot_id].process if robot_id in live.robots else ""}
        return answer(history, {**body, "first_line": found.first_line, "lines": found.lines})

    @routes.get("/robots/{robot_id:path}")
    async def robot(robot_id: str, request: Request, person: Viewer) -> Response:
        params_of(request, ())
        found = await run_in_threadpool(robots.robot, history.snapshot(), robot_id, now_ns())
        if found is None:
            _check_connected(robot_id, live)
            found = robots.newcomer(robot_id)
        return answer(history, {**found, "configuration": await _configuration(robot_id, live)})

    return routes


async def _configuration(robot_id: str, live: Live) -> dict[str, Any] | None:
    """What a connected robot is set to, and how that differs; None where it is not connected or does not say."""
    connected = live.robots
    if robot_id not in connected:
        return None
    inspected = await live.inspect(robot_id)
    settings = configurations.parsed(inspected.settings) if inspected else None
    if inspected is None or settings is None:
        return None
    standing = configurations.standing_of(robot_id, connected)
    before, others = configurations.parsed(inspected.settings_before), settings
    if standing.is_odd and (other := await live.inspect(standing.like)) is not None:
        others = configurations.parsed(other.settings) or settings
    return {
        **dataclasses.asdict(standing),
        "process": connected[robot_id].process,
        "settings": settings,
        "from_most": configurations.differences(settings, others),
        "from_before": None if before is None else configurations.differences(settings, before),
    }


def _check_connected(robot_id: str, live: Live) -> None:
    if robot_id not in live.robots:
        raise HTTPException(404, f"no robot {robot_id[:80]!r} is connected, and none of that name ended an episode")


def _number(text: str) -> int:
    try:
        return max(-1, min(int(text), 1 << 53))
    except ValueError as error:
        raise ConfigError("after is the number of a line", got=text[:80]) from error
