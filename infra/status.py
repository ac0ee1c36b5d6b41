"""`touchline status`: who runs on this home, whether they are well, and which versions act."""

import http.client
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from infra import config, connect, console_link, freeze, home, rollout
from infra.ports import LOOPBACK
from infra.registry import MlflowConfig
from policy.errors import TouchlineError

_TIMEOUT_S = 1.0
WELL = ("healthy", "running", "done")
"""Answers of `health_of` that need nobody."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print it; 0 when everything that should run is healthy."""
    parser = config.parser("touchline status", "Who runs on this home, and which versions act.")
    args = parser.parse_args(argv)
    place = home.from_args(args)
    fleet = place.fleet()
    processes = fleet.get("processes", {})
    if not processes:
        sys.stdout.write(f"nothing runs on {place.path}; touchline up starts a fleet\n")
        return 1
    health = {name: health_of(process) for name, process in processes.items()}
    width = max(map(len, processes))
    for name, process in processes.items():
        restarts = f", restarted {process['num_restarts']} times" if process["num_restarts"] else ""
        sys.stdout.write(f"{name:<{width}}  {health[name]} (process {process['pid']}{restarts})\n")
    if address := console_link.address(place):
        sys.stdout.write(f"console: {address} (touchline console link signs you in)\n")
    sys.stdout.write(_versions(config.from_args("mlflow", MlflowConfig, args)))
    return 0 if all(word in WELL for word in health.values()) else 1


def health_of(process: Mapping[str, Any]) -> str:
    """One word, or the problems, of one entry of `fleet.json`."""
    if not process["is_running"]:
        return "done" if process["is_done"] else "not running"
    if not process["metrics_port"]:
        return "running"
    connection = http.client.HTTPConnection(LOOPBACK, process["metrics_port"], timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        problems = json.loads(connection.getresponse().read())["problems"]
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"does not answer: {error}"
    finally:
        connection.close()
    return "; ".join(f"{name}: {reason}" for name, reason in problems.items()) or "healthy"


def _versions(settings: MlflowConfig) -> str:
    try:
        weights = connect.registry(settings)
        aliases, frozen, under_way = weights.aliases(), freeze.freeze_state(weights), rollout.under_way(weights)
    except TouchlineError as error:
        return f"versions: {error}\n"
    lines = [f"{alias}: {version}" for alias, version in sorted(aliases.items())] or ["no version released"]
    if under_way:
        lines.append(f"rollout: {under_way.in_words}")
    if frozen:
        lines.append(f"frozen by {frozen.author}: {frozen.reason}")
    return "\n".join(lines) + "\n"
