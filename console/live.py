"""Which robots are connected now: the console's own line to the gateway, one for all pages."""

import asyncio
from collections.abc import Mapping
from typing import Self

from console.sockets.gateway_line import GatewayAddress, GatewayLine
from corrections import codec
from corrections import operator_messages as messages
from corrections.protocol import RobotInfo

_NAME = "console"


class Live:
    """An async context manager; asks for no reports, so it costs the gateway nothing."""

    def __init__(self, gateway: GatewayAddress) -> None:
        self.robots: Mapping[str, RobotInfo] = {}
        """By name; empty while the gateway is away."""
        self.away: str = "not connected yet"
        """Why the gateway cannot be reached; empty where it can."""
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

    def _changed(self, is_up: bool, reason: str) -> None:
        self.away = reason
        if not is_up:
            self.robots = {}
