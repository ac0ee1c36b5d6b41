"""How a browser's socket is let in, looked after, and closed: the same for control and pictures."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from console.people.sessions import Session, Sessions
from console.people.tickets import Tickets
from console.sockets.browser import TooSlow
from corrections.protocol import MAX_OPERATOR_BYTES
from policy.errors import WireError

_LOG = logging.getLogger(__name__)
MAX_FRAME_BYTES = 4 * MAX_OPERATOR_BYTES
"""Beyond it the server hangs up without reading; up to it the mistake is named."""
MAX_MALFORMED = 20
"""Messages that cannot be read before the browser is hung up on."""
MAX_SOCKETS = 100
"""Of one session: every one is a gateway connection."""
_LOOK_S = 1.0
_CLOSE_WITHIN_S = 1.0
_SESSION_OVER = 4401
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013


class SessionOver(Exception):
    """The person was signed out."""


class TooManyMalformed(Exception):
    """Whoever is there does not speak our language."""


async def serve(socket: WebSocket, tickets: Tickets, attend: Callable[[WebSocket, Session], Awaitable[None]]) -> None:
    """Let a browser with a good ticket in, and close the socket with the reason for its end."""
    session = tickets.redeem(socket.query_params.get("ticket", ""))
    if session is None or session.is_over or session.num_sockets >= MAX_SOCKETS:
        await socket.close(_POLICY_VIOLATION)  # before it was accepted: HTTP 403
        return
    session.num_sockets += 1
    try:
        await _attend(socket, session, attend)
    finally:
        session.num_sockets -= 1


async def _attend(socket: WebSocket, session: Session, attend: Callable[[WebSocket, Session], Awaitable[None]]) -> None:
    code = 0
    try:
        await socket.accept()
        await attend(socket, session)
    except WebSocketDisconnect:
        return
    except SessionOver:
        code, reason = _SESSION_OVER, "your session is over: sign in again"
    except TooManyMalformed:
        code, reason = _POLICY_VIOLATION, "too many messages that cannot be read"
    except TooSlow:
        code, reason = _TRY_AGAIN_LATER, "the page does not read fast enough"
    if code:
        _LOG.warning("hung up", extra={"person": session.person.name, "cause": reason})
        with contextlib.suppress(WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):  # a page that does not read does not read this either
                await socket.close(code, reason)


async def texts(socket: WebSocket, take: Callable[[str], Awaitable[None]], refuse: Callable[[str], None]) -> None:
    """Read for ever; a message that cannot be read is answered, and the sender of too many hung up on.

    Raises:
        WebSocketDisconnect: the browser is gone.
        TooManyMalformed: of bad messages.
    """
    num_malformed = 0
    async for data in _incoming(socket):
        try:
            if not isinstance(data, str):
                raise WireError("expected a text message, got binary", num_bytes=len(data))
            if len(data) > MAX_OPERATOR_BYTES:
                raise WireError("too long", num_chars=len(data), max_chars=MAX_OPERATOR_BYTES)
            await take(data)
        except WireError as error:
            num_malformed += 1
            if num_malformed >= MAX_MALFORMED:
                raise TooManyMalformed from error
            refuse(str(error))


async def until_signed_out(sessions: Sessions, session: Session) -> None:
    """Wait for the end of the session.

    Raises:
        SessionOver: that it is.
    """
    while sessions.is_alive(session):
        await asyncio.sleep(_LOOK_S)
    raise SessionOver


async def _incoming(socket: WebSocket) -> AsyncIterator[str | bytes]:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        yield text if text is not None else message["bytes"]
