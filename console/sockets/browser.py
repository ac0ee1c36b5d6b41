"""What waits to go out to one browser: control in order, everything else newest only.

Reports and values are passed on as the gateway wrote them. Only where a browser has not taken the last
ones yet are the two merged, robot by robot, so that a slow one gets fewer and never old ones, and costs
one report per robot however long it sleeps.
"""

import asyncio
import json
import re
from collections import deque
from typing import Any

from starlette.websockets import WebSocket

from corrections import codec
from corrections.help_messages import HelpList, Values
from corrections.operator_messages import Renew
from corrections.protocol import HumanCommand, Refused, Reports

MAX_CONTROL = 256
"""Control messages that a browser may leave unread before it is hung up on."""
SEND_WITHIN_S = 8.0
"""How long one message may take to leave; above the socket's own ping limit of 5 s."""
_TYPE = re.compile(r'\{"type":"([a-z_]+)"')
_MERGED = {Reports.TYPE: "states", Values.TYPE: "values"}
"""Messages about some robots: the field with one item per robot."""
_WHOLE = frozenset({HelpList.TYPE})
"""Messages that say all there is: the next replaces the last. (A roster does too, but must come before leases.)"""


class TooSlow(Exception):
    """The browser does not read; it is hung up on."""


class Browser:
    """The sending side of one socket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._control: deque[str] = deque()
        self._newest: dict[tuple[str, str], str] = {}
        self._ready = asyncio.Event()
        self._is_overrun = False
        self.num_replaced = 0
        """Messages that a newer one replaced before they could leave."""

    def pass_on(self, text: str) -> None:
        """A message from the gateway, as it came."""
        match = _TYPE.match(text)
        kind = match.group(1) if match else ""
        if kind in _MERGED or kind in _WHOLE:
            old = self._newest.get((kind, ""))
            if old is not None:
                self.num_replaced += 1
                text = _merge(old, text, _MERGED[kind]) if kind in _MERGED else text
            self._put_newest(kind, "", text)
        else:
            self._put_control(text)

    def say(self, **message: object) -> None:
        """A message of the console's own."""
        self._put_control(json.dumps(message, separators=(",", ":")))

    def refuse(self, request: str, reason: str, robot_id: str = "") -> None:
        """Say why something was not done; of refused commands and renewals only the newest is told."""
        text = codec.encode(Refused(request=request, reason=reason, robot_id=robot_id))
        if request in (HumanCommand.TYPE, Renew.TYPE):
            self._put_newest("refused", robot_id, text)
        else:
            self._put_control(text)

    async def write(self) -> None:
        """Send for ever.

        Raises:
            TooSlow: the browser does not read.
            WebSocketDisconnect: it is gone.
        """
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._control or self._newest:
                if self._is_overrun:
                    raise TooSlow
                # Control first, always: what was put while another message left must not wait.
                text = self._control.popleft() if self._control else self._newest.pop(next(iter(self._newest)))
                await self._send(text)

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._socket.send_text(text)
        except TimeoutError as error:
            raise TooSlow from error

    def _put_control(self, text: str) -> None:
        self._is_overrun = self._is_overrun or len(self._control) >= MAX_CONTROL
        if not self._is_overrun:
            self._control.append(text)
        self._ready.set()

    def _put_newest(self, kind: str, robot_id: str, text: str) -> None:
        self._is_overrun = self._is_overrun or len(self._newest) >= MAX_CONTROL
        if not self._is_overrun:
            self._newest[kind, robot_id] = text
        self._ready.set()


def _merge(old: str, new: str, field: str) -> str:
    """The newer message, with the items of robots that only the older one tells of."""
    items: dict[str, Any] = {item["robot_id"]: item for item in json.loads(old)[field]}
    message = json.loads(new)
    items.update((item["robot_id"], item) for item in message[field])
    message[field] = list(items.values())
    return json.dumps(message, separators=(",", ":"))
