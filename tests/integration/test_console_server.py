"""Browsers at a real server in front of a real gateway: who gets in, who may do what, and what strangers get."""

import asyncio
import contextlib
import dataclasses
import getpass
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import APIRouter, HTTPException
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from console.access import COOKIE, CSRF_HEADER
from console.people.roles import Role
from console.people.sign_in_limit import FREE_TRIES
from console.people.tickets import LIFETIME_S
from console.sockets import door
from corrections import frames
from corrections.gateway import Gateway
from corrections.protocol import RobotInfo
from corrections.robot_link import LinkConfig, RobotLink
from infra import console_link
from policy.errors import LeaseRefused, RegistryUnavailable
from policy.schema import ControlMode
from policy.spec import CameraSpec
from tests.console_rig import INDEX, PASSWORD, Rig, heard, open_socket, running_console, say
from tests.corrections_rig import PATIENT, SPEC, robot_url, running_gateway, ticking, until

HTML = {"Accept": "text/html"}


@dataclasses.dataclass
class Clock:
    now_s: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@contextlib.asynccontextmanager
async def console_and_gateway(tmp_path: Path, **kwargs: Any) -> AsyncIterator[tuple[Rig, Gateway]]:
    async with (
        running_gateway(operator_token="secret", robot_token="secret") as gateway,
        running_console(tmp_path, gateway, token="secret", **kwargs) as rig,
    ):
        yield rig, gateway


# --- signing in ----------------------------------------------------------------------------------


def test_nobody_sees_anything_before_signing_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.client() as http:
            page = await http.get("/episodes/e.1?task=plug", headers=HTML)
            assert page.status_code == 303
            assert page.headers["location"] == "/sign-in?next=/episodes/e.1%3Ftask%3Dplug"
            for method, path in (("GET", "/api/session"), ("POST", "/api/tickets"), ("GET", "/api/users")):
                answer = await http.request(method, path)
                assert answer.status_code == 401
                assert answer.json() == {"error": "sign in first: you are not, or your session is over"}
            assert (await http.get("/healthz")).json() == {"is_healthy": True, "problems": {}}
            assert (await http.get("/api/nothing", headers=HTML)).status_code == 404
            assert "/sign-in" in (await http.get("/sign-in")).text

    asyncio.run(scenario())


def test_a_person_signs_in_and_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.signed_in("ann", Role.OPERATOR) as ann:
            session = (await ann.http.get("/api/session")).json()
            assert (session["name"], session["role"], session["is_simulation"]) == ("ann", "operator", True)
            page = await ann.http.get("/queue", headers=HTML)
            assert page.text == INDEX
            assert (await ann.http.post("/sign-out")).status_code == 204
            assert (await ann.http.get("/api/session")).status_code == 401
            await until(lambda: [entry.action for entry in rig.audit()] == ["sign_in", "sign_out"])
            assert {(entry.author, entry.role) for entry in rig.audit()} == {("ann", "operator")}

    asyncio.run(scenario())


