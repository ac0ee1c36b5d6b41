"""One operator connection to the gateway that comes back by itself after every loss.

Nothing is said again after a loss but hello and the `standing` message: leases are not taken back, so
a robot that was driven stays still until a person acts.
"""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from corrections import auth, codec
from corrections.operator_messages import OperatorHello
from infra import tls
from infra.backoff import Backoff
from policy.errors import WireError

_LOG = logging.getLogger(__name__)
_MAX_BYTES = 16 << 20
"""Largest message from the gateway: a roster of thousands of robots."""
_TIMEOUT_S = 5.0
_STEADY_S = 5.0
"""A connection that held this long was a good one: the next wait is the shortest again."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GatewayAddress:
    """Where the gateway is, and our secret."""

    url: str
    """ws://host:port/operator, or wss://"""
    ca_file: str = ""
    """PEM file of the authorities whose certificate it may show; empty for the system's."""
    token: str = dataclasses.field(default="", repr=False)


class GatewayLine:
    """For one browser socket, or for the console itself."""

    def __init__(
        self,
        address: GatewayAddress,
        hello: OperatorHello,
        *,
        take: Callable[[str | bytes], None],
        changed: Callable[[bool, str], None],
        standing: str = "",
    ) -> None:
        """Connects in `run`.

        Args:
            address: of the gateway.
            hello: who is on this line.
            take: gets every message as it came; must not wait, may raise WireError.
            changed: told whether the gateway is there, and if not, why in words.
            standing: said after every hello; whoever changes it says it too.
        """
        self._address, self._hello = address, hello
        self._take, self._changed = take, changed
        self.standing = standing
        self._socket: ClientConnection | None = None
        self._is_up: bool | None = None
        self._is_settled = asyncio.Event()
        """Set once the first attempt to connect has worked or failed."""

    async def run(self) -> None:
        """Connect and receive until cancelled; the connection is closed by that."""
        backoff = Backoff(initial_s=0.2, max_s=5.0)
        while True:
            started_s = time.monotonic()
            try:
                await self._receive()
                reason = "the gateway hung up"
            except InvalidStatus as error:
                reason = f"the gateway refuses the console: HTTP {error.response.status_code}; check its token"
            except (OSError, WebSocketException, TimeoutError) as error:
                _LOG.debug("no gateway", exc_info=error)
                where = urlsplit(self._address.url).netloc
                reason = "the gateway hung up" if self._is_up else f"no gateway answers at {where}"
            except WireError as error:
                reason = f"the gateway speaks another language than this console: {error}"
            self._tell(False, reason)
            if time.monotonic() - started_s > _STEADY_S:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())

    async def send(self, text: str) -> bool:
        """Pass a message on; False where the gateway is away, and nobody got it."""
        await self._is_settled.wait()  # a page speaks as soon as it is let in
        if self._socket is None:
            return False
        try:
            await self._socket.send(text)
        except WebSocketException:
            return False
        return True

    async def _receive(self) -> None:
        async with connect(
            self._address.url,
            ssl=tls.context_for(self._address.url, self._address.ca_file),
            compression=None,
            max_size=_MAX_BYTES,
            additional_headers=auth.header(self._address.token),
            open_timeout=_TIMEOUT_S,
            close_timeout=1,
            ping_interval=2,
            ping_timeout=5,
        ) as socket:
            await socket.send(codec.encode(self._hello))
            if self.standing:
                await socket.send(self.standing)
            self._socket = socket
            self._tell(True, "")
            try:
                async for data in socket:
                    self._take(data)
            finally:
                self._socket = None

    def _tell(self, is_up: bool, reason: str) -> None:
        if is_up != self._is_up:
            self._is_up = is_up
            self._is_settled.set()
            if not is_up:
                _LOG.warning("no gateway", extra={"operator_id": self._hello.operator_id, "cause": reason})
            self._changed(is_up, reason)
