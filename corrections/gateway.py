"""The gateway: one WebSocket server where robots dial in from one side and people from the other.

    ws://host:port/robot     robot processes (`robot_link.py`)
    ws://host:port/operator  people and the scripted operator (`operator_client.py`)

One event loop, one reader and one writer per connection, compression off (it costs 30-45 ms beside
pictures). Malformed messages get an answer that names the mistake; who sends too many is hung up on.
Kafka only gets what people said and did, on a thread of its own: the gateway works as well with the
broker away.
"""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from corrections import auth, codec, protocol
from corrections import operator_messages as messages
from corrections.inspection import Inspected
from corrections.lease import LeaseBook, LeaseConfig
from corrections.outbox import Outbox
from corrections.record_log import RecordLog
from corrections.requests import Requests
from corrections.room import Room
from corrections.seats import RobotProcess
from corrections.tally import Tally
from infra import tls
from infra.metrics import Metrics
from infra.ports import port_in_use
from infra.roster import Roster
from infra.wall_clock import WallClock
from policy.errors import ConfigError, TouchlineError, WireError

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_HELLO_WITHIN_S = 5.0
_MAX_MALFORMED = 20
"""Messages that cannot be read before the peer is hung up on."""
_POLICY_VIOLATION = 1008


@dataclasses.dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """Where the gateway listens."""

    host: str = "127.0.0.1"
    """Address to listen on; beyond loopback only with tls_cert and tls_key, and tokens in the environment."""
    port: int = 8790
    """Port for robots and operators; 0 takes a free one."""
    tls_cert: str = ""
    """PEM file of the certificate chain; empty serves plain ws, on loopback only."""
    tls_key: str = ""
    """PEM file of the certificate's key."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins whose pages may connect, such as https://console.example.org."""

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65_536:
            raise ConfigError("port must be 0 to 65535", got=self.port)
        tls.check_files("gateway", self.tls_cert, self.tls_key)
        tls.check_bind("gateway", self.host, is_secure=bool(self.tls_cert))


