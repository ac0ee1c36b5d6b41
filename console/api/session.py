"""The signed-in person: who they are, their tickets for sockets, their own preferences."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from console.access import Access, Person, Role, require, session_of
from console.people.tickets import Tickets
from infra.whole_file import read_text, write_private

MAX_SETTINGS_BYTES = 16_384

Anybody = Annotated[Person, Depends(require(Role.VIEWER))]


def router(access: Access, tickets: Tickets, facts: Callable[[], Mapping[str, object]], folder: Path) -> APIRouter:
    """The routes.

    Args:
        access: sessions, origins and audit.
        tickets: for sockets.
        facts: what every page must know besides the person; asked each time.
        folder: where preferences are kept, one file a person.
    """
    routes = APIRouter(prefix="/api")

    @routes.get("/session")
    async def session(request: Request, person: Anybody) -> dict[str, Any]:
        found = session_of(request)
        return {
            "name": person.name,
            "role": person.role,
            "csrf": found.csrf,
            "session_left_s": round(access.sessions.left_s(found)),
            **facts(),
        }

    @routes.post("/tickets")
    async def ticket(request: Request, person: Anybody) -> dict[str, str]:
        return {"ticket": tickets.issue(session_of(request))}

    @routes.get("/settings")
    async def settings(person: Anybody) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await run_in_threadpool(read_text, _file(folder, person)) or "{}")
        return found

    @routes.put("/settings", status_code=204)
    async def keep(request: Request, person: Anybody) -> None:
        body = await request.body()
        if len(body) > MAX_SETTINGS_BYTES:
            raise HTTPException(413, f"settings have at most {MAX_SETTINGS_BYTES} bytes, got {len(body)}")
        try:
            settings = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, "settings are a JSON object") from error
        if not isinstance(settings, dict):
            raise HTTPException(400, "settings are a JSON object")
        await run_in_threadpool(write_private, _file(folder, person), json.dumps(settings))

    return routes


def _file(folder: Path, person: Person) -> Path:
    return folder / f"{quote(person.name, safe='')}.json"
