"""Who sits in the gateway's room: robot processes, their robots, people and watchers."""

import dataclasses

from corrections import operator_messages as messages
from corrections.outbox import Outbox
from corrections.protocol import RobotInfo, RobotState


@dataclasses.dataclass(kw_only=True)
class RobotProcess:
    """One connected process and its robots."""

    outbox: Outbox
    robots: tuple[RobotInfo, ...]


@dataclasses.dataclass(kw_only=True)
class Operator:
    """One connected person, or a service that watches."""

    session: int
    hello: messages.OperatorHello
    outbox: Outbox
    watch: messages.Watch = dataclasses.field(default_factory=messages.Watch)

    @property
    def operator_id(self) -> str:
        """Their name."""
        return self.hello.operator_id

    @property
    def is_service(self) -> bool:
        """Whether this is a watcher such as the critic."""
        return self.hello.kind is messages.PeerKind.SERVICE

    def sees(self, robot_id: str) -> bool:
        """Whether they want this robot's reports."""
        return self.watch.is_all or robot_id in self.watch.robot_ids


@dataclasses.dataclass(kw_only=True)
class Seat:
    """One connected robot."""

    info: RobotInfo
    process: RobotProcess
    state: RobotState | None = None
    """Newest report."""
    fragment: str = ""
    """The same as JSON, written once for all operators."""
    wants_frames: bool = False
