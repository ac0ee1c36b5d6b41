"""The console under a hand: `python -m benchmarks console_browser [--seconds S]`.

A gateway, `touchline console`, a robot with four cameras of 480x360 at 15 pictures a second, and headless Chromium
on the Drive screen at 1280x800, each a process of its own. The keyboard's dead-man is held, so commands flow
at 50 Hz. Stretches with pictures and stretches without take turns in the same run; the second is the baseline. At the
end the page's own chart draws 3 x 100,000 points, on a fresh page each time. No broker runs: what the gateway
would write of people waits, as while a broker is away.
"""

import argparse
import contextlib
import dataclasses
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import console_page
from benchmarks.console_page import BIG_VIEW, PAST_VIEW, DrivePage, Phase
from benchmarks.console_robot import CAMERA_FPS, ROBOT, RobotLog
from corrections import auth
from infra import console_link
from infra.fleet import service_launch
from infra.home import HOME_VARIABLE, Home
from infra.ports import LOOPBACK, free_port, is_open
from infra.processes import Launch, running

_TURN_S = 5.0
_LEAST_S = 4.0
_NUM_CHARTS = 5
_NOBODY = f"{LOOPBACK}:9"
"""A broker and a registry are named, as they must be, and away."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that was measured."""

    browser: str
    phases: Sequence[Phase]
    robot: RobotLog
    charts_ms: Sequence[float]


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Home]:
    """Gateway, console and robot, each with a home of its own; yields the console's."""
    port, console = free_port(), Home(folder / "console")
    shared = {
        auth.OPERATOR_VARIABLE: secrets.token_urlsafe(24),
        "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": _NOBODY,
        "TOUCHLINE_MLFLOW__TRACKING_URL": f"http://{_NOBODY}",
        "TOUCHLINE_GATEWAY__PORT": str(port),
        "TOUCHLINE_OPERATOR__URL": f"ws://{LOOPBACK}:{port}{auth.OPERATOR_PATH}",
        "TOUCHLINE_LINK__URL": f"ws://{LOOPBACK}:{port}{auth.ROBOT_PATH}",
        "TOUCHLINE_CONSOLE__PORT": "0",
    }

    def environ(name: str) -> Mapping[str, str]:
        return {**shared, HOME_VARIABLE: str(Home(folder / name).path)}

    gateway = service_launch("gateway", ("gateway",), environ("gateway"))
    pages = service_launch("console", ("console",), environ("console"))
    robot = Launch(
        name="robot",
        command=(sys.executable, "-m", "benchmarks.console_robot", str(_robot_file(folder))),
        environ=environ("robot"),
    )
    with contextlib.ExitStack() as stack:
        for launch in (
            dataclasses.replace(gateway, is_ready=lambda: is_open(LOOPBACK, port)),
            dataclasses.replace(pages, is_ready=lambda: bool(console_link.address(console))),
            robot,
        ):
            stack.enter_context(running(launch, folder / "logs"))
        yield console


def measure(folder: Path, duration_s: float) -> Result:
    """Drive, with pictures and without in turn, then draw the charts."""
    num_turns = max(1, round(duration_s / (2 * _TURN_S)))
    with console_page.chromium() as browser:
        with site(folder) as home:
            page = console_page.signed_in(browser, console_link.address(home), console_link.new_link(home))
            driver = DrivePage.taking(page, ROBOT)
            phases = [
                driver.watch(duration_s / (2 * num_turns), has_pictures=has_pictures)
                for _ in range(num_turns)
                for has_pictures in (True, False)
            ]
            charts_ms = [console_page.paint_chart(page) for _ in range(_NUM_CHARTS)]
            version = browser.version
        return Result(browser=version, phases=phases, robot=RobotLog.read(_robot_file(folder)), charts_ms=charts_ms)


def _robot_file(folder: Path) -> Path:
    return folder / "robot.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of driving, half of them without pictures")
    args = parser.parse_args(argv)
    if not args.seconds >= _LEAST_S:
        parser.error(f"--seconds must be at least {_LEAST_S:g}")
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), args.seconds)
    print(_heading(result, args.seconds, load_before))
    print("\n".join([*_driving(result), "", *_pictures(result), "", *_charts(result)]))
    return 0


