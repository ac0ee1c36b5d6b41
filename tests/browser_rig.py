"""A whole small fleet for the browser tests: its robots ask for help, and the only people are in browsers."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import argon2
import httpx

from console.access import COOKIE
from console.people.roles import Role
from console.people.users import UserFile, users_file
from corrections import auth
from infra import console_link
from infra.fleet import FleetConfig, make_token, robot_names, service_launch
from infra.home import HOME_VARIABLE, Home
from infra.ports import LOOPBACK, free_port
from tests.browser_witness import Witness
from tests.loop_rig import HURRIED, LiveFleet, live_fleet

FLEET = FleetConfig(
    num_actors=1,
    robots_per_actor=4,
    num_evaluators=0,
    has_operators=False,
    has_critic=False,
    demonstrations=6,
    task="tests.browser_robot:PatientPlugInsertion",
)
ROBOTS = tuple(robot_names(FLEET, 0))
SETTINGS = {
    **HURRIED,
    # Robots keep the clock's time, and nothing that they do counts as progress: every one of them soon asks for help.
    "TOUCHLINE_ACTOR__RATE": "1",
    "TOUCHLINE_STUCK__MIN_MOTION": "1",
    "TOUCHLINE_STUCK__AFTER_S": "1.5",
    # The next round begins as soon as the last candidate is decided on and anything is new.
    "TOUCHLINE_LEARNER__ROUND_EPISODES": "1",
    "TOUCHLINE_LEARNER__ROUND_UPDATES": "5",
}
PEOPLE = {"vera": Role.VIEWER, "ola": Role.OPERATOR, "omar": Role.OPERATOR, "edda": Role.ENGINEER, "ada": Role.ADMIN}
"""Everybody, by name."""
_PASSWORD = "correct horse battery"
_CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """What a browser is put in front of, and what it is checked against."""

    fleet: LiveFleet
    address: str
    """Of the console, such as http://127.0.0.1:8780."""
    witness: Witness
    cookies: Mapping[str, str]
    """By person."""

    @property
    def home(self) -> Home:
        return self.fleet.supervisor.home

    @property
    def token(self) -> str:
        """The gateway's secret."""
        return auth.operator_token(file=self.home.gateway_token)

    def newest_episode(self, robot_id: str = ROBOTS[-1]) -> str:
        """The robot's latest that the console knows of; it reads the lake a moment after us."""
        found: list[dict[str, str]] = []
        wanted: dict[str, str | int] = {"robot": robot_id, "source": "rollout", "limit": 1}
        with httpx.Client(base_url=self.address, cookies={COOKIE: self.cookies["vera"]}, timeout=30) as http:

            def is_listed() -> bool:
                found[:] = http.get("/api/episodes", params=wanted).raise_for_status().json()["episodes"]
                return bool(found)

            self.fleet.wait(f"the console lists an episode of {robot_id}", is_listed)
        return found[0]["episode_id"]


@contextlib.contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    """The fleet with a base released, its robots at work, and everybody signed in."""
    with live_fleet(directory, FLEET, SETTINGS) as fleet:
        home = fleet.supervisor.home
        address = console_link.address(home)
        token = auth.operator_token(file=home.gateway_token)
        with Witness(fleet.environ["TOUCHLINE_OPERATOR__URL"], token) as witness:
            cookies = _sign_in_everybody(home, address)
            fleet.wait("the judge releases a base", lambda: fleet.released("promote"))
            witness.wait("all robots work", lambda: all(witness.is_working(robot) for robot in ROBOTS))
            yield Site(fleet=fleet, address=address, witness=witness, cookies=cookies)


@contextlib.contextmanager
def empty_site(site: Site, directory: Path) -> Iterator[Site]:
    """Another console in front of a gateway without robots and a lake without tables, on the same broker."""
    home = Home(directory / "empty")
    home.path.mkdir()
    make_token(home)
    port = free_port()
    url = f"ws://{LOOPBACK}:{port}/operator"
    own = {HOME_VARIABLE: str(home.path), "TOUCHLINE_GATEWAY__PORT": str(port), "TOUCHLINE_OPERATOR__URL": url}
    environ = {**site.fleet.environ, **own, "TOUCHLINE_CONSOLE__PORT": "0"}
    gateway = service_launch("empty-gateway", ("gateway",), environ)
    console = service_launch("empty-console", ("console",), environ)
    console = dataclasses.replace(console, is_ready=lambda: bool(console_link.address(home)))
    supervisor = site.fleet.supervisor
    try:
        supervisor.start([gateway, console])
        address = console_link.address(home)
        cookies = _sign_in_everybody(home, address)
        yield Site(fleet=site.fleet, address=address, witness=site.witness, cookies=cookies)
    finally:
        supervisor.stop([gateway.name, console.name])


def screens(site: Site) -> list[str]:
    """The address of every screen, with a robot and an episode that are there."""
    return [
        "/queue",
        "/wall",
        f"/drive/{ROBOTS[-1]}",
        "/device-check",
        "/episodes",
        f"/episodes/{site.newest_episode()}",
        "/learning",
        "/weights",
        "/fleet",
        f"/fleet/{ROBOTS[-1]}",
        "/settings",
    ]


def _sign_in_everybody(home: Home, address: str) -> Mapping[str, str]:
    users, cookies = UserFile(users_file(home.path), _CHEAP), {}
    for name, role in PEOPLE.items():
        users.add(name, _PASSWORD, role)
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=30) as http:
            answer = http.post("/sign-in", data={"name": name, "password": _PASSWORD})
            assert answer.is_success, answer.text
            cookies[name] = http.cookies[COOKIE]
    return cookies
