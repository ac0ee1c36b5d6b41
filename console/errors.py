"""Every refusal as `{"error": "words"}`, with the status that says whose turn it is."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from policy.errors import (
    BusError,
    GatewayLost,
    LakeError,
    LeaseRefused,
    RegistryUnavailable,
    SchemaError,
    TouchlineError,
)

_LOG = logging.getLogger(__name__)
_AWAY = (BusError, GatewayLost, LakeError, RegistryUnavailable)


def install(app: FastAPI) -> None:
    """Answer errors of all routes alike."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TouchlineError, _ours)
    app.add_exception_handler(Exception, _bug)


def status_of(error: TouchlineError) -> int:
    """The HTTP status of one of our own errors."""
    if isinstance(error, _AWAY):
        return 503
    if isinstance(error, LeaseRefused):
        return 409
    # A ConfigError is a ValueError that a person can mend, and so is a SchemaError.
    return 400 if isinstance(error, (SchemaError, ValueError)) else 500


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    return JSONResponse({"error": f"{where}: {first['msg']}, got {str(first.get('input'))[:80]!r}"}, 400)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TouchlineError)
    status = status_of(error)
    if status == 500:
        _LOG.error("a request failed", extra={"path": request.url.path}, exc_info=error)
    return JSONResponse({"error": str(error)}, status)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("a request failed", extra={"path": request.url.path}, exc_info=error)
    return JSONResponse({"error": "the console failed on this request; its log says why"}, 500)
