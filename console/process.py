"""The console as a process: settings, signals, health, metrics around `app.py`."""

import argparse
import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

from console import listen, routers
from console.access import Access
from console.app import Parts, assemble
from console.audit import Audit
from console.config import ConsoleConfig
from console.facts import facts
from console.live import Live
from console.people.origins import Origins
from console.people.sessions import Sessions
from console.people.users import UserFile, users_file
from console.sockets.gateway_line import GatewayAddress
from console.static_files import FOLDER
from corrections import auth
from corrections.intervention import SafetyConfig
from corrections.mapping import MappingConfig
from corrections.operator_client import OperatorConfig
from corrections.record_log import RecordLog
from infra import config, connect, console_link, home, identity, service, threads
from infra.bus import KafkaConfig
from infra.home import Home
from infra.service import Service
from infra.signing import service_signer
from policy.errors import ConfigError

_POLL_S = 0.5
_NOW_AND_THEN_S = 2.0


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: a setting is wrong, the port is in use, or no broker is named.
    """
    threads.set_threads(1)
    settings = config.from_args("console", ConsoleConfig, args)
    kafka = config.from_args("kafka", KafkaConfig, args)
    if not kafka.bootstrap_servers:
        raise ConfigError("the console needs kafka.bootstrap_servers for labels; it may be away, not unnamed")
    place = home.from_args(args)
    held = identity.service(place.path, "console")
    records = RecordLog(lambda: connect.bus(kafka, held), client_id="console", signer=service_signer(held))
    operator = config.from_args("operator", OperatorConfig, args)
    gateway = GatewayAddress(
        url=operator.url,
        ca_file=operator.ca_file,
        token=auth.operator_token(file=place.gateway_token),
    )
    live = Live(gateway)
    with (
        contextlib.closing(listen.open_port(settings)) as listener,
        service.from_args("console", args) as frame,
        _sending(records),
        routers.running(args, place, gateway, live) as found,
    ):
        frame.add_check("history", found.problem)
        asyncio.run(_serve(args, settings, place, listener, gateway, live, frame, records, found))
    return 0


async def _serve(
    args: argparse.Namespace,
    settings: ConsoleConfig,
    place: Home,
    listener: socket.socket,
    gateway: GatewayAddress,
    live: Live,
    frame: Service,
    records: RecordLog,
    found: routers.Routers,
) -> None:
    port = listener.getsockname()[1]
    folder = place.path / "console"
    users = UserFile(users_file(place.path))
    sessions = Sessions(
        idle_s=settings.session_idle_s, lifetime_s=settings.session_lifetime_s, file=folder / "sessions.json"
    )
    origins = Origins.of(scheme=settings.scheme, host=settings.host, port=port, more=settings.origins)
    async with live:
        frame.add_check("gateway", lambda: live.away or None)
        known = facts(
            config.from_args("operator", OperatorConfig, args),
            config.from_args("mapping", MappingConfig, args),
            config.from_args("safety", SafetyConfig, args),
        )
        fleet = settings.fleet or place.path.name
        app = assemble(
            Parts(
                access=Access(sessions=sessions, origins=origins, say=Audit(records).say),
                identity=users,
                directory=users,
                take_key=lambda key: console_link.take_key(place, key),
                gateway=gateway,
                facts=lambda: {**known, "fleet": fleet, "is_simulation": live.is_simulation},
                settings_folder=folder / "settings",
                static_folder=FOLDER,
                is_secure=settings.is_secure,
                routers=found.routers,
                health=lambda: {"gateway": live.away} if live.away else {},
                count=lambda event: frame.metrics.count("touchline_console_events_total", event=event),
            )
        )
        server = listen.server(app, settings)
        address = listen.address(settings, port)
        console_link.write_address(place, address)
        frame.log.info("listening", extra={"address": address})
        tending = [
            asyncio.create_task(_tend(server, frame, records)),
            asyncio.create_task(_now_and_then(found.flush, lambda: sessions.keep(users.people(), users.changed_s()))),
        ]
        try:
            await server.serve(sockets=[listener])
        finally:
            console_link.write_address(place, "")
            sessions.close()
            for task in tending:
                task.cancel()


async def _tend(server: listen.Server, frame: Service, records: RecordLog) -> None:
    while not frame.stopping.is_set():
        frame.metrics.set("touchline_records_waiting", records.num_waiting)
        await asyncio.sleep(_POLL_S)
    server.should_exit = True


async def _now_and_then(*works: Callable[[], object]) -> None:
    """Do what may wait for a disk or a broker, off the event loop."""
    while True:
        await asyncio.sleep(_NOW_AND_THEN_S)
        for work in works:
            with contextlib.suppress(ConfigError):  # a damaged list of users is said at the next sign-in
                await asyncio.to_thread(work)


@contextlib.contextmanager
def _sending(records: RecordLog) -> Iterator[None]:
    records.start()
    try:
        yield
    finally:
        records.close()
