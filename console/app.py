"""The whole server as one ASGI app, put together from parts, so that tests can put in their own.

/sign-in /sign-out          people come and go
/api/...                    JSON, for whom `access.require` lets in
/ws/control /ws/pictures    sockets, by ticket
/static/...                 the browser's files
anything else               the shell, whose script reads the address
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.types import ASGIApp

from console import errors
from console.access import COOKIE, Access
from console.api import session, sign_in, users
from console.headers import Surroundings, content_policy
from console.people.sign_in_limit import SignInLimit
from console.people.tickets import Tickets
from console.people.users import Directory, Identity
from console.sockets import door
from console.sockets.control import Control
from console.sockets.gateway_line import GatewayAddress
from console.sockets.pictures import Pictures
from console.static_files import CachedFiles, inline_script_hashes
from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """What the server is made of."""

    access: Access
    identity: Identity
    directory: Directory
    take_key: Callable[[str], bool]
    """Whether a one-time key is right; it is used up by that."""
    gateway: GatewayAddress
    facts: Callable[[], Mapping[str, object]]
    """What every page must know besides its person."""
    settings_folder: Path
    """Where people's preferences are kept."""
    static_folder: Path
    """The browser's files, index.html among them."""
    is_secure: bool = False
    """Whether it is served over https."""
    routers: Sequence[APIRouter] = ()
    """Everything under /api that is not about the signed-in person."""
    health: Callable[[], Mapping[str, str]] = dict
    """What is wrong, in words, by part; empty when all is well."""
    count: Callable[[str], None] = lambda event: None
    """Hears of every event worth a metric."""
    limit: SignInLimit = dataclasses.field(default_factory=SignInLimit)
    tickets: Tickets = dataclasses.field(default_factory=Tickets)


def assemble(parts: Parts) -> ASGIApp:
    """The app.

    Raises:
        ConfigError: the browser's files are not there.
    """
    index = parts.static_folder / "index.html"
    if not index.is_file():
        raise ConfigError("the console's files are missing; install touchline again", path=str(index))
    shell = index.read_bytes()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.access = parts.access
    errors.install(app)
    _add_people(app, parts)
    _add_sockets(app, parts)
    for router in parts.routers:
        app.include_router(router)
    app.mount("/static", CachedFiles(directory=parts.static_folder))
    _add_pages(app, parts, shell)
    policy = content_policy(inline_script_hashes(shell))
    return Surroundings(app, origins=parts.access.origins, policy=policy, is_secure=parts.is_secure)


def _add_people(app: FastAPI, parts: Parts) -> None:
    access = parts.access
    app.include_router(sign_in.router(access, parts.identity, parts.take_key, parts.limit, is_secure=parts.is_secure))
    app.include_router(session.router(access, parts.tickets, parts.facts, parts.settings_folder))
    app.include_router(users.router(access, parts.directory))


def _add_sockets(app: FastAPI, parts: Parts) -> None:
    control = Control(parts.access, parts.gateway, parts.count)
    pictures = Pictures(parts.access, parts.gateway, parts.count)

    @app.websocket("/ws/control")
    async def serve_control(socket: WebSocket) -> None:
        await door.serve(socket, parts.tickets, control.attend)

    @app.websocket("/ws/pictures")
    async def serve_pictures(socket: WebSocket) -> None:
        await door.serve(socket, parts.tickets, pictures.attend)


def _add_pages(app: FastAPI, parts: Parts, shell: bytes) -> None:
    @app.get("/healthz")
    async def health() -> Response:
        problems = dict(parts.health())
        return JSONResponse({"is_healthy": not problems, "problems": problems}, 503 if problems else 200)

    @app.get("/{path:path}")
    async def page(path: str, request: Request) -> Response:
        is_page = "text/html" in request.headers.get("accept", "")
        if not is_page or path.startswith(("api/", "ws/")):
            raise HTTPException(404, "there is nothing under this address")
        if parts.access.sessions.find(request.cookies.get(COOKIE, "")) is None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/sign-in?next={quote(request.url.path + query, safe='/')}", 303)
        return HTMLResponse(shell, headers={"Cache-Control": "no-cache"})
