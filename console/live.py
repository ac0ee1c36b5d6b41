"""Which robots are connected now, and what their processes say of themselves: the console's own line to the gateway."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Self

from console.sockets.gateway_line import GatewayAddress, GatewayLine
from corrections import codec
from corrections import operator_messages as messages
from corrections.inspection import Inspect, Inspected
from corrections.protocol import RobotInfo

_NAME = "console"
_ANSWER_WITHIN_S = 3.0


class Live:
    """An async context manager; asks for no reports, so it costs the gateway nothing."""

    def __init__(self, gateway: GatewayAddress) -> None:
        self.robots: Mapping[str, RobotInfo] = {}
        """By name; empty while the gateway is away."""
        self.away: str = "not connected yet"
        """Why the gateway cannot be reached; empty where it can."""
        self._tickets = itertools.count()
        self._asked: dict[int, asyncio.Future[Inspected]] = {}
        self._line = GatewayLine(
            gateway,
            messages.OperatorHello(operator_id=_NAME, kind=messages.PeerKind.SERVICE),
            take=self._take,
            changed=self._changed,
            standing=codec.encode(messages.Watch(is_all=False)),
        )

    @property
    def is_simulation(self) -> bool:
        """Whether robots are connected and none of them is real."""
        return bool(self.robots) and all(robot.is_simulated for robot in self.robots.values())

    async def inspect(self, robot_id: str, *, after_line: int | None = None) -> Inspected | None:
        """Ask a robot's process about itself; None where it does not answer in time.

        Args:
            robot_id: a connected robot.
            after_line: log lines of higher numbers come too, -1 for all that are kept; None for none.
        """
        ticket = next(self._tickets)
        answer: asyncio.Future[Inspected] = asyncio.get_running_loop().create_future()
        self._asked[ticket] = answer
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                asked = Inspect(
                    robot_id=robot_id,
                    ticket=ticket,
                    after_line=-1 if after_line is None else after_line,
                    wants_lines=after_line is not None,
                )
                return await answer if await self._line.send(codec.encode(asked)) else None
        except TimeoutError:
            return None
        finally:
            del self._asked[ticket]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._line.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _take(self, data: str | bytes) -> None:
        if isinstance(data, str) and data.startswith('{"type":"roster"'):
            roster = codec.decode(data, messages.TO_OPERATOR)
            assert isinstance(roster, messages.Roster)
            self.robots = {robot.robot_id: robot for robot in roster.robots}
        elif isinstance(data, str) and data.startswith('{"type":"inspected"'):
            inspected = codec.decode(data, messages.TO_OPERATOR)
            assert isinstance(inspected, Inspected)
            answer = self._asked.get(inspected.ticket)
            if answer is not None and not answer.done():
                answer.set_result(inspected)

    def _changed(self, is_up: bool, reason: str) -> None:
        self.away = reason
        if not is_up:
            self.robots = {}