class Gateway:
    """Accepts connections and feeds them to the room."""

    def __init__(
        self,
        config: GatewayConfig,
        leases: LeaseConfig,
        log: RecordLog,
        *,
        operator_token: str = "",
        robot_token: str = "",
        roster: Callable[[], Roster] = lambda: Roster(()),
        clock_ns: Callable[[], int] = time.monotonic_ns,
        metrics: Metrics | None = None,
        help_file: Path | None = None,
    ) -> None:
        """`clock_ns` judges leases, claims and deadlines; `help_file` keeps claims and watchers' requests.

        `roster`: who is enrolled at this moment.
        """
        self._config, self._roster = config, roster
        self._tokens: Mapping[str, str] = {auth.ROBOT_PATH: robot_token, auth.OPERATOR_PATH: operator_token}
        auth.check_bind(config.host, self._tokens)
        tally = Tally(metrics or Metrics())
        self._count = tally.event
        self.room = Room(
            LeaseBook(leases), log, clock_ns=clock_ns, wall_ns=WallClock(), tally=tally, help_file=help_file
        )
        self._requests = Requests(self.room)
        self._server: Server | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gateway":
        """Listen.

        Raises:
            ConfigError: the port is in use, or the certificate is none.
        """
        try:
            self._server = await serve(
                self._serve,
                self._config.host,
                self._config.port,
                ssl=tls.server_context(self._config.tls_cert, self._config.tls_key),
                compression=None,
                max_size=protocol.MAX_ROBOT_BYTES,
                process_request=self._admit,
                ping_interval=2,
                ping_timeout=5,
                close_timeout=1,
            )
        except OSError as error:
            raise port_in_use(self._config.port, "gateway.port (--port)", self._config.host) from error
        self._ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port in use."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        robots = self._enrolled(request)
        refused = auth.refusal(request.path, request.headers, self._tokens, self._config.allowed_origins, robots)
        if refused is None:
            return None
        self._count(f"refused_{refused.value}")
        _LOG.warning("refused a connection", extra={"path": request.path, "status": refused.value})
        return socket.respond(refused, refused.phrase + "\n")

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        outbox = Outbox(socket)
        writer = asyncio.create_task(outbox.write())
        try:
            if socket.request.path == auth.ROBOT_PATH:
                await self._serve_robots(socket, outbox)
            else:
                await self._serve_operator(socket, outbox)
        except ConnectionClosed:
            _LOG.info("connection closed", extra={"path": socket.request.path})
        except (TouchlineError, TimeoutError) as error:
            await self._hang_up(socket, error)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await writer

    async def _serve_robots(self, socket: ServerConnection, outbox: Outbox) -> None:
        hello = codec.decode(await self._first(socket), protocol.FROM_ROBOT)
        if not isinstance(hello, protocol.RobotHello):
            raise WireError("say robot_hello first", got=hello.TYPE)
        self._refuse_other_names(socket, hello)
        process = self.room.robot_joined(hello, outbox)
        _LOG.info("robots connected", extra={"robots": [info.robot_id for info in hello.robots]})
        try:
            await self._read(socket, outbox, lambda data: self._robot_data(process, data))
        finally:
            self.room.robot_left(process)
            _LOG.info("robots disconnected", extra={"robots": [info.robot_id for info in hello.robots]})

    def _enrolled(self, request: Request) -> frozenset[str]:
        return auth.enrolled_robots(request.headers, self._roster(), time.time_ns())

    def _refuse_other_names(self, socket: ServerConnection, hello: protocol.RobotHello) -> None:
        """A robot that came in by its own token speaks for itself alone.

        Raises:
            WireError: it says to be another one.
        """
        assert socket.request is not None
        shown, secret = self._enrolled(socket.request), self._tokens[auth.ROBOT_PATH]
        others = {info.robot_id for info in hello.robots} - shown
        if shown and others and not auth.is_secret(socket.request.headers, secret):
            raise WireError("a robot that did not show its own token", robots=sorted(others)[:3])

    async def _serve_operator(self, socket: ServerConnection, outbox: Outbox) -> None:
        hello = codec.decode(await self._first(socket), messages.FROM_OPERATOR)
        if not isinstance(hello, messages.OperatorHello):
            raise WireError("say operator_hello first", got=hello.TYPE)
        operator = self.room.operator_joined(hello, outbox)
        _LOG.info("operator connected", extra={"operator_id": hello.operator_id})

        def take(data: str | bytes) -> None:
            if len(data) > protocol.MAX_OPERATOR_BYTES:
                raise WireError("too long", num_bytes=len(data), max_bytes=protocol.MAX_OPERATOR_BYTES)
            message = codec.decode(data, messages.FROM_OPERATOR)
            try:
                self._requests.handle(operator, message)
            except TouchlineError as error:
                outbox.refuse(message, str(error))

        try:
            await self._read(socket, outbox, take)
        finally:
            self.room.operator_left(operator)
            _LOG.info("operator disconnected", extra={"operator_id": hello.operator_id})

    def _robot_data(self, process: RobotProcess, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self.room.robot_picture(process, data)
            return
        match codec.decode(data, protocol.FROM_ROBOT):
            case protocol.Reports() as reports:
                self.room.robot_reports(process, reports)
            case Inspected() as inspected:
                self.room.robot_inspected(process, inspected)
            case other:
                raise WireError("not now", type=other.TYPE)

    async def _read(self, socket: ServerConnection, outbox: Outbox, take: Callable[[str | bytes], None]) -> None:
        num_malformed = 0
        async for data in socket:
            try:
                take(data)
            except WireError as error:
                num_malformed += 1
                self._count("malformed")
                if num_malformed >= _MAX_MALFORMED:
                    raise
                outbox.control(codec.encode(protocol.Refused(request="", reason=str(error))))

    async def _first(self, socket: ServerConnection) -> str | bytes:
        async with asyncio.timeout(_HELLO_WITHIN_S):
            data: str | bytes = await socket.recv()
        return data

    async def _hang_up(self, socket: ServerConnection, error: Exception) -> None:
        self._count("hung_up")
        _LOG.warning("hung up", extra={"cause": str(error)})
        with contextlib.suppress(ConnectionClosed):
            await socket.send(codec.encode(protocol.Refused(request="", reason=str(error) or "no hello in time")))
            await socket.close(_POLICY_VIOLATION, "see the last message")

    async def _tick(self) -> None:
        while True:
            self.room.tick()
            await asyncio.sleep(_TICK_S)
