"""What every human uses to reach robots: terminal, scripted operator, later the console's server.

    async with OperatorClient(config) as client:
        await client.acquire("robot-3")
        client.drive(action, is_deadman_held=True)     # as often as you like; sent at 50 Hz
        await client.release()                         # the policy goes on

The client sends the newest wish (`wish.py`) at 50 Hz while it holds a robot, also when it is zero, and
renews the lease once a second.
"""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from corrections import auth, codec, frames, protocol
from corrections import operator_messages as messages
from corrections.operator_view import OperatorView
from corrections.protocol import LeaseState
from corrections.wish import CommandStream
from infra import tls
from policy.errors import ConfigError, GatewayLost, LeaseRefused, WireError
from policy.schema import Outcome

_MAX_BYTES = 16 << 20
"""Largest message from the gateway: a roster of thousands of robots."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Where the gateway is and who is asking."""

    url: str = "ws://127.0.0.1:8790/operator"
    """Gateway address; wss:// across machines."""
    ca_file: str = ""
    """PEM file of the authorities whose certificate the gateway may show; empty for the system's."""
    operator_id: str = "operator"
    """Name under which corrections and labels are recorded."""
    command_rate_hz: float = 50.0
    """Commands per second while holding a robot."""
    wish_lasts_s: float = 0.25
    """A command that is not refreshed for this long becomes zero."""
    renew_period_s: float = 1.0
    """How often the lease is renewed."""
    timeout_s: float = 5.0
    """How long the gateway may take to connect or to answer."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("ws://", "wss://")):
            raise ConfigError("url must start with ws:// or wss://", url=self.url)
        tls.check_url("operator.url", self.url, self.ca_file)
        for name in ("command_rate_hz", "wish_lasts_s", "renew_period_s", "timeout_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0", got=getattr(self, name))


class OperatorClient(OperatorView):
    """One person's connection; holds at most one robot."""

    def __init__(
        self,
        config: OperatorConfig,
        *,
        token: str | None = None,
        watch: messages.Watch | None = None,
        kind: messages.PeerKind = messages.PeerKind.PERSON,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`token` None takes it from the environment; `watch` None sees every robot."""
        super().__init__(clock_ns)
        self.config = config
        self._hello = messages.OperatorHello(operator_id=config.operator_id, kind=kind)
        self._headers = auth.header(auth.operator_token() if token is None else token)
        self._watch = watch or messages.Watch()
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._commands = CommandStream(config.wish_lasts_s)
        self.lost_cause: str = ""
        """Why the connection is over; empty while it is not."""

    async def __aenter__(self) -> Self:
        """Connect and say who we are.

        Raises:
            GatewayLost: nobody answers.
            ConfigError: the token is wrong.
        """
        try:
            self._socket = await connect(
                self.config.url,
                ssl=tls.context_for(self.config.url, self.config.ca_file),
                compression=None,
                max_size=_MAX_BYTES,
                additional_headers=self._headers,
                open_timeout=self.config.timeout_s,
                close_timeout=1,
                ping_interval=2,
                ping_timeout=5,
            )
        except InvalidStatus as error:
            raise ConfigError(
                f"the gateway refused the token in {auth.OPERATOR_VARIABLE}",
                url=self.config.url,
                status=error.response.status_code,
            ) from error
        except (OSError, WebSocketException, TimeoutError) as error:
            raise GatewayLost("no gateway answers", url=self.config.url, cause=str(error)) from error
        await self.send(self._hello)
        await self.send(self._watch)
        self._tasks = [asyncio.create_task(t) for t in (self._receive(), self._command(), self._renew())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None and not self.lost_cause:
            await self._socket.close()

    def drive(self, action: tuple[float, ...], *, is_deadman_held: bool) -> None:
        """What the person wants now: float[A] in [-1, 1]; the dead-man released means no motion."""
        self._commands.want(action, is_deadman_held=is_deadman_held, now_ns=self.clock_ns())

    async def acquire(self, robot_id: str, *, ask: bool = False, force_reason: str = "") -> LeaseState:
        """Take a robot; returns once it is granted, still holding still.

        Args:
            robot_id: which.
            ask: if somebody holds it, ask them; waits for their answer.
            force_reason: if somebody holds it, take it for this reason.

        Raises:
            LeaseRefused: somebody else holds it.
            GatewayLost: no answer.
        """
        self.refusals.pop("acquire", None)
        self._commands.rest()
        request = messages.Acquire(robot_id=robot_id, ask=ask, force=bool(force_reason), reason=force_reason)
        await self.send(request)
        timeout_s = self.config.timeout_s + (15.0 if ask else 0.0)
        await self.wait_for(lambda: self.holds(robot_id) or "acquire" in self.refusals, timeout_s)
        if (refused := self.refusals.pop("acquire", None)) is not None:
            raise LeaseRefused(refused.reason, robot_id=robot_id)
        return self.leases[robot_id]

    async def release(self) -> None:
        """Hand the robot back to its policy; nothing happens if none is held any more."""
        if self.held is None:
            return
        lease = self.held
        self._commands.rest()
        await self.send(messages.Release(robot_id=lease.robot_id, lease_epoch=lease.epoch))
        await self.wait_for(lambda: not self.holds(lease.robot_id), self.config.timeout_s)

    async def answer(self, *, give: bool) -> None:
        """Answer the colleague in `asked`."""
        if self.asked is not None:
            asked, self.asked = self.asked, None
            await self.send(messages.Answer(robot_id=asked.robot_id, give=give))

    async def stop(self, robot_id: str, reason: str = "") -> None:
        """Stop a robot, held or not; it stays stopped until cleared."""
        await self.send(protocol.Stop(robot_id=robot_id, reason=reason))

    async def clear_stop(self, robot_id: str, reason: str) -> None:
        """Take the latch off, having looked."""
        await self.send(protocol.ClearStop(robot_id=robot_id, confirm=robot_id, reason=reason))

    async def instruct(self, robot_id: str, instruction: str) -> None:
        """Give the held robot a new instruction in words."""
        await self.send(protocol.Instruct(robot_id=robot_id, instruction=instruction))

    async def label(self, episode_id: str, outcome: Outcome, reason: str = "", progress: int = 0) -> None:
        """Judge an episode; a later label wins over an earlier one."""
        label = messages.LabelEpisode(episode_id=episode_id, outcome=outcome, reason=reason, progress=progress)
        await self.send(label)

    async def send(self, message: codec.Message) -> None:
        """Send any message of an operator's: a claim, an answer, a mark, a watcher's request.

        Raises:
            GatewayLost: the connection is over.
        """
        assert self._socket is not None
        try:
            await self._socket.send(codec.encode(message))
        except WebSocketException as error:
            raise GatewayLost("the connection to the gateway is over", cause=str(error)) from error

    async def watch(self, watch: messages.Watch) -> None:
        """Choose what to see from now on; older reports of other robots are forgotten."""
        self.seen = {r: s for r, s in self.seen.items() if watch.is_all or r in watch.robot_ids}
        await self.send(watch)

    async def changed(self, timeout_s: float) -> bool:
        """Wait for any news from the gateway; False if none came in time.

        Raises:
            GatewayLost: the connection is over.
        """
        self._check()
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        self._check()
        return self._changed.is_set()

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait until something is true of what this client knows.

        Raises:
            GatewayLost: it did not become true in time, or the connection is over.
        """
        deadline_ns = self.clock_ns() + int(timeout_s * 1e9)
        while not condition():
            left_s = (deadline_ns - self.clock_ns()) / 1e9
            if left_s <= 0:
                raise GatewayLost("the gateway did not answer in time", timeout_s=timeout_s)
            await self.changed(left_s)

    # --- tasks -----------------------------------------------------------------------------------

    def _check(self) -> None:
        if self.lost_cause:
            raise GatewayLost("the connection to the gateway is over", cause=self.lost_cause)

    async def _receive(self) -> None:
        assert self._socket is not None
        try:
            async for data in self._socket:
                if isinstance(data, bytes):
                    frame = frames.unpack(data)
                    self.frames[frame.view, frame.camera] = frame
                else:
                    self.take(codec.decode(data, messages.TO_OPERATOR))
                self._changed.set()
            self.lost_cause = "closed by the gateway"
        except (WebSocketException, WireError) as error:
            self.lost_cause = str(error)
        finally:
            self.held = None
            self._changed.set()

    async def _command(self) -> None:
        period_s = 1 / self.config.command_rate_hz
        while True:
            if self.held is not None and (seen := self.seen.get(self.held.robot_id)) is not None:
                with contextlib.suppress(GatewayLost):  # `_receive` reports it
                    await self.send(self._commands.next(self.held, seen, self.clock_ns()))
            await asyncio.sleep(period_s)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.config.renew_period_s)
            if self.held is not None:
                with contextlib.suppress(GatewayLost):  # `_receive` reports it
                    await self.send(messages.Renew(robot_id=self.held.robot_id, lease_epoch=self.held.epoch))
