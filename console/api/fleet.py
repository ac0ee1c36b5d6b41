"""GET /api/fleet and /api/fleet/robots/ID: services as they are now, robots as the lake knows them.

What a robot does this second comes through the control socket.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.access import Person, Role, require
from console.api.answers import answer, params_of
from console.history import robots
from console.history.fleet_watch import FleetWatch
from console.history.history import History

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]


def router(history: History, watch: FleetWatch, *, now_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/fleet")

    @routes.get("")
    def fleet(request: Request, person: Viewer) -> Response:
        params_of(request, ())
        view = watch.view
        body = {
            "services": [dataclasses.asdict(service) for service in view.services],
            "services_as_of_ns": view.time_ns,
            "robots": robots.robots(history.snapshot(), now_ns()),
            "health": {"is_healthy": not view.words, "words": view.words},
        }
        return answer(history, body)

    @routes.get("/robots/{robot_id:path}")
    def robot(robot_id: str, request: Request, person: Viewer) -> Response:
        params_of(request, ())
        found = robots.robot(history.snapshot(), robot_id, now_ns())
        if found is None:
            raise HTTPException(404, f"no robot {robot_id[:80]!r} has ended an episode, as far as the lake was read")
        return answer(history, {**found, "config": watch.view.settings})

    return routes
