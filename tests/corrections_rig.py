"""A robot without a body, and a gateway in this process: real sockets, real threads, small numbers."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from corrections.gateway import Gateway, GatewayConfig
from corrections.intervention import InterventionState, SafetyConfig, advance, human_action, ramp
from corrections.lease import LeaseConfig
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.operator_messages import PeerKind
from corrections.protocol import Help, RobotInfo, RobotState
from corrections.record_log import RecordLog
from corrections.robot_link import LinkConfig, RobotLink
from infra.memory_bus import MemoryBus
from infra.roster import Roster
from infra.topics import Topic
from infra.wire import decode, records
from policy.schema import ControlMode
from policy.spec import ChannelSpec, EmbodimentSpec

SPEC = EmbodimentSpec(
    name="rig",
    control_rate_hz=20,
    state=(),
    tactile=(),
    action=tuple(ChannelSpec(name=f"move_{axis}", unit="m/s", low=-0.5, high=1.0) for axis in "xyz"),
    cameras=(),
)
PATIENT = SafetyConfig(max_command_age_ms=2_000, hold_after_ms=2_000, lost_after_ms=6_000)
"""For tests about something else: a busy machine must not trip the watchdog."""
DEADLINE_S = 10.0


class RigRobot:
    """Ticks on a thread as an actor does, and remembers what it did."""

    def __init__(
        self,
        url: str,
        robot_id: str = "r1",
        *,
        safety: SafetyConfig = PATIENT,
        token: str = "",
        ca_file: str = "",
    ) -> None:
        info = RobotInfo(robot_id=robot_id, spec=SPEC.to_json(), is_simulated=True)
        self.robot_id = robot_id
        self.link = RobotLink([info], LinkConfig(url=url, ca_file=ca_file), safety, token=token)
        self.history: list[tuple[ControlMode, tuple[float, ...]]] = []
        self.safety = safety
        self.state = InterventionState()
        self.episode_id = "e1"
        self.help = Help()
        """What it asks for."""
        self.unlabelled_episode_id = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def mode(self) -> ControlMode:
        return self.state.mode

    def _run(self) -> None:
        step_index = 0
        while not self._stopping.wait(0.02):
            now_ns = time.monotonic_ns()
            people = self.link.people(self.robot_id)
            self.state = advance(self.state, people, now_ns, self.safety)
            action: tuple[float, ...] = ()
            if self.state.mode is ControlMode.CORRECTING and people.command is not None:
                action = tuple(human_action(people.command, SPEC, ramp(self.state, now_ns, self.safety)).tolist())
            self.history.append((self.state.mode, action))
            step_index += 1
            self.link.report(
                self.robot_id,
                RobotState(
                    robot_id=self.robot_id,
                    mode=self.state.mode,
                    episode_id=self.episode_id,
                    step_index=step_index,
                    lease_epoch=people.lease.epoch if people.lease else 0,
                    help=self.help,
                    unlabelled_episode_id=self.unlabelled_episode_id,
                ),
            )

    def start(self) -> None:
        self.link.start()
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.link.close()


@contextlib.contextmanager
def ticking(
    url: str, robot_id: str = "r1", *, safety: SafetyConfig = PATIENT, token: str = "", ca_file: str = ""
) -> Iterator[RigRobot]:
    robot = RigRobot(url, robot_id, safety=safety, token=token, ca_file=ca_file)
    robot.start()
    try:
        yield robot
    finally:
        robot.close()


@contextlib.asynccontextmanager
async def running_gateway(
    bus: MemoryBus | None = None,
    lease: LeaseConfig | None = None,
    port: int = 0,
    *,
    operator_token: str = "",
    robot_token: str = "",
    roster: Roster | None = None,
    config: GatewayConfig | None = None,
) -> AsyncIterator[Gateway]:
    bus = bus or MemoryBus()
    bus.ensure_topics()
    log = RecordLog(lambda: bus)
    log.start()
    config = config or GatewayConfig(port=port)
    leases = lease or LeaseConfig(lost_after_s=6)
    members = roster or Roster(())
    async with Gateway(
        config, leases, log, operator_token=operator_token, robot_token=robot_token, roster=lambda: members
    ) as gateway:
        yield gateway
    await asyncio.to_thread(log.close, 0.5)


def robot_url(gateway: Gateway) -> str:
    return f"ws://127.0.0.1:{gateway.port}/robot"


def operator(
    gateway: Gateway,
    name: str = "ann",
    *,
    token: str = "",
    kind: PeerKind = PeerKind.PERSON,
    clock_ns: Callable[[], int] = time.monotonic_ns,
) -> OperatorClient:
    config = OperatorConfig(url=f"ws://127.0.0.1:{gateway.port}/operator", operator_id=name, timeout_s=DEADLINE_S)
    return OperatorClient(config, token=token, kind=kind, clock_ns=clock_ns)


def logged(bus: MemoryBus, topic: Topic) -> list[Any]:
    """Every record of a topic so far."""
    return [
        record
        for message in bus.consumer(topic.name, "earliest").poll(0.0)
        for record in records(topic, decode(topic, message.value))
    ]


async def until(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, or fail."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, "the condition did not come true in time"
        await asyncio.sleep(0.01)
