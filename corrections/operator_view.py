"""What an operator's connection has been told so far: robots, reports, leases, requests."""

from collections.abc import Callable, Mapping

from corrections import codec, frames, protocol
from corrections import help_messages as helping
from corrections import operator_messages as messages
from corrections.protocol import LeaseState, RobotInfo
from corrections.wish import Seen


class OperatorView:
    """Updated by every message from the gateway."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self.clock_ns = clock_ns
        self.held: LeaseState | None = None
        """The lease of the robot that this person holds."""
        self.refusals: dict[str, protocol.Refused] = {}
        """Newest refusal by type of request."""
        self.robots: Mapping[str, RobotInfo] = {}
        self.seen: dict[str, Seen] = {}
        self.leases: dict[str, LeaseState] = {}
        self.frames: dict[tuple[int, int], frames.Frame] = {}
        """Newest pictures by (view, camera)."""
        self.help: tuple[helping.OpenRequest, ...] = ()
        self.values: dict[str, helping.LiveValue] = {}
        """A critic's newest value by robot."""
        self.asked: messages.Asked | None = None
        """A colleague's question that waits for `answer`."""
        self.receipt: messages.Receipt | None = None
        self.marked: messages.Marked | None = None
        """The newest mark that was taken."""
        self.pong: messages.Pong | None = None
        self.last_refusal: protocol.Refused | None = None

    def holds(self, robot_id: str) -> bool:
        """Whether this connection holds the robot."""
        return self.held is not None and self.held.robot_id == robot_id

    def take(self, message: codec.Message) -> None:
        """Learn from one message."""
        now_ns = self.clock_ns()
        match message:
            case protocol.Reports():
                for state in message.states:
                    self.seen[state.robot_id] = Seen(state=state, received_ns=now_ns)
            case LeaseState():
                self._take_lease(message)
            case messages.Roster():
                self.robots = {info.robot_id: info for info in message.robots}
                self.seen = {robot_id: s for robot_id, s in self.seen.items() if robot_id in self.robots}
            case helping.HelpList():
                self.help = message.requests
            case helping.Values():
                self.values |= {value.robot_id: value for value in message.values}
            case protocol.Refused():
                self.last_refusal = message
                self.refusals[message.request] = message
            case _:
                self._take_answer(message)

    def _take_answer(self, message: codec.Message) -> None:
        match message:
            case messages.Asked():
                self.asked = message
            case messages.Receipt():
                self.receipt = message
            case messages.Marked():
                self.marked = message
            case messages.Pong():
                self.pong = message

    def _take_lease(self, lease: LeaseState) -> None:
        self.leases[lease.robot_id] = lease
        if lease.is_yours:
            self.held = lease
        elif self.holds(lease.robot_id):
            self.held = None
            self.asked = None
