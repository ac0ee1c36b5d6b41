"""How fast the console answers: `python -m benchmarks.console_queries [--steps N] [--episodes N] [--requests N]`.

A lake of a million steps and 5,000 episodes is written once into a folder (--lake, which a second run uses
again); then every route is asked with random filters through the ASGI app, while eight robots add 160 steps a
second and a thread follows the lake, all in this process.
"""

import argparse
import asyncio
import dataclasses
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
from fastapi import FastAPI

from benchmarks import console_lake
from benchmarks.console_lake import Size, episode_id
from benchmarks.lake_data import SPEC
from console import errors
from console.access import COOKIE, Access
from console.api import episodes, fleet, learning, series
from console.history.fleet_watch import FleetWatch
from console.history.history import History
from console.history.reader import EpisodeReader
from console.history.specs import SpecFiles
from console.judgements import GatewayJudgements
from console.people.origins import Origins
from console.people.roles import Person, Role
from console.people.sessions import Sessions
from console.sockets.gateway_line import GatewayAddress
from infra.home import Home
from storage.tables import Lake

_ADDRESS = "http://127.0.0.1:8780"
_HOUR_S = 3_600
_SEED = 0

Draw = Callable[[random.Random, Size], tuple[str, dict[str, str]]]
"""A path and a query."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """One line of the table."""

    name: str
    draw: Draw


def _filters(rng: random.Random) -> dict[str, str]:
    choices = {
        "task": rng.choice(["", "plug", "latch", "plug,cable"]),
        "version": rng.choice(["", "", "3", "9,10"]),
        "assisted": rng.choice(["", "", "true", "false"]),
        "outcome": rng.choice(["", "", "failure"]),
    }
    return {name: value for name, value in choices.items() if value}


def _list(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    sort = rng.choice(["-ended_ns", "duration_s", "-num_correction_steps"])
    return "/api/episodes", {**_filters(rng), "limit": "200", "offset": str(rng.randrange(500)), "sort": sort}


def _detail(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    return f"/api/episodes/{_any(rng, size)}", {}


def _trace(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    channels = "state.0,state.1,state.2,tactile.0,tactile.1,action.0,action.1,value,advantage"
    return f"/api/episodes/{_any(rng, size)}/series", {"channels": channels, "buckets": "2000"}


def _frame(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    return f"/api/episodes/{_any(rng, size)}/frames/scene/{rng.randrange(size.steps_per_episode)}", {}


def _thumb(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    # A contact sheet shows neighbours: most of these come from what was read a moment ago.
    number = rng.randrange(24)
    return f"/api/episodes/{episode_id(number)}/thumb", {"which": rng.choice(["first", "last"])}


def _learning(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    return "/api/learning", {**_filters(rng), "window_s": rng.choice(["0", str(24 * _HOUR_S), str(_HOUR_S)])}


def _series(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    names = ["success_moving", "throughput_moving", "steps_per_s", "help_requests"]
    return "/api/series", {**_filters(rng), "name": rng.choice(names), "buckets": "2000"}


def _fleet(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    return "/api/fleet", {}


def _robot(rng: random.Random, size: Size) -> tuple[str, dict[str, str]]:
    return f"/api/fleet/robots/r{rng.randrange(8)}", {}


def _any(rng: random.Random, size: Size) -> str:
    return episode_id(rng.randrange(size.num_episodes))


ROUTES = (
    Route(name="episodes, 200 rows", draw=_list),
    Route(name="one episode", draw=_detail),
    Route(name="its series, 9 channels, cold", draw=_trace),
    Route(name="a picture, cold", draw=_frame),
    Route(name="thumbs of a contact sheet", draw=_thumb),
    Route(name="learning, all panels", draw=_learning),
    Route(name="long series", draw=_series),
    Route(name="fleet", draw=_fleet),
    Route(name="one robot", draw=_robot),
)


def application(folder: Path, history: History) -> tuple[FastAPI, str]:
    """The routes over a lake, and the cookie of somebody who may ask."""
    sessions = Sessions(idle_s=_HOUR_S, lifetime_s=_HOUR_S)
    app = FastAPI()
    errors.install(app)
    app.state.access = Access(sessions=sessions, origins=Origins([_ADDRESS]), say=lambda *_: None)
    specs = folder / "specs"
    specs.mkdir(exist_ok=True)
    (specs / f"{SPEC.spec_id}.json").write_text(SPEC.to_json())
    reader = EpisodeReader(Lake(str(folder / "lake")), cache_bytes=128 << 20)
    watch, nobody = FleetWatch(Home(folder)), GatewayJudgements(GatewayAddress(url="ws://127.0.0.1:1/operator"))
    app.include_router(episodes.router(history, reader, SpecFiles(specs), nobody))
    for own in (learning, series, fleet):
        app.include_router(own.router(history, watch))
    cookie, _ = sessions.start(Person(name="bench", role=Role.VIEWER))
    return app, cookie


async def measure(app: FastAPI, cookie: str, size: Size, num_requests: int) -> list[tuple[str, list[float], int]]:
    """Per route: its name, the seconds of each request, and the bytes of the largest answer."""
    rng, rows = random.Random(_SEED), []
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=_ADDRESS, cookies={COOKIE: cookie}) as http:
        for route in ROUTES:
            took, largest = [], 0
            for _ in range(num_requests):
                path, query = route.draw(rng, size)
                started = time.perf_counter()
                answer = await http.get(path, params=query)
                took.append(time.perf_counter() - started)
                assert answer.status_code == 200, answer.text
                largest = max(largest, len(answer.content))
            rows.append((route.name, took, largest))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Write the lake, ask, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps in the lake")
    parser.add_argument("--episodes", type=int, default=5_000, help="episodes that they are in")
    parser.add_argument("--requests", type=int, default=200, help="requests per route")
    parser.add_argument("--lake", type=Path, help="folder of the lake, kept and used again; else a temporary one")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.lake or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        duration_ns = args.steps // args.episodes * 10**9 // 20
        size = Size(
            num_episodes=args.episodes,
            steps_per_episode=args.steps // args.episodes,
            start_ns=time.time_ns() - args.episodes // 8 * (duration_ns + 10**9),
        )
        _ask(folder, size, args.requests)
    return 0


def _ask(folder: Path, size: Size, num_requests: int) -> None:
    lake = Lake(str(folder / "lake"))
    if not (folder / "written").exists():
        started = time.perf_counter()
        console_lake.write(lake, size, lambda words: print(words, file=sys.stderr, flush=True))
        (folder / "written").touch()
        print(f"lake written in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    history = History(lake)
    started = time.perf_counter()
    history.refresh()
    print(_heading(size, time.perf_counter() - started))
    history.start()
    stopping = threading.Event()
    robots = threading.Thread(target=console_lake.keep_working, args=(Lake(lake.url), size, stopping))
    robots.start()
    try:
        app, cookie = application(folder, history)
        rows = asyncio.run(measure(app, cookie, size, num_requests))
    finally:
        stopping.set()
        robots.join()
        history.close()
    print(f"{'route':<32}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}{'largest KB':>12}")
    for name, took, largest in rows:
        p50, p95 = 1e3 * np.quantile(took, (0.5, 0.95))
        print(f"{name:<32}{p50:>8.1f}{p95:>8.1f}{1e3 * max(took):>8.1f}{largest / 1e3:>12.1f}")


def _heading(size: Size, first_read_s: float) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"commit {commit.stdout.strip() or 'unknown'}\n"
        f"{size.num_episodes * size.steps_per_episode:,} steps in {size.num_episodes:,} episodes; "
        f"first read of the whole lake {first_read_s:.1f} s"
    )


if __name__ == "__main__":
    raise SystemExit(main())