def test_the_cookie_is_kept_from_scripts_and_other_sites(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.client() as http:
            rig.users.add("ann", PASSWORD, Role.VIEWER)
            answer = await http.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/wall"})
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert "secure" not in cookie, "plain http on loopback"
            assert "url=/wall" in answer.text
        async with running_console(tmp_path / "tls", is_secure=True) as rig, rig.client() as http:
            rig.users.add("ann", PASSWORD, Role.VIEWER)
            answer = await http.post("/sign-in", data={"name": "ann", "password": PASSWORD})
            assert "secure" in answer.headers["set-cookie"].lower()
            assert "max-age" in answer.headers["strict-transport-security"]

    asyncio.run(scenario())


def test_wrong_passwords_are_refused_alike_and_soon_have_to_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Clock()
        async with running_console(tmp_path, clock=clock) as rig, rig.client() as http:
            rig.users.add("ann", PASSWORD, Role.VIEWER)
            wrong = await http.post("/sign-in", data={"name": "ann", "password": "wrong password"})
            nobody = await http.post("/sign-in", data={"name": "bob", "password": PASSWORD})
            assert wrong.status_code == nobody.status_code == 401
            assert "Name or password is wrong." in wrong.text
            assert "Name or password is wrong." in nobody.text
            for _ in range(FREE_TRIES - 2):
                await http.post("/sign-in", data={"name": "ann", "password": "wrong password"})
            answer = await http.post("/sign-in", data={"name": "ann", "password": PASSWORD})
            assert answer.status_code == 429
            assert "Too many tries. Wait 2 s and try again." in answer.text
            clock.now_s += 2.1
            assert (await http.post("/sign-in", data={"name": "ann", "password": PASSWORD})).status_code == 200

    asyncio.run(scenario())


def test_the_one_time_link_opens_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig:
            link = console_link.new_link(rig.home)
            async with rig.client() as http:
                answer = await http.get(link)
                assert answer.status_code == 200
                session = (await http.get("/api/session")).json()
                assert (session["name"], session["role"]) == (getpass.getuser(), "admin")
            async with rig.client() as http:
                answer = await http.get(link)
                assert answer.status_code == 403
                assert "used already" in answer.text
                assert COOKIE not in http.cookies

    asyncio.run(scenario())


def test_hostile_names_come_back_as_text(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.client() as http:
            name = '"><script>alert(1)</script>'
            answer = await http.post("/sign-in", data={"name": name, "password": "x", "next": "javascript:alert(1)"})
            assert "<script" not in answer.text
            assert "javascript:" not in answer.text
            async with rig.signed_in(name, Role.VIEWER) as hostile:
                session = await hostile.http.get("/api/session")
                assert session.headers["content-type"] == "application/json"
                assert session.json()["name"] == name
                assert (await hostile.http.put("/api/settings", json={"a": 1})).status_code == 204
                assert [path.name for path in (rig.home.path / "console" / "settings").iterdir()] == [
                    "%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E.json"
                ]

    asyncio.run(scenario())


# --- writing -------------------------------------------------------------------------------------


def test_a_write_needs_the_csrf_word_and_our_own_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.signed_in("ann", Role.VIEWER) as ann:
            for headers in ({CSRF_HEADER: ""}, {CSRF_HEADER: "wrong"}):
                answer = await ann.http.post("/api/tickets", headers=headers)
                assert answer.status_code == 403
                assert CSRF_HEADER in answer.json()["error"]
            for origin in (
                "",
                "null",
                "http://evil.example",
                rig.address.replace("127.0.0.1", "127.0.0.1.evil.example"),
            ):
                answer = await ann.http.post("/api/tickets", headers={"Origin": origin})
                assert answer.status_code == 403
                assert "does not come from this console" in answer.json()["error"]
            stranger = await ann.http.get("/api/session", headers={"Host": "evil.example"})
            assert stranger.status_code == 400
            assert (await ann.http.post("/sign-in", headers={"Origin": "null"})).status_code == 403

    asyncio.run(scenario())


def test_people_are_managed_by_admins_only_and_lose_their_sessions(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running_console(tmp_path) as rig,
            rig.signed_in("ann", Role.ADMIN) as ann,
            rig.signed_in("bob", Role.ENGINEER) as bob,
        ):
            refused = await bob.http.get("/api/users")
            assert refused.status_code == 403
            assert refused.json()["error"] == "this needs the role admin; you are engineer: ask an admin"
            new = {"name": "eve", "password": PASSWORD, "role": "viewer"}
            assert (await ann.http.post("/api/users", json=new)).json() == {"name": "eve", "role": "viewer"}
            listed = (await ann.http.get("/api/users")).json()["users"]
            assert [user["name"] for user in listed] == ["ann", "bob", "eve"]
            assert PASSWORD not in json.dumps(listed)
            wrong = await ann.http.post("/api/users", json={**new, "role": "king"})
            assert wrong.status_code == 400
            assert "no such role" in wrong.json()["error"]
            assert (await ann.http.post("/api/users", json={"name": "x"})).status_code == 400
            assert (await ann.http.delete("/api/users/bob")).status_code == 204
            assert (await bob.http.get("/api/session")).status_code == 401
            await until(lambda: {"add_user", "remove_user", "refused"} <= {e.action for e in rig.audit()})

    asyncio.run(scenario())


def test_settings_are_a_person_s_own_and_small(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running_console(tmp_path) as rig,
            rig.signed_in("ann", Role.VIEWER) as ann,
            rig.signed_in("bob", Role.VIEWER) as bob,
        ):
            assert (await ann.http.get("/api/settings")).json() == {}
            assert (await ann.http.put("/api/settings", json={"theme": "dark"})).status_code == 204
            assert (await ann.http.get("/api/settings")).json() == {"theme": "dark"}
            assert (await bob.http.get("/api/settings")).json() == {}
            assert (await ann.http.put("/api/settings", content="[1]")).status_code == 400
            assert (await ann.http.put("/api/settings", content="{" * 5_000)).status_code == 400
            assert (await ann.http.put("/api/settings", content="x" * 20_000)).status_code == 413
            assert (await ann.http.put("/api/settings", content="x" * 100_000)).status_code == 413

            async def unknown_length() -> AsyncIterator[bytes]:
                yield b"{}"

            assert (await ann.http.put("/api/settings", content=unknown_length())).status_code == 413

    asyncio.run(scenario())


# --- pages ---------------------------------------------------------------------------------------


def test_every_answer_has_the_strict_headers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.signed_in("ann", Role.VIEWER) as ann:
            for path in ("/", "/api/session", "/static/js/main.js", "/nothing", "/sign-in"):
                headers = (await ann.http.get(path, headers=HTML)).headers
                policy = headers["content-security-policy"]
                assert "default-src 'self'; script-src 'self' 'sha256-" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["cross-origin-opener-policy"] == "same-origin"
                assert headers["referrer-policy"] == ("same-origin" if path == "/sign-in" else "no-referrer")

    asyncio.run(scenario())


def test_files_are_asked_about_each_time_and_none_lies_outside(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_console(tmp_path) as rig, rig.client() as http:
            answer = await http.get("/static/js/main.js")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-cache"
            again = await http.get("/static/js/main.js", headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304
            (rig.home.path / "users.json").write_text("[]")
            for path in ("/static/../home/users.json", "/static/..%2fhome%2fusers.json", "/static/%00", "/static/js"):
                assert (await http.get(path)).status_code == 404

    asyncio.run(scenario())


def test_our_errors_become_words_with_the_right_status(tmp_path: Path) -> None:
    routes = APIRouter()
    errors: dict[str, tuple[Exception, int]] = {
        "away": (RegistryUnavailable("the registry does not answer"), 503),
        "taken": (LeaseRefused("somebody else holds this robot", robot_id="r1"), 409),
        "own": (HTTPException(404, "there is no such episode"), 404),
    }

    @routes.get("/api/broken/{name}")
    def broken(name: str) -> None:
        raise errors[name][0]

    async def scenario() -> None:
        async with running_console(tmp_path, routers=[routes]) as rig, rig.client() as http:
            for name, (error, status) in errors.items():
                answer = await http.get(f"/api/broken/{name}")
                assert answer.status_code == status
                words = error.detail if isinstance(error, HTTPException) else str(error)
                assert answer.json() == {"error": words}

    asyncio.run(scenario())


# --- the control socket --------------------------------------------------------------------------


async def close_code(socket: ClientConnection) -> int | None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in socket:
            pass
    return socket.close_code


async def refused_at_the_door(rig: Rig, ticket: str, **kwargs: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await open_socket(rig.address, "/ws/control", ticket, **kwargs)
    return caught.value.response.status_code


def test_a_socket_needs_a_ticket_that_is_fresh_and_our_own_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Clock()
        async with console_and_gateway(tmp_path, clock=clock) as (rig, _), rig.signed_in("ann", Role.VIEWER) as ann:
            assert await refused_at_the_door(rig, "") == 403
            assert await refused_at_the_door(rig, "forged") == 403
            assert await refused_at_the_door(rig, await ann.ticket(), origin="http://evil.example") == 403
            late = await ann.ticket()
            clock.now_s += LIFETIME_S + 1
            assert await refused_at_the_door(rig, late) == 403
            ticket = await ann.ticket()
            socket = await open_socket(rig.address, "/ws/control", ticket)
            assert (await heard(socket, "welcome"))["name"] == "ann"
            assert await refused_at_the_door(rig, ticket) == 403
            await socket.close()

    asyncio.run(scenario())


def test_an_operator_takes_a_robot_and_loses_it_with_the_browser(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, gateway), rig.signed_in("ann", Role.OPERATOR) as ann:
            with ticking(robot_url(gateway), token="secret") as robot:
                socket = await ann.socket("/ws/control")
                await heard(socket, "gateway", is_up=True)
                while not (await heard(socket, "roster"))["robots"]:
                    pass
                await say(socket, type="acquire", robot_id="r1")
                lease = await heard(socket, "lease", is_yours=True)
                assert (lease["operator_id"], lease["robot_id"]) == ("ann", "r1")
                await until(lambda: robot.mode is ControlMode.PAUSED)
                await say(
                    socket,
                    type="command",
                    robot_id="r1",
                    lease_epoch=lease["epoch"] - 1,
                    seq=1,
                    sent_ns=0,
                    action=[0.5, 0, 0],
                    is_deadman_held=True,
                )
                refused = await heard(socket, "refused", request="command")
                assert "an old lease" in refused["reason"]
                assert gateway.room.num_operators == 1
                await socket.close()
                await until(lambda: gateway.room.num_operators == 0)
                assert robot.mode is not ControlMode.AUTONOMOUS, "the policy does not go on by itself"

    asyncio.run(scenario())


def test_a_viewer_sees_and_stops_but_does_not_take(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, gateway), rig.signed_in("eve", Role.VIEWER) as eve:
            with ticking(robot_url(gateway), token="secret") as robot:
                socket = await eve.socket("/ws/control")
                await heard(socket, "reports")
                for message in (
                    {"type": "acquire", "robot_id": "r1"},
                    {"type": "label", "episode_id": "e1", "outcome": "success"},
                    {"type": "clear_stop", "robot_id": "r1", "confirm": "r1", "reason": "clear"},
                ):
                    await say(socket, **message)
                    refused = await heard(socket, "refused", request=message["type"])
                    assert "this needs the role" in refused["reason"]
                await say(socket, type="stop", robot_id="r1", reason="a hand in the cell")
                await until(lambda: robot.mode is ControlMode.STOPPED)
                await say(socket, type="ping", id=7)
                await heard(socket, "pong", id=7)
                await socket.close()
            await until(lambda: {"acquire r1", "label"} <= {e.subject for e in rig.audit() if e.action == "refused"})

    asyncio.run(scenario())


def test_only_an_engineer_takes_a_robot_by_force(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, gateway):
            with ticking(robot_url(gateway), token="secret"):
                async with rig.signed_in("ann", Role.OPERATOR) as ann, rig.signed_in("bob", Role.ENGINEER) as bob:
                    first, second = await ann.socket("/ws/control"), await bob.socket("/ws/control")
                    await heard(first, "reports")
                    await heard(second, "reports")
                    await say(second, type="acquire", robot_id="r1")
                    await heard(second, "lease", is_yours=True)
                    force = {"type": "acquire", "robot_id": "r1", "force": True, "reason": "bob went home"}
                    await say(first, **force)
                    refused = await heard(first, "refused", request="acquire")
                    assert "this needs the role engineer" in refused["reason"]
                    await say(first, type="acquire", robot_id="r1")
                    refused = await heard(first, "refused", request="acquire")
                    assert "somebody else holds this robot" in refused["reason"]
                    for socket in (first, second):
                        await socket.close()

    asyncio.run(scenario())


def test_what_cannot_be_read_is_answered_and_too_much_of_it_hung_up_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, gateway), rig.signed_in("eve", Role.ADMIN) as eve:
            socket = await eve.socket("/ws/control")
            for data in (
                "{",
                "[]",
                '{"type":"fly"}',
                "x" * 20_000,
                b"\x00",
                '{"type":"operator_hello","operator_id":"x"}',
            ):
                await socket.send(data)
                assert (await heard(socket, "refused", request=""))["reason"]
            for _ in range(door.MAX_MALFORMED):
                with contextlib.suppress(ConnectionClosed):
                    await socket.send("{")
            assert await close_code(socket) == 1008
            huge = await eve.socket("/ws/control")
            await huge.send("x" * (door.MAX_FRAME_BYTES + 1))
            assert await close_code(huge) == 1009
            await until(lambda: gateway.room.num_operators == 0)

    asyncio.run(scenario())


def test_signing_out_ends_the_sockets_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, _), rig.signed_in("ann", Role.OPERATOR) as ann:
            control, pictures = await ann.socket("/ws/control"), await ann.socket("/ws/pictures")
            unused = await ann.ticket()
            await ann.http.post("/sign-out")
            assert await close_code(control) == 4401
            assert await close_code(pictures) == 4401
            assert await refused_at_the_door(rig, unused) == 403

    asyncio.run(scenario())


def test_a_gateway_that_goes_away_is_said_and_found_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway() as first:
            port = first.port
            async with running_console(tmp_path, first) as rig, rig.signed_in("ann", Role.OPERATOR) as ann:
                socket = await ann.socket("/ws/control")
                await heard(socket, "gateway", is_up=True)
                await say(socket, type="watch", is_all=False, robot_ids=["r1"])
                await until(lambda: [o.watch.robot_ids for o in first.room.operators.values()] == [("r1",)])
                await first.__aexit__()
                await heard(socket, "gateway", is_up=False)
                await say(socket, type="stop", robot_id="r1")
                assert "the gateway is away" in (await heard(socket, "refused", request="stop"))["reason"]
                async with running_gateway(port=port) as second:
                    await heard(socket, "gateway", is_up=True)
                    await until(lambda: [o.watch.robot_ids for o in second.room.operators.values()] == [("r1",)])
                    await socket.close()

    asyncio.run(scenario())


def test_fifty_viewers_watch_and_the_robot_does_not_notice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with console_and_gateway(tmp_path) as (rig, gateway), rig.signed_in("wall", Role.VIEWER) as wall:
            with ticking(robot_url(gateway), token="secret") as robot:
                sockets = [await wall.socket("/ws/control") for _ in range(50)]
                await asyncio.gather(*(heard(socket, "reports") for socket in sockets))
                assert gateway.room.num_operators == 50
                assert {mode for mode, _ in robot.history} == {ControlMode.AUTONOMOUS}
                await asyncio.gather(*(socket.close() for socket in sockets))
                await until(lambda: gateway.room.num_operators == 0)

    asyncio.run(scenario())


# --- pictures ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def filming(gateway: Gateway, num_robots: int = 2) -> AsyncIterator[list[int]]:
    """Robots with two cameras that show pictures as often as anybody wants them; counts those shown."""
    cameras = (CameraSpec(name="wrist", height=48, width=64), CameraSpec(name="scene", height=48, width=64))
    spec = dataclasses.replace(SPEC, cameras=cameras).to_json()
    infos = [RobotInfo(robot_id=f"cam{n}", spec=spec, is_simulated=True) for n in range(num_robots)]
    link = RobotLink(infos, LinkConfig(url=robot_url(gateway)), PATIENT, token="secret")
    shades = np.random.default_rng(0).integers(0, 255, (2, 48, 64, 3), dtype=np.uint8)
    shown = [0]

    async def show() -> None:
        while True:
            for info in infos:
                if link.people(info.robot_id).is_watched:
                    link.show(info.robot_id, (shades[0], shades[1]))
                    shown[0] += 1
            await asyncio.sleep(0.01)

    link.start()
    showing = asyncio.create_task(show())
    try:
        yield shown
    finally:
        showing.cancel()
        link.close()


async def picture(socket: ClientConnection) -> frames.Frame:
    async with asyncio.timeout(10):
        while True:
            data = await socket.recv()
            if isinstance(data, bytes):
                return frames.unpack(data)


def test_a_page_gets_the_views_it_asks_for_as_long_as_it_draws_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            console_and_gateway(tmp_path) as (rig, gateway),
            rig.signed_in("eve", Role.VIEWER) as eve,
            filming(gateway) as shown,
        ):
            socket = await eve.socket("/ws/pictures")
            await heard(socket, "gateway", is_up=True)
            views = [
                {"robot_id": "cam1", "camera": "scene", "fps": 30, "width": 32},
                {"robot_id": "cam0", "camera": 0, "fps": 30, "width": 0},
            ]
            await say(socket, type="watch", views=views)
            seen = [await picture(socket) for _ in range(4)]
            assert sorted((frame.view, frame.camera) for frame in seen) == [(0, 1), (0, 1), (1, 0), (1, 0)]
            so_far = shown[0]
            await until(lambda: shown[0] > so_far + 20)
            with pytest.raises(TimeoutError):  # two of each view are on their way: no more until they are drawn
                async with asyncio.timeout(0.2):
                    await socket.recv()
            await say(socket, type="credit", n=2)
            fresh = [await picture(socket) for _ in range(2)]
            assert min(f.sequence for f in fresh) > max(f.sequence for f in seen)
            await say(socket, type="watch", views=[{"robot_id": "cam1", "camera": 0, "fps": 0}])
            await until(lambda: not any(seat.wants_frames for seat in gateway.room._robots.values()))
            await socket.close()

    asyncio.run(scenario())


def test_a_page_that_stops_reading_costs_nothing_and_nobody_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            console_and_gateway(tmp_path) as (rig, gateway),
            rig.signed_in("eve", Role.VIEWER) as eve,
            filming(gateway),
        ):
            asleep, awake = await eve.socket("/ws/pictures"), await eve.socket("/ws/pictures")
            views = [{"robot_id": "cam0", "camera": 0, "fps": 30, "width": 0}]
            for socket in (asleep, awake):
                await say(socket, type="watch", views=views)
            for _ in range(20):
                await picture(awake)
                await say(awake, type="credit", n=1)
            got = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    while True:
                        got += isinstance(await asleep.recv(), bytes)
            assert got == 2, "the rest was dropped at the sender"
            for socket in (asleep, awake):
                await socket.close()

    asyncio.run(scenario())


def test_the_server_stops_at_once_with_sockets_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway:
            async with running_console(tmp_path, gateway) as rig, rig.signed_in("ann", Role.VIEWER) as ann:
                socket = await ann.socket("/ws/control")
                await heard(socket, "welcome")
            assert await close_code(socket) == 1012
            await until(lambda: gateway.room.num_operators == 0)
            with pytest.raises(httpx.TransportError):
                async with rig.client() as http:
                    await http.get("/healthz")

    asyncio.run(scenario())
