"""What waits to go out on one socket: control in order, everything else newest only.

A slow reader gets fewer pictures and reports, never old ones, and never delays anybody else.
"""

import asyncio
from collections import deque

from websockets.asyncio.server import ServerConnection

from corrections import codec
from corrections.codec import Message
from corrections.operator_messages import Renew
from corrections.protocol import HumanCommand, Refused

_MAX_CONTROL = 256
"""Control messages that a peer may leave unread before it is hung up on."""


class Outbox:
    """One writer per connection; anyone on the event loop may put."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self._control: deque[str] = deque()
        self._newest: dict[tuple[str, str], str] = {}
        self._reports: dict[str, str] = {}
        self._pictures: dict[tuple[int, int], bytes] = {}
        self._ready = asyncio.Event()
        self.num_replaced = 0
        """Pictures and reports that a newer one replaced before they could leave."""

    def control(self, text: str) -> None:
        """A message that must arrive, in order."""
        if len(self._control) >= _MAX_CONTROL:
            self._socket.transport.abort()
            return
        self._control.append(text)
        self._ready.set()

    def newest(self, kind: str, robot_id: str, text: str) -> None:
        """A message that the next of its kind and robot replaces; it follows waiting control."""
        self._newest[kind, robot_id] = text
        self._ready.set()

    def refuse(self, message: Message, reason: str) -> None:
        """Say why a request was not done; of refused commands and renewals only the newest is told."""
        robot_id = getattr(message, "robot_id", "")
        text = codec.encode(Refused(request=message.TYPE, reason=reason, robot_id=robot_id))
        if message.TYPE in (HumanCommand.TYPE, Renew.TYPE):
            self.newest("refused", robot_id, text)
        else:
            self.control(text)

    def report(self, robot_id: str, fragment: str) -> None:
        """One robot's state; several leave as one `Reports`."""
        self.num_replaced += robot_id in self._reports
        self._reports[robot_id] = fragment
        self._ready.set()

    def picture(self, view: int, camera: int, data: bytes) -> None:
        """One picture."""
        self.num_replaced += (view, camera) in self._pictures
        self._pictures[view, camera] = data
        self._ready.set()

    async def write(self) -> None:
        """Send for ever; ends with the connection's exception."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._control:
                await self._socket.send(self._control.popleft())
            while self._newest:
                await self._socket.send(self._newest.pop(next(iter(self._newest))))
            if self._reports:
                states, self._reports = ",".join(self._reports.values()), {}
                await self._socket.send(f'{{"type":"reports","states":[{states}]}}')
            while self._pictures and not self._control:
                await self._socket.send(self._pictures.pop(next(iter(self._pictures))))
