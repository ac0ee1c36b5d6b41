"""What people say about episodes, on its way to the gateway, which stamps and records it.

    async with a connection of their own: hello, label or mark, receipt; then it is closed

Reviewing is slow compared with a connection on the same machine, and one per judgement needs nothing kept.
"""

import asyncio
from typing import Protocol

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from console.people.roles import Person
from console.sockets.gateway_line import GatewayAddress
from corrections import auth, codec, protocol
from corrections import operator_messages as messages
from policy.errors import ConfigError, GatewayLost
from policy.schema import MarkKind, Outcome

_TIMEOUT_S = 5.0
_MAX_BYTES = 16 << 20
"""Largest message from the gateway: a roster of thousands of robots."""


class Judgements(Protocol):
    """Takes what people say; returns when it is taken.

    Both raise GatewayLost where nobody takes it, and ConfigError where it is refused.
    """

    async def label(self, person: Person, episode_id: str, outcome: Outcome, reason: str, progress: int) -> None:
        """How an episode went; a later label wins over an earlier one."""

    async def mark(self, person: Person, episode_id: str, step_index: int, kind: MarkKind, note: str) -> None:
        """Something in an episode that others should see; -1 for the episode as a whole."""


class GatewayJudgements:
    """Through the gateway, under the person's own name and role."""

    def __init__(self, gateway: GatewayAddress) -> None:
        self._gateway = gateway

    async def label(self, person: Person, episode_id: str, outcome: Outcome, reason: str, progress: int) -> None:
        """How an episode went.

        Raises:
            GatewayLost: nobody took it.
            ConfigError: it was refused.
        """
        label = messages.LabelEpisode(episode_id=episode_id, outcome=outcome, reason=reason, progress=progress)
        await self._say(person, label, messages.Receipt)

    async def mark(self, person: Person, episode_id: str, step_index: int, kind: MarkKind, note: str) -> None:
        """Something in an episode that others should see.

        Raises:
            GatewayLost: nobody took it.
            ConfigError: it was refused.
        """
        mark = messages.MarkEpisode(episode_id=episode_id, step_index=step_index, kind=kind, note=note)
        await self._say(person, mark, messages.Marked)

    async def _say(self, person: Person, message: codec.Message, receipt: type[codec.Message]) -> None:
        hello = messages.OperatorHello(operator_id=person.name, role=person.role.value)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._exchange([hello, messages.Watch(is_all=False), message], receipt)
        except InvalidStatus as error:
            raise GatewayLost(
                "the gateway refuses the console; check its token", status=error.response.status_code
            ) from error
        except (OSError, WebSocketException, TimeoutError) as error:
            raise GatewayLost("the gateway did not take it; try again", cause=str(error)) from error

    async def _exchange(self, said: list[codec.Message], receipt: type[codec.Message]) -> None:
        async with connect(
            self._gateway.url,
            compression=None,
            max_size=_MAX_BYTES,
            additional_headers=auth.header(self._gateway.token),
            close_timeout=1,
        ) as socket:
            for message in said:
                await socket.send(codec.encode(message))
            async for data in socket:
                answer = codec.decode(data, messages.TO_OPERATOR) if isinstance(data, str) else None
                if isinstance(answer, receipt):
                    return
                if isinstance(answer, protocol.Refused) and answer.request in (type(m).TYPE for m in said):
                    raise ConfigError(f"the gateway refused it: {answer.reason}")
        raise GatewayLost("the gateway hung up before it took it; try again")
