"""The robot's end of the line: dials out to the gateway and never makes the control loop wait.

    control loop (any thread)              link thread (asyncio)                 gateway
      report(robot_id, RobotState)  ---->  newest state per robot, batched  ---> Reports
      people(robot_id)              <----  newest People per robot          <--- LeaseState, HumanCommand, ...
      show(robot_id, frames)        ---->  newest pictures, JPEG here       ---> frames, if anybody watches

One link carries all robots of a process. `report` and `people` are a dictionary look-up and an
assignment: cheap enough for every tick of a simulation that runs faster than real time. Without a
gateway the robots go on working; with one that went away, a held robot holds still and then is LOST.
"""

import asyncio
import dataclasses
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from corrections import auth, codec, protocol
from corrections.inspection import About, Inspect, Inspected
from corrections.intervention import People, SafetyConfig, command_refusal
from corrections.mailbox import Mailbox
from corrections.protocol import LeaseState, RobotInfo, RobotState, Stop
from infra import tls
from policy.errors import ConfigError, TouchlineError, WireError
from policy.schema import UInt8

_LOG = logging.getLogger(__name__)
_CYCLE_S = 0.02
"""How often reports of held robots leave: below a tick of 20 Hz, so each is seen at once."""
_MAX_ANSWERS = 8
"""Answers that may wait for the next tick; each names its request, so seeing one twice does no harm."""
_MAX_INSPECTED = 8
"""Who looks in more often than they can be sent gets no answer."""
_MAX_BACKLOG_BYTES = 64 << 10
"""Pictures are dropped while the socket still holds more than this."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinkConfig:
    """Where the gateway is and how often to tell it."""

    url: str = "ws://127.0.0.1:8790/robot"
    """Gateway address; wss:// across machines."""
    ca_file: str = ""
    """PEM file of the authorities whose certificate the gateway may show; empty for the system's."""
    report_rate_hz: float = 20.0
    """Reports per second of a robot that nobody holds; a held one reports every tick."""
    retry_first_s: float = 0.2
    """Wait before the first new attempt to connect."""
    retry_most_s: float = 5.0
    """Longest wait between attempts."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("ws://", "wss://")):
            raise ConfigError("url must start with ws:// or wss://", url=self.url)
        tls.check_url("link.url", self.url, self.ca_file)
        if not self.report_rate_hz > 0:
            raise ConfigError("report_rate_hz must be above 0", report_rate_hz=self.report_rate_hz)
        if not 0 < self.retry_first_s <= self.retry_most_s:
            raise ConfigError(
                "retries must satisfy 0 < retry_first_s <= retry_most_s",
                retry_first_s=self.retry_first_s,
                retry_most_s=self.retry_most_s,
            )


class RobotLink:
    """Connects the robots of one process with the people who help them."""

    def __init__(
        self,
        robots: Sequence[RobotInfo],
        config: LinkConfig,
        safety: SafetyConfig,
        *,
        about: About | None = None,
        token: str | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Nothing moves before `start`; `about`: what the process says of itself; `token` None: the environment's."""
        if len(robots) > protocol.MAX_ROBOTS:
            raise ConfigError("too many robots for one link", num_robots=len(robots), most=protocol.MAX_ROBOTS)
        self._config = config
        self._safety = safety
        self._clock_ns = clock_ns
        self._headers = auth.header(auth.robot_token() if token is None else token)
        self._tls = tls.context_for(config.url, config.ca_file)
        self._slots: Mapping[str, Mailbox] = {r.robot_id: Mailbox(r, view) for view, r in enumerate(robots)}
        self._about = about or About()
        self._inspected: list[Inspected] = []
        """Answers that leave with the next reports."""
        self._change = threading.Lock()
        self._drops: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="robot-link", daemon=True)

    def start(self) -> None:
        """Start connecting, and keep at it until `close`."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Hang up; what was not sent is forgotten, as newer state would have replaced it."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(timeout_s)

    # --- control loop's side: never waits --------------------------------------------------------

    def people(self, robot_id: str) -> People:
        """What the robot knows of people now; a frozen snapshot."""
        return self._slots[robot_id].people

    def report(self, robot_id: str, state: RobotState) -> None:
        """Say how the robot is; only the newest report is ever sent."""
        self._slots[robot_id].state = state

    def show(self, robot_id: str, pictures: tuple[UInt8, ...]) -> None:
        """Offer the newest pictures, uint8[height, width, 3] per camera; call while `is_watched`."""
        self._slots[robot_id].pictures = (self._clock_ns(), pictures)

    def stop(self, robot_id: str, reason: str) -> None:
        """Latch a stop from the robot itself: its guard, or a button on it."""
        self._update(robot_id, stop=Stop(robot_id=robot_id, reason=reason, author=robot_id))

    def clear_stop(self, robot_id: str) -> None:
        """Take the latch off from the robot's side: a person stands next to it."""
        self._update(robot_id, stop=None)

    @property
    def is_up(self) -> bool:
        """Whether the gateway is connected."""
        return any(slot.people.is_link_up for slot in self._slots.values())

    @property
    def drops(self) -> Mapping[str, int]:
        """Commands dropped since the start, by reason."""
        return dict(self._drops)

    # --- link thread -----------------------------------------------------------------------------

    def _update(self, robot_id: str, **changes: Any) -> None:
        with self._change:
            slot = self._slots[robot_id]
            slot.people = dataclasses.replace(slot.people, **changes)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(self._stay_connected())
            except asyncio.CancelledError:
                _LOG.debug("link closed")

    async def _stay_connected(self) -> None:
        self._task = asyncio.current_task()
        wait_s = self._config.retry_first_s
        while True:
            try:
                async with connect(
                    self._config.url,
                    ssl=self._tls,
                    compression=None,
                    max_size=protocol.MAX_OPERATOR_BYTES,
                    additional_headers=self._headers,
                    open_timeout=3,
                    close_timeout=1,
                    ping_interval=2,
                    ping_timeout=5,
                ) as socket:
                    wait_s = self._config.retry_first_s
                    await self._serve(socket)
            except InvalidStatus as error:
                _LOG.error("gateway refused this robot", extra={"status": error.response.status_code})
            except (OSError, WebSocketException, TimeoutError) as error:
                _LOG.info("gateway not reached", extra={"url": self._config.url, "cause": str(error)})
            except Exception:  # whatever it is, a robot must come back to its people
                _LOG.exception("the link failed; connecting again")
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, self._config.retry_most_s)

    async def _serve(self, socket: ClientConnection) -> None:
        infos = tuple(
            dataclasses.replace(s.info, lease_epoch=s.people.lease.epoch if s.people.lease else 0)
            for s in self._slots.values()
        )
        await socket.send(codec.encode(protocol.RobotHello(robots=infos)))
        for robot_id, slot in self._slots.items():
            slot.forget_sent()
            self._update(robot_id, is_link_up=True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(socket))
                group.create_task(self._send(socket))
        except* (OSError, WebSocketException) as errors:
            _LOG.warning("gateway lost", extra={"cause": str(errors.exceptions[0])})
        finally:
            for robot_id in self._slots:
                self._update(robot_id, is_link_up=False, is_watched=False)

    async def _receive(self, socket: ClientConnection) -> None:
        async for data in socket:
            try:
                self._take(codec.decode(data, protocol.TO_ROBOT))
            except TouchlineError as error:
                self._drops["malformed"] += 1
                _LOG.warning("dropped a message", extra={"cause": str(error)})
        raise OSError("the gateway closed the connection")

    def _take(self, message: codec.Message) -> None:
        now_ns = self._clock_ns()
        robot_id: str = getattr(message, "robot_id", "")
        if isinstance(message, protocol.Refused):
            raise WireError("gateway refused a message", request=message.request, reason=message.reason)
        if robot_id not in self._slots:
            raise WireError("not a robot of this process", robot_id=robot_id)
        people = self._slots[robot_id].people
        match message:
            case protocol.HumanCommand():
                if reason := command_refusal(message, people, now_ns, self._safety):
                    self._drops[reason] += 1
                else:
                    self._update(robot_id, command=message, command_received_ns=now_ns, heard_ns=now_ns)
            case Inspect():
                if len(self._inspected) < _MAX_INSPECTED:
                    self._inspected.append(self._about.answer(message))
            case LeaseState():
                self._take_lease(message, people.lease, now_ns)
            case _:
                self._update(robot_id, **_changes(message, people))

    def _take_lease(self, new: LeaseState, old: LeaseState | None, now_ns: int) -> None:
        """Epochs only grow, and a lease that ended stays ended whatever arrives late."""
        if old is not None and (new.epoch < old.epoch or (new.epoch == old.epoch and not old.is_held)):
            return
        if old is not None and new.epoch == old.epoch:
            self._update(new.robot_id, lease=new, heard_ns=now_ns)
        elif new.epoch > 0:
            self._update(new.robot_id, lease=new, heard_ns=now_ns, command=None, command_received_ns=0, instruction="")

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            now_ns = self._clock_ns()
            period_ns = int(1e9 / self._config.report_rate_hz)
            taken = (slot.take_report(now_ns, period_ns) for slot in self._slots.values())
            if states := tuple(state for state in taken if state is not None):
                await socket.send(codec.encode(protocol.Reports(states=states)))
            while self._inspected:
                await socket.send(codec.encode(self._inspected.pop(0)))
            for slot in self._slots.values():
                if socket.transport.get_write_buffer_size() < _MAX_BACKLOG_BYTES:
                    for picture in slot.take_pictures():
                        await socket.send(picture)
            await asyncio.sleep(_CYCLE_S)


def _changes(message: codec.Message, people: People) -> dict[str, Any]:
    """What a message that needs no judgement changes."""
    match message:
        case protocol.Stop():
            return {"stop": message}
        case protocol.ClearStop():
            return {"stop": None}
        case protocol.Instruct():
            return {"instruction": message.instruction, "num_instructions": people.num_instructions + 1}
        case protocol.HelpAnswered():
            return {"answers": (*people.answers, message)[-_MAX_ANSWERS:]}
        case protocol.WantFrames():
            return {"is_watched": message.rate_hz > 0}
        case _:
            return {}