def _heading(result: Result, duration_s: float, load_before: float) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Chromium {result.browser}, commit {commit.stdout.strip() or 'unknown'}\n"
        f"python -m benchmarks console_browser --seconds {duration_s:g}; "
        f"load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    )


def _driving(result: Result) -> Iterator[str]:
    """The rows that pictures may slow down, with them and without."""
    on = [phase for phase in result.phases if phase.has_pictures]
    off = [phase for phase in result.phases if not phase.has_pictures]
    yield f"{'':<32}{'with pictures':>24}{'without':>24}{'ratio of':>10}"
    yield f"{'':<32}{'p50':>8}{'p95':>8}{'p99':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'p50':>10}"
    yield _row("command round trip, ms", *([trip for phase in half for trip in phase.trips_ms] for half in (on, off)))
    yield _row("robot's command_delay_ms", *(_delays(result.robot, half) for half in (on, off)))
    yield _row(
        "main thread's frame time, ms", *([ms for phase in half for ms in phase.frames_ms] for half in (on, off))
    )
    for name, times_ns in (("sent", None), ("received", result.robot.arrived_ns)):
        rates = [_commands_per_s(half, times_ns) for half in (on, off)]
        yield f"{f'commands/s {name}':<32}{rates[0]:>8.1f}{rates[1]:>24.1f}"


def _pictures(result: Result) -> Iterator[str]:
    """Drawn rates and ages of the views."""
    on = [phase for phase in result.phases if phase.has_pictures]
    shown = _per_s(result.robot.shown_ns, on)
    yield (
        f"4 cameras of 480x360, {result.robot.picture_bytes / 1e3:.0f} KB a picture, "
        f"{CAMERA_FPS:g} a second asked, {shown:.1f} made"
    )
    yield f"{'':<32}{'fps min':>8}{'median':>8}{'age when drawn, ms: p50':>26}{'p95':>8}"
    moments = [[row for row in views if row["viewId"] != PAST_VIEW] for phase in on for views in phase.ages]
    for name, is_big in (("the big view", True), ("the 4 small views, asked for 10", False)):
        rows = [[row for row in views if (row["viewId"] == BIG_VIEW) is is_big] for views in moments]
        # A view counts the pictures of its last second, four times a second.
        fps = [row["fps"] for views in rows[::4] for row in views]
        ages = [row["drawnAgeMs"] for views in rows for row in views if row["drawnAgeMs"] >= 0]
        p50, p95 = np.quantile(ages, (0.5, 0.95))
        yield f"{name:<32}{min(fps):>8}{statistics.median(fps):>8.0f}{p50:>26.1f}{p95:>8.1f}"


def _charts(result: Result) -> Iterator[str]:
    p50, slowest = statistics.median(result.charts_ms), max(result.charts_ms)
    pages = f"{len(result.charts_ms)} fresh pages"
    yield f"first paint of 3 x 100,000 points, {pages}: p50 {p50:.0f} ms, max {slowest:.0f} ms"


def _row(name: str, on: Sequence[float], off: Sequence[float]) -> str:
    # On a machine so busy that no command was young enough to act on, there is nothing to show.
    cells = [np.quantile(half or [np.nan], (0.5, 0.95, 0.99)) for half in (on, off)]
    columns = "".join(f"{value:>8.1f}" for half in cells for value in half)
    return f"{name:<32}{columns}{cells[0][0] / cells[1][0]:>10.2f}"


def _delays(robot: RobotLog, phases: Sequence[Phase]) -> list[float]:
    return [ms for at_ns, ms in robot.delays if any(phase.first_ns <= at_ns < phase.last_ns for phase in phases)]


def _commands_per_s(phases: Sequence[Phase], arrived_ns: Sequence[int] | None) -> float:
    """Rate of the robot's arrivals; None: of what the page sent."""
    if arrived_ns is not None:
        return _per_s(arrived_ns, phases)
    return sum(phase.num_commands for phase in phases) / _seconds(phases)


def _per_s(times_ns: Sequence[int], phases: Sequence[Phase]) -> float:
    inside = sum(phase.first_ns <= at_ns < phase.last_ns for phase in phases for at_ns in times_ns)
    return inside / _seconds(phases)


def _seconds(phases: Sequence[Phase]) -> float:
    return sum(phase.last_ns - phase.first_ns for phase in phases) / 1e9


if __name__ == "__main__":
    raise SystemExit(main())
