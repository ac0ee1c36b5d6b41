"""Where robots and operators meet: routes every message, asks the lease book, and never waits.

All methods run on the gateway's event loop and only put into outboxes, so no slow or hostile peer
can hold up another. A refusal is raised, and the gateway tells the peer that caused it - nobody else.
"""

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path

from corrections import codec, frames, protocol
from corrections import operator_messages as messages
from corrections.help_line import HelpLine
from corrections.help_messages import Values
from corrections.inspection import Inspected
from corrections.lease import LeaseBook
from corrections.outbox import Outbox
from corrections.protocol import RobotState
from corrections.record_log import RecordLog
from corrections.seats import Operator, RobotProcess, Seat
from corrections.tally import Tally
from infra.topics import AUDIT
from policy.errors import WireError
from policy.schema import ControlMode

_LOG = logging.getLogger(__name__)
_FRAME_RATE_HZ = 15.0


class Room:
    """Everybody who is connected."""

    def __init__(
        self,
        leases: LeaseBook,
        log: RecordLog,
        *,
        clock_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        tally: Tally,
        help_file: Path | None = None,
    ) -> None:
        """`help_file` keeps over a restart what only the help desk knows."""
        self.leases = leases
        self.log = log
        self.clock_ns = clock_ns
        self.wall_ns = wall_ns
        self.count = tally.event
        self._robots: dict[str, Seat] = {}
        self.operators: dict[int, Operator] = {}
        self.help = HelpLine(
            log,
            tally,
            clock_ns=clock_ns,
            wall_ns=wall_ns,
            is_held=lambda robot_id: leases.state(robot_id).is_held,
            tell_robot=self.tell_robot,
            tell_people=self._tell_help,
            file=help_file,
        )
        self._num_sessions = 0

    @property
    def num_robots(self) -> int:
        """Connected robots."""
        return len(self._robots)

    @property
    def num_operators(self) -> int:
        """Connected operators."""
        return len(self.operators)

    # --- robots ----------------------------------------------------------------------------------

    def robot_joined(self, hello: protocol.RobotHello, outbox: Outbox) -> RobotProcess:
        """Take the robots of a process in.

        Raises:
            WireError: another protocol version, or one of its robots is connected already.
        """
        _check_protocol(hello.protocol)
        if taken := [info.robot_id for info in hello.robots if info.robot_id in self._robots]:
            raise WireError("a robot of this name is connected already", robot_id=taken[0])
        process = RobotProcess(outbox=outbox, robots=hello.robots)
        for info in hello.robots:
            self._robots[info.robot_id] = Seat(info=info, process=process)
            self.leases.robot_connected(info.robot_id, info.lease_epoch)
            if (lease := self.leases.state(info.robot_id)).epoch:
                outbox.control(codec.encode(lease))
            self.help.joined(info.robot_id)
        self._tell_roster()
        self.update_frames()
        return process

    def robot_left(self, process: RobotProcess) -> None:
        """The process hung up; leases run out by silence unless it is back before."""
        for info in process.robots:
            del self._robots[info.robot_id]
            self.help.desk.forget(info.robot_id)
        self._tell_roster()
        self.help.tell()

    def robot_reports(self, process: RobotProcess, reports: protocol.Reports) -> None:
        """Pass reports on to whoever watches.

        Raises:
            WireError: a report of a robot that is not this process's.
        """
        for state in reports.states:
            seat = self._robots.get(state.robot_id)
            if seat is None or seat.process is not process:
                raise WireError("a report of a robot that is not yours", robot_id=state.robot_id)
            seat.state, seat.fragment = state, codec.fragment(state)
            for operator in self.operators.values():
                if operator.sees(state.robot_id):
                    operator.outbox.report(state.robot_id, seat.fragment)
            self._check_lost(state)
        self.help.update(reports.states)

    def robot_picture(self, process: RobotProcess, data: bytes) -> None:
        """Pass a picture on to whoever watches that robot's pictures.

        Raises:
            WireError: not a picture, or of no robot of this process.
        """
        frame = frames.unpack(data)
        if frame.view >= len(process.robots):
            raise WireError("a picture of a robot that is not yours", view=frame.view)
        robot_id = process.robots[frame.view].robot_id
        for operator in self.operators.values():
            if robot_id in operator.watch.frames_of:
                view = operator.watch.frames_of.index(robot_id)
                operator.outbox.picture(view, frame.camera, frames.pack(dataclasses.replace(frame, view=view)))

    def robot_inspected(self, process: RobotProcess, inspected: Inspected) -> None:
        """Pass what a process says of itself on to whoever asked, if they are still there.

        Raises:
            WireError: a robot that is not this process's.
        """
        if self.seat(inspected.robot_id).process is not process:
            raise WireError("an answer of a robot that is not yours", robot_id=inspected.robot_id)
        if (operator := self.operators.get(inspected.asked_by)) is not None:
            operator.outbox.control(codec.encode(inspected))

    # --- operators -------------------------------------------------------------------------------

    def operator_joined(self, hello: messages.OperatorHello, outbox: Outbox) -> Operator:
        """Let a person or a watcher in and show them everything there is.

        Raises:
            WireError: another protocol version.
        """
        _check_protocol(hello.protocol)
        self._num_sessions += 1
        operator = Operator(session=self._num_sessions, hello=hello, outbox=outbox)
        self.operators[operator.session] = operator
        outbox.control(codec.encode(self._roster()))
        for robot_id in self._robots:
            outbox.control(codec.encode(self.leases.state(robot_id, operator.session)))
        self.show(operator)
        outbox.newest("help", "", self.help.text())
        return operator

    def operator_left(self, operator: Operator) -> None:
        """The person's connection is gone."""
        del self.operators[operator.session]
        for robot_id in self.leases.session_closed(operator.session):
            _LOG.warning("holder gone", extra={"robot_id": robot_id, "operator_id": operator.operator_id})
        self.update_frames()

    # --- time ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """End leases that are over, and keep waiting times fresh; call about ten times a second."""
        now_ns = self.clock_ns()
        for robot_id in list(self.leases.expire(now_ns)):
            self.tell_lease(robot_id, "expired")
        for robot_id, ask in list(self.leases.unanswered(now_ns)):
            if (asker := self.operators.get(ask.session)) is not None:
                refused = protocol.Refused(request="acquire", robot_id=robot_id, reason="the holder did not answer")
                asker.outbox.control(codec.encode(refused))
        self.help.tick()

    def _check_lost(self, state: RobotState) -> None:
        if state.mode is ControlMode.LOST and self.leases.lost(state.robot_id, state.lease_epoch):
            self.tell_lease(state.robot_id, "lost")

    def seat(self, robot_id: str) -> Seat:
        """A connected robot.

        Raises:
            WireError: there is none of that name.
        """
        if (seat := self._robots.get(robot_id)) is None:
            raise WireError("no such robot is connected", robot_id=robot_id[:80], known=sorted(self._robots)[:20])
        return seat

    def step_index(self, episode_id: str) -> int:
        """The latest step of a running episode; -1 where it does not run here."""
        states = (seat.state for seat in self._robots.values())
        return next((max(0, s.step_index - 1) for s in states if s is not None and s.episode_id == episode_id), -1)

    def show(self, operator: Operator) -> None:
        """The newest reports of what the operator watches."""
        for robot_id, seat in self._robots.items():
            if seat.fragment and operator.sees(robot_id):
                operator.outbox.report(robot_id, seat.fragment)

    def tell_lease(self, robot_id: str, event: str) -> None:
        """Tell the robot and every operator who holds it now."""
        lease = self.leases.state(robot_id)
        self.count(f"lease_{event}")
        _LOG.info(
            "lease " + event,
            extra={"robot_id": robot_id, "epoch": lease.epoch, "operator_id": lease.operator_id},
        )
        self.tell_robot(robot_id, lease)
        if lease.is_held:
            self.help.desk.taken_over(robot_id, lease.operator_id)
            self.help.tell()
        for operator in self.operators.values():
            operator.outbox.control(codec.encode(self.leases.state(robot_id, operator.session)))

    def tell_robot(self, robot_id: str, message: codec.Message) -> None:
        """Send a control message to a robot, if it is connected."""
        if (seat := self._robots.get(robot_id)) is not None:
            seat.process.outbox.control(codec.encode(message))

    def pass_on(self, values: Values) -> None:
        """Live values to whoever watches those robots; newest only."""
        for value in values.values:
            text = codec.encode(Values(values=(value,)))
            for operator in self.operators.values():
                if operator.sees(value.robot_id) and not operator.is_service:
                    operator.outbox.newest(Values.TYPE, value.robot_id, text)

    def audit(self, operator: Operator, action: str, subject: str, reason: str = "", **detail: object) -> None:
        """Write down who did what; a full log is said and does not keep anybody from doing it."""
        is_taken = self.log.take(
            AUDIT,
            time_ns=self.wall_ns(),
            author=operator.operator_id,
            role=operator.hello.role,
            action=action,
            subject=subject,
            reason=reason,
            detail=json.dumps(detail),
        )
        if not is_taken:
            _LOG.error("the log is full; the audit misses an entry", extra={"action": action, "subject": subject})

    def _roster(self) -> messages.Roster:
        return messages.Roster(robots=tuple(seat.info for seat in self._robots.values()))

    def _tell_roster(self) -> None:
        text = codec.encode(self._roster())
        for operator in self.operators.values():
            operator.outbox.control(text)

    def _tell_help(self) -> None:
        if self.operators:
            text = self.help.text()
            for operator in self.operators.values():
                operator.outbox.newest("help", "", text)

    def update_frames(self) -> None:
        """Tell robots to send pictures only while somebody watches them."""
        wanted = {robot_id for operator in self.operators.values() for robot_id in operator.watch.frames_of}
        for robot_id, seat in self._robots.items():
            if seat.wants_frames != (robot_id in wanted):
                seat.wants_frames = robot_id in wanted
                want = protocol.WantFrames(robot_id=robot_id, rate_hz=_FRAME_RATE_HZ if seat.wants_frames else 0.0)
                seat.process.outbox.control(codec.encode(want))


def _check_protocol(version: int) -> None:
    if version != protocol.PROTOCOL_VERSION:
        raise WireError("another version of the protocol", got=version, expected=protocol.PROTOCOL_VERSION)
