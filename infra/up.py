"""`touchline up`: the whole fleet on this machine, supervised, until Ctrl-C."""

import contextlib
import sys
import time
from collections.abc import Sequence

from infra import config, console_link, home, service
from infra.fleet import FleetConfig, load_doors, start_fleet
from infra.local import StopAsked, Supervisor

_TEND_PERIOD_S = 0.2
_DRAIN_S = 120.0
"""All stages together; each has its own, shorter limit."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = config.parser("touchline up", "Run the whole fleet on this machine, learning, until Ctrl-C.")
    config.add_flags(parser, "fleet", FleetConfig)
    args = parser.parse_args(argv)
    fleet = config.from_args("fleet", FleetConfig, args)
    doors = load_doors(args.config)
    place = home.from_args(args)
    with (
        service.Service("supervisor", log_dir=place.logs, drain_s=_DRAIN_S, logs_to_stderr=False) as process,
        Supervisor(place, on_event=say, should_stop=process.stopping.is_set) as supervisor,
    ):
        say(f"starting on {place.path}")
        with contextlib.suppress(StopAsked):
            start_fleet(supervisor, fleet, doors)
            if fleet.has_console:
                say(f"open {console_link.new_link(place)} (good once; touchline console link makes another)")
            say("running; Ctrl-C stops it, touchline status shows it")
        while not process.stopping.wait(_TEND_PERIOD_S):
            supervisor.tend()
        say("stopping")
    return 0


def say(text: str) -> None:
    """One line for the person who watches."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()
