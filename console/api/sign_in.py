"""Signing in and out: by name and password, or by the one-time link of this machine's terminal."""

import getpass
import logging
import math
from collections.abc import Callable
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from console import pages
from console.access import COOKIE, Access, Person, Role, require, session_of
from console.people.sign_in_limit import SignInLimit
from console.people.users import MAX_NAME_BYTES, Identity

_LOG = logging.getLogger(__name__)


def router(
    access: Access, identity: Identity, take_key: Callable[[str], bool], limit: SignInLimit, *, is_secure: bool
) -> APIRouter:
    """The routes.

    Args:
        access: sessions, origins and audit.
        identity: who says who somebody is.
        take_key: whether a one-time key is right; it is used up by that.
        limit: how often one may guess.
        is_secure: whether the cookie is for https only.
    """
    routes = APIRouter()
    desk = _Desk(access, limit, is_secure=is_secure)

    @routes.get("/sign-in")
    async def show(request: Request, key: str = "", next: str = "/") -> Response:
        return await desk.by_key(request, key, take_key, after=next) if key else pages.sign_in(after=next)

    @routes.post("/sign-in")
    async def check(request: Request) -> Response:
        return await desk.by_password(request, identity)

    @routes.post("/sign-out", status_code=204, dependencies=[Depends(require(Role.VIEWER))])
    async def leave(request: Request, response: Response) -> None:
        session = session_of(request)
        access.sessions.end(session)
        access.say(session.person, "sign_out", _address(request))
        response.delete_cookie(COOKIE, path="/", secure=is_secure, httponly=True, samesite="strict")

    return routes


class _Desk:
    """Looks at what people show, and hands out sessions."""

    def __init__(self, access: Access, limit: SignInLimit, *, is_secure: bool) -> None:
        self._access, self._limit, self._is_secure = access, limit, is_secure

    async def by_key(self, request: Request, key: str, take_key: Callable[[str], bool], *, after: str) -> Response:
        """By the one-time link: whoever reads the terminal is an admin."""
        address = _address(request)
        if wait_s := self._limit.wait_s("", address):
            return pages.sign_in(problem=_wait(wait_s), status=429)
        self._limit.tried("", address)
        if not await run_in_threadpool(take_key, key):
            problem = "This link was used already, or is too old. Run touchline console link for a new one."
            return pages.sign_in(problem=problem, status=403)
        person = Person(name=getpass.getuser(), role=Role.ADMIN)
        return self._admit(person, address, "one-time link", is_listed=False, after=after)

    async def by_password(self, request: Request, identity: Identity) -> Response:
        """By the form."""
        if not self._access.origins.allows(request.headers.get("origin", "")):
            return pages.sign_in(problem="Sign in on this console's own page.", status=403)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode(errors="replace")).items()}
        name, after, address = form.get("name", "").strip(), form.get("next", "/"), _address(request)
        if not 0 < len(name.encode()) <= MAX_NAME_BYTES:
            problem = f"A name has 1 to {MAX_NAME_BYTES} bytes."
            return pages.sign_in(problem=problem, after=after, status=400)
        if wait_s := self._limit.wait_s(name, address):
            return pages.sign_in(problem=_wait(wait_s), name=name, after=after, status=429)
        self._limit.tried(name, address)
        person = await run_in_threadpool(identity.check, name, form.get("password", ""))
        if person is None:
            _LOG.warning("a sign-in was refused", extra={"person": name, "address": address})
            return pages.sign_in(problem="Name or password is wrong.", name=name, after=after, status=401)
        return self._admit(person, address, "password", is_listed=True, after=after)

    def _admit(self, person: Person, address: str, how: str, *, is_listed: bool, after: str) -> Response:
        self._limit.succeeded(person.name, address)
        cookie, _ = self._access.sessions.start(person, is_listed=is_listed)
        self._access.say(person, "sign_in", address, how)
        response = pages.go_on(after)
        response.set_cookie(COOKIE, cookie, path="/", secure=self._is_secure, httponly=True, samesite="strict")
        return response


def _wait(wait_s: float) -> str:
    return f"Too many tries. Wait {math.ceil(wait_s)} s and try again."


def _address(request: Request) -> str:
    if request.client is None:
        raise HTTPException(400, "a request needs an address")
    return request.client.host
