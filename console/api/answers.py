"""What every route over the lake shares: its query, its JSON, and how old it is."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from console.history.history import History
from policy.errors import ConfigError

Params = Mapping[str, list[str]]


def params_of(request: Request, allowed: Collection[str]) -> Params:
    """The query, every name with its values.

    Raises:
        ConfigError: a name that the route does not know: a filter that is misspelt must not be ignored.
    """
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in allowed:
            raise ConfigError(f"this address takes {', '.join(sorted(allowed)) or 'no parameters'}", got=name[:80])
        found.setdefault(name, []).append(value)
    return found


def answer(history: History, body: Mapping[str, Any]) -> JSONResponse:
    """The body with how old it is. It is JSON already: FastAPI's own conversion would take longer than the query."""
    freshness = history.freshness
    return JSONResponse({**body, "as_of_ns": freshness.as_of_ns, "lake": freshness.away})
