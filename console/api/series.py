"""GET /api/series: long series by name, at most as many points as asked for; without a name, which there are."""

import dataclasses
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from console.access import Person, Role, require
from console.api.answers import answer, params_of
from console.history import filters, long_series
from console.history.fleet_watch import FleetWatch
from console.history.history import History

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]


def router(history: History, watch: FleetWatch, *, now_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/series")

    @routes.get("")
    def series(request: Request, person: Viewer) -> Response:
        params = params_of(request, (*filters.NAMES, "name", "first_ns", "last_ns", "buckets"))
        moment_ns = now_ns()
        asked = long_series.parse(params, moment_ns)
        if not asked.name:
            known = [{"name": name, **dataclasses.asdict(kind)} for name, kind in long_series.KINDS.items()]
            return answer(history, {"names": known})
        return answer(history, long_series.series(history.snapshot(), asked, watch.series, moment_ns))

    return routes
