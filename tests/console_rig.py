"""The console's server in this process, on a free port, in front of a gateway of the test's own."""

import asyncio
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import argon2
import httpx
from fastapi import APIRouter
from websockets.asyncio.client import ClientConnection, connect

from console import listen
from console.access import COOKIE, CSRF_HEADER, Access
from console.app import Parts, assemble
from console.audit import Audit
from console.config import ConsoleConfig
from console.facts import facts
from console.people.origins import Origins
from console.people.roles import Role
from console.people.sessions import Sessions
from console.people.sign_in_limit import SignInLimit
from console.people.tickets import Tickets
from console.people.users import UserFile
from console.sockets.gateway_line import GatewayAddress
from corrections.gateway import Gateway
from corrections.intervention import SafetyConfig
from corrections.mapping import MappingConfig
from corrections.operator_client import OperatorConfig
from corrections.record_log import RecordLog
from infra import console_link, wire
from infra.home import Home
from infra.memory_bus import MemoryBus
from infra.topics import AUDIT
from policy.schema import AuditEntry
from tests.corrections_rig import DEADLINE_S

PASSWORD = "correct horse"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
INDEX = """<!doctype html><title>Touchline</title>
<script type="importmap">{"imports": {"preact": "/static/vendor/preact.js"}}</script>
<script type="module" src="/static/js/main.js"></script>
"""


@dataclasses.dataclass(kw_only=True)
class Browser:
    """A signed-in person, as far as the server can tell."""

    http: httpx.AsyncClient
    address: str

    async def ticket(self) -> str:
        answer = await self.http.post("/api/tickets", json={})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["ticket"])

    async def socket(self, path: str, **kwargs: Any) -> ClientConnection:
        return await open_socket(self.address, path, await self.ticket(), **kwargs)


async def open_socket(address: str, path: str, ticket: str, *, origin: str = "", **kwargs: Any) -> ClientConnection:
    url = f"{address.replace('http', 'ws')}{path}?ticket={ticket}"
    headers = {"Origin": origin or address}
    return await connect(url, additional_headers=headers, compression=None, close_timeout=1, **kwargs)


@dataclasses.dataclass(kw_only=True)
class Rig:
    """A server and what is behind it."""

    address: str
    home: Home
    users: UserFile
    sessions: Sessions
    bus: MemoryBus

    def client(self, **kwargs: Any) -> httpx.AsyncClient:
        """A browser that nobody has signed in with."""
        return httpx.AsyncClient(base_url=self.address, headers={"Origin": self.address}, timeout=DEADLINE_S, **kwargs)

    @contextlib.asynccontextmanager
    async def signed_in(self, name: str, role: Role) -> AsyncIterator[Browser]:
        """A browser of somebody of that role."""
        self.users.add(name, PASSWORD, role)
        async with self.client() as http:
            answer = await http.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            assert COOKIE in http.cookies
            http.headers[CSRF_HEADER] = (await http.get("/api/session")).json()["csrf"]
            yield Browser(http=http, address=self.address)

    def audit(self) -> list[AuditEntry]:
        """What was written down so far."""
        messages = [message for partition in self.bus.log(AUDIT.name) for message in partition]
        return [entry for m in messages for entry in wire.records(AUDIT, wire.decode(AUDIT, m.value))]


@contextlib.asynccontextmanager
async def running_console(
    tmp_path: Path,
    gateway: Gateway | None = None,
    *,
    routers: Sequence[APIRouter] = (),
    clock: Callable[[], float] = time.time,
    token: str = "",
    is_secure: bool = False,
    static_folder: Path | None = None,
) -> AsyncIterator[Rig]:
    """`gateway` None: there is none; `clock` for sessions, tickets, sign-in waits; `static_folder` None: a tiny one."""
    home = Home(tmp_path / "home")
    static = static_folder or _tiny_static(tmp_path / "static")
    bus = MemoryBus()
    bus.ensure_topics()
    records = RecordLog(lambda: bus, client_id="console")
    records.start()
    config = ConsoleConfig(port=0)
    listener = listen.open_port(config)
    port = listener.getsockname()[1]
    users = UserFile(home.path / "users.json", CHEAP)
    sessions = Sessions(idle_s=3600, lifetime_s=7200, file=home.path / "console" / "sessions.json", clock=clock)
    app = assemble(
        Parts(
            access=Access(
                sessions=sessions,
                origins=Origins.of(scheme="http", host=config.host, port=port),
                say=Audit(records).say,
            ),
            identity=users,
            directory=users,
            take_key=lambda key: console_link.take_key(home, key),
            gateway=GatewayAddress(url=f"ws://127.0.0.1:{gateway.port if gateway else 9}/operator", token=token),
            facts=lambda: {**facts(OperatorConfig(), MappingConfig(), SafetyConfig()), "is_simulation": True},
            settings_folder=home.path / "console" / "settings",
            static_folder=static,
            routers=routers,
            is_secure=is_secure,
            limit=SignInLimit(clock),
            tickets=Tickets(clock),
        )
    )
    server = listen.server(app, config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    address = listen.address(config, port)
    console_link.write_address(_made(home), address)
    try:
        yield Rig(address=address, home=home, users=users, sessions=sessions, bus=bus)
    finally:
        server.should_exit = True
        await serving
        await asyncio.to_thread(records.close, 0.5)


async def heard(socket: ClientConnection, kind: str, **fields: object) -> dict[str, Any]:
    """The next message of a type that has these fields, or a failure."""
    async with asyncio.timeout(DEADLINE_S):
        async for data in socket:
            message: dict[str, Any] = json.loads(data) if isinstance(data, str) else {}
            if message.get("type") == kind and all(message.get(name) == value for name, value in fields.items()):
                return message
    raise AssertionError(f"the socket was closed before {kind} came")


async def say(socket: ClientConnection, **message: object) -> None:
    await socket.send(json.dumps(message))


def _tiny_static(folder: Path) -> Path:
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "js" / "main.js").write_text("export const answer = 42;\n")
    return folder


def _made(home: Home) -> Home:
    home.path.mkdir(parents=True, exist_ok=True)
    return home
