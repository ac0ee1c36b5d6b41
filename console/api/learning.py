"""GET /api/learning: every panel of the Learning screen under one set of filters."""

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from console.access import Person, Role, require
from console.api.answers import answer, params_of
from console.history import filters, learning
from console.history.fleet_watch import FleetWatch
from console.history.history import History

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]


def router(history: History, watch: FleetWatch, *, now_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/learning")

    @routes.get("")
    def panels(request: Request, person: Viewer) -> Response:
        moment_ns = now_ns()
        asked = learning.parse(params_of(request, filters.NAMES), moment_ns)
        return answer(history, learning.learning(history.snapshot(), asked, watch.view, moment_ns))

    return routes
