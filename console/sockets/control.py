"""Control and state: a browser and the gateway speak to each other, and the console listens for roles.

    browser <== ws /ws/control ==> Control <== ws /operator, as this person ==> gateway

Every browser socket has a gateway connection of its own under its person's name, so leases, stops and
labels are that person's, and when the browser is gone the connection closes with it: that ends their
commands, and the robot holds still. Messages pass as text, checked on the way in, never rewritten.
"""

import time
from collections.abc import Callable

from starlette.websockets import WebSocket

from console.access import Access
from console.people.sessions import Session
from console.sockets import door
from console.sockets.browser import Browser
from console.sockets.first_to_end import first_to_end
from console.sockets.gateway_line import GatewayAddress, GatewayLine
from console.sockets.permissions import NOT_FOR_BROWSERS, least_role
from corrections import codec
from corrections import operator_messages as messages
from corrections.codec import Message
from policy.errors import WireError

_WELCOME = "welcome"
_GATEWAY = "gateway"
_ROSTER = '{"type":"roster"'


class Control:
    """Serves control sockets."""

    def __init__(self, access: Access, gateway: GatewayAddress, count: Callable[[str], None] = lambda event: None):
        """`count` hears of every event worth a metric."""
        self._access, self._gateway, self._count = access, gateway, count

    async def attend(self, socket: WebSocket, session: Session) -> None:
        """One browser, until it is gone, signed out or hung up on."""
        person = session.person
        browser = Browser(socket)
        browser.say(type=_WELCOME, name=person.name, role=person.role, server_time_ms=time.time_ns() // 1_000_000)
        line = GatewayLine(
            self._gateway,
            messages.OperatorHello(operator_id=person.name, role=person.role),
            take=lambda data: hearer.pass_on(data) if isinstance(data, str) else None,
            changed=lambda is_up, reason: browser.say(type=_GATEWAY, is_up=is_up, reason=reason),
        )
        hearer = _Hearer(self._access, session, browser, line, self._count)
        await first_to_end(
            door.texts(socket, hearer.hear, hearer.refuse),
            browser.write(),
            line.run(),
            door.until_signed_out(self._access.sessions, session),
        )


class _Hearer:
    """What one browser says, on its way to the gateway."""

    def __init__(
        self, access: Access, session: Session, browser: Browser, line: GatewayLine, count: Callable[[str], None]
    ) -> None:
        self._access, self._session = access, session
        self._browser, self._line, self._count = browser, line, count
        self._simulated: set[str] = set()
        self._told: set[str] = set()
        """Types refused to this role and written down; a held key must not fill the audit."""

    def pass_on(self, text: str) -> None:
        """One message of the gateway's, as it came.

        Raises:
            WireError: it is not one.
        """
        if text.startswith(_ROSTER):
            roster = codec.decode(text, messages.TO_OPERATOR)
            assert isinstance(roster, messages.Roster)
            self._simulated = {robot.robot_id for robot in roster.robots if robot.is_simulated}
        self._browser.pass_on(text)

    async def hear(self, text: str) -> None:
        """Pass one message on, if its sender may say it.

        Raises:
            WireError: it is no message.
        """
        message = codec.decode(text, messages.FROM_OPERATOR)
        if not self._may(message):
            return
        if message.TYPE != messages.Ping.TYPE:  # pages ping by themselves
            self._access.sessions.touch(self._session)
        if message.TYPE == messages.Watch.TYPE:
            self._line.standing = text  # said again by itself, so it is never lost
        if not await self._line.send(text) and message.TYPE != messages.Watch.TYPE:
            reason = "the gateway is away and robots hold still; it was not passed on"
            self._browser.refuse(message.TYPE, reason, getattr(message, "robot_id", ""))

    def refuse(self, reason: str) -> None:
        """Answer a message that cannot be read."""
        self._count("malformed")
        self._browser.refuse("", reason)

    def _may(self, message: Message) -> bool:
        if message.TYPE in NOT_FOR_BROWSERS:
            raise WireError("the console says this, not a page", type=message.TYPE)
        person, least = self._session.person, least_role(message, self._simulated)
        if least is not None and person.role.includes(least):
            return True
        robot_id = getattr(message, "robot_id", "")
        reason = f"this needs the role {least}; you are {person.role}" if least else "not from a page"
        self._browser.refuse(message.TYPE, reason, robot_id)
        if message.TYPE not in self._told:
            self._told.add(message.TYPE)
            self._count("refused_role")
            self._access.say(person, "refused", f"{message.TYPE} {robot_id}".strip(), reason)
        return False
