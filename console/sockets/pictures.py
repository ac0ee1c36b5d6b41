"""Pictures: a browser says which cameras it shows, how large and how often, and gets the newest of each.

    browser <== ws /ws/pictures ==> Pictures <== ws /operator, frames_of ==> gateway <== robots

On a socket of its own, so that a picture never delays a command.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.websockets import WebSocket

from console.access import Access
from console.people.sessions import Session
from console.sockets import door, views
from console.sockets.browser import SEND_WITHIN_S, Browser, TooSlow
from console.sockets.first_to_end import first_to_end
from console.sockets.gallery import Gallery
from console.sockets.gateway_line import GatewayAddress, GatewayLine
from console.sockets.resize import resized
from corrections import codec, frames
from corrections import operator_messages as messages
from corrections.protocol import RobotInfo
from policy.errors import SchemaError
from policy.spec import EmbodimentSpec

_MAX_SLOTS = 200
"""A picture's place is one byte."""
_WATCH_BYTE = 3
"""Reserved in the header; here the number of `watch` messages heard, so that a page knows a late picture."""


class Pictures:
    """Serves picture sockets."""

    def __init__(self, access: Access, gateway: GatewayAddress, count: Callable[[str], None] = lambda event: None):
        """`count` hears of every event worth a metric."""
        self._access, self._gateway, self._count = access, gateway, count

    async def attend(self, socket: WebSocket, session: Session) -> None:
        """One browser, until it is gone, signed out or hung up on."""
        wall = _Wall(socket, self._gateway, session, self._count)
        await first_to_end(
            door.texts(socket, wall.hear, wall.refuse),
            wall.browser.write(),
            wall.write(),
            wall.line.run(),
            door.until_signed_out(self._access.sessions, session),
        )


class _Wall:
    """One browser's pictures."""

    def __init__(
        self, socket: WebSocket, gateway: GatewayAddress, session: Session, count: Callable[[str], None]
    ) -> None:
        self._socket, self._count = socket, count
        self.browser = Browser(socket)
        self._gallery = Gallery()
        self._cameras: Mapping[str, Sequence[str]] = {}
        """Names of each robot's cameras."""
        self._slots: list[str] = []
        """`Watch.frames_of`: empty where nobody is watched any more. A place is not given to another robot,
        so that a late picture is never shown as somebody else's."""
        self._num_watches = 0
        self._changed = asyncio.Event()
        self.line = GatewayLine(
            gateway,
            messages.OperatorHello(operator_id=session.person.name, role=session.person.role),
            take=self._take,
            changed=lambda is_up, reason: self.browser.say(type="gateway", is_up=is_up, reason=reason),
            standing=_watch(()),
        )

    async def hear(self, text: str) -> None:
        """What the page says.

        Raises:
            WireError: it is no message.
        """
        message = views.read(text)
        if isinstance(message, views.Credit):
            self._gallery.credit(message.n)
        else:
            self._num_watches += 1
            self._gallery.show(message.views)
            self._watch_robots({view.robot_id for view in message.views if view.fps > 0})
            await self.line.send(self.line.standing)
        self._changed.set()

    def refuse(self, reason: str) -> None:
        """Answer a message that cannot be read."""
        self._count("malformed")
        self.browser.refuse("", reason)

    async def write(self) -> None:
        """Send pictures for ever.

        Raises:
            TooSlow: the browser does not read.
            WebSocketDisconnect: it is gone.
        """
        while True:
            self._changed.clear()
            taken = self._gallery.take(time.monotonic())
            if taken is not None:
                view, picture = taken
                num_watches = self._num_watches
                data = bytearray(frames.pack(await resized(picture, view.width)))
                data[_WATCH_BYTE] = num_watches % 256
                await self._send(bytes(data))
                continue
            try:
                async with asyncio.timeout(self._gallery.wait_s(time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                continue  # a picture is due

    async def _send(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._socket.send_bytes(data)
        except TimeoutError as error:
            raise TooSlow from error

    def _take(self, data: str | bytes) -> None:
        if isinstance(data, str):
            # Of what the gateway writes to everybody, only who is there matters here.
            if data.startswith('{"type":"roster"'):
                roster = codec.decode(data, messages.TO_OPERATOR)
                assert isinstance(roster, messages.Roster)
                self._cameras = {robot.robot_id: _camera_names(robot) for robot in roster.robots}
            return
        picture = frames.unpack(data)
        robot_id = self._slots[picture.view] if picture.view < len(self._slots) else ""
        for index, view in enumerate(self._gallery.views):
            if view.robot_id == robot_id and self._camera(view) == picture.camera:
                self._gallery.put(index, picture)
                self._changed.set()

    def _watch_robots(self, robot_ids: set[str]) -> None:
        self._slots = [robot_id if robot_id in robot_ids else "" for robot_id in self._slots]
        new = sorted(robot_ids.difference(self._slots))
        self._slots = self._slots + new if len(self._slots) + len(new) <= _MAX_SLOTS else sorted(robot_ids)
        self.line.standing = _watch(tuple(self._slots))

    def _camera(self, view: views.View) -> int:
        if isinstance(view.camera, int):
            return view.camera
        names = self._cameras.get(view.robot_id, ())
        return names.index(view.camera) if view.camera in names else -1


def _watch(frames_of: tuple[str, ...]) -> str:
    return codec.encode(messages.Watch(is_all=False, frames_of=frames_of))


def _camera_names(robot: RobotInfo) -> Sequence[str]:
    try:
        return [camera.name for camera in EmbodimentSpec.from_json(robot.spec).cameras]
    except SchemaError:
        return []  # a robot's mistake; its cameras still have numbers
