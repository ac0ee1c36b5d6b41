"""The live critic's line to the gateway: values and requests for help, on a thread of its own.

Only the newest value of a robot waits to be sent, and what was said while nobody listened is not said
again: a request about a robot's present is worth nothing later.
"""

import asyncio
import collections
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from corrections.codec import Message
from corrections.help_messages import LiveValue, RaiseHelp, Values
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.operator_messages import PeerKind, Watch
from corrections.protocol import Refused
from infra.backoff import Backoff
from policy.errors import ConfigError, GatewayLost

_LOG = logging.getLogger(__name__)
_VALUES_PER_MESSAGE = 32
_MAX_REQUESTS = 64


class CriticLine:
    """An audience that passes everything on to the gateway; neither call waits."""

    def __init__(self, config: OperatorConfig, *, token: str) -> None:
        """Nothing is contacted before `start`."""
        self._config, self._token = config, token
        self._values: dict[str, LiveValue] = {}
        self._requests: collections.deque[RaiseHelp] = collections.deque(maxlen=_MAX_REQUESTS)
        self._asked: dict[str, str] = {}
        """By robot, the episode of its newest request."""
        self._refused: collections.deque[str] = collections.deque(maxlen=_MAX_REQUESTS)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="critic-line", daemon=True)
        self.status = "not connected yet"
        """Of the connection, in words."""

    def start(self) -> None:
        """Connect, and again whenever the line is lost."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Hang up."""
        self._closing.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def show(self, values: Sequence[LiveValue]) -> None:
        """The newest value of some robots; older ones that still wait give way."""
        with self._lock:
            self._values.update({value.robot_id: value for value in values})
        self._wake()

    def ask(self, request: RaiseHelp) -> None:
        """A robot needs a person."""
        with self._lock:
            self._requests.append(request)
        self._wake()

    def take_refused(self) -> list[str]:
        """Episodes for which the gateway would not ask anybody, each told once."""
        with self._lock:
            refused = list(self._refused)
            self._refused.clear()
        return refused

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is over
                self._loop.call_soon_threadsafe(self._news.set)

    def _take(self) -> tuple[list[LiveValue], list[RaiseHelp]]:
        with self._lock:
            values, requests = list(self._values.values()), list(self._requests)
            self._values.clear()
            self._requests.clear()
        return values, requests

    # --- critic-line thread ----------------------------------------------------------------------

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        backoff = Backoff(max_s=2.0)
        while not self._closing.is_set():
            try:
                client = _Client(self._config, token=self._token, watch=Watch(is_all=False), kind=PeerKind.SERVICE)
                client.on_refusal = self._take_refusal
                async with client:
                    backoff.reset()
                    self.status = "connected"
                    self._take()
                    await self._pass_on(client)
            except (GatewayLost, ConfigError) as error:
                if self.status != str(error):
                    _LOG.info("nobody sees values: %s", error)
                self.status = str(error)
                await asyncio.sleep(backoff.next_s())

    async def _pass_on(self, client: OperatorClient) -> None:
        while not self._closing.is_set():
            self._news.clear()
            values, requests = self._take()
            for request in requests:
                self._asked[request.robot_id] = request.episode_id
                await client.send(request)
            for first in range(0, len(values), _VALUES_PER_MESSAGE):
                await client.send(Values(values=tuple(values[first : first + _VALUES_PER_MESSAGE])))
            await self._news.wait()

    def _take_refusal(self, refused: Refused) -> None:
        if refused.request == RaiseHelp.TYPE and refused.robot_id in self._asked:
            with self._lock:
                self._refused.append(self._asked[refused.robot_id])


class _Client(OperatorClient):
    """Tells of every refusal, not of the newest alone."""

    on_refusal: Callable[[Refused], None]

    def take(self, message: Message) -> None:
        """Learn from one message."""
        super().take(message)
        if isinstance(message, Refused):
            self.on_refusal(message)
