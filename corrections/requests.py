"""What operators may ask of robots, one method each; what they say about episodes is in `sayings.py`.

A refusal is raised, and the gateway tells the operator who caused it - nobody else.
"""

import dataclasses
import logging

from corrections import codec, protocol
from corrections import operator_messages as messages
from corrections.inspection import Inspect
from corrections.room import Room
from corrections.sayings import Sayings
from corrections.seats import Operator
from policy.errors import LeaseRefused, WireError

_LOG = logging.getLogger(__name__)


class Requests:
    """Answers operators on behalf of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._sayings = Sayings(room)

    def handle(self, operator: Operator, message: codec.Message) -> None:
        """Do what a person asks.

        Raises:
            LeaseRefused: somebody else holds the robot, or the epoch is old.
            WireError: the robot is not connected, or what was said could not be taken.
        """
        match message:
            case protocol.HumanCommand():
                self._command(operator, message)
            case messages.Renew():
                self._renew(operator, message)
            case messages.Acquire():
                self._acquire(operator, message)
            case messages.Release():
                self._room.leases.release(message.robot_id, operator.session, message.lease_epoch)
                self._room.tell_lease(message.robot_id, "released")
            case messages.Answer():
                self._answer(operator, message)
            case protocol.Stop() | protocol.ClearStop():
                self._pass_stop(operator, message)
            case protocol.Instruct():
                self._instruct(operator, message)
            case messages.Watch() | Inspect():
                self._look(operator, message)
            case messages.Ping():
                operator.outbox.control(codec.encode(messages.Pong(id=message.id)))
            case _:
                self._sayings.handle(operator, message)

    def _command(self, operator: Operator, command: protocol.HumanCommand) -> None:
        self._room.leases.heard(
            command.robot_id,
            operator.session,
            command.lease_epoch,
            self._room.clock_ns(),
            is_deadman_held=command.is_deadman_held,
        )
        self._room.seat(command.robot_id).process.outbox.newest("command", command.robot_id, codec.encode(command))

    def _renew(self, operator: Operator, renew: messages.Renew) -> None:
        self._room.leases.heard(renew.robot_id, operator.session, renew.lease_epoch, self._room.clock_ns())
        lease = codec.encode(self._room.leases.state(renew.robot_id))
        self._room.seat(renew.robot_id).process.outbox.newest("lease", renew.robot_id, lease)

    def _acquire(self, operator: Operator, acquire: messages.Acquire) -> None:
        robot_id, now_ns = acquire.robot_id, self._room.clock_ns()
        self._room.seat(robot_id)
        reason = acquire.reason.strip()
        if acquire.force and not reason:
            raise LeaseRefused("taking a robot from its holder needs a reason", robot_id=robot_id)
        lease = self._room.leases.state(robot_id, operator.session)
        if acquire.ask and lease.is_held and not lease.is_yours and not acquire.force:
            self._ask(operator, acquire, now_ns)
            return
        force_reason = reason if acquire.force else ""
        self._room.leases.acquire(robot_id, operator.session, operator.operator_id, now_ns, force_reason=force_reason)
        is_taken = lease.is_held and lease.operator_id != operator.operator_id
        if not lease.is_yours:
            action = "force_take_over" if is_taken else "take_over"
            self._room.audit(operator, action, robot_id, reason, holder=lease.operator_id)
        if is_taken:
            _LOG.warning(
                "lease taken",
                extra={
                    "robot_id": robot_id,
                    "holder": lease.operator_id,
                    "operator_id": operator.operator_id,
                    "reason": reason,
                },
            )
        self._room.tell_lease(robot_id, "granted")

    def _ask(self, operator: Operator, acquire: messages.Acquire, now_ns: int) -> None:
        session = self._room.leases.ask(acquire.robot_id, operator.session, operator.operator_id, now_ns)
        if session is not None and session in self._room.operators:
            asked = messages.Asked(
                robot_id=acquire.robot_id,
                operator_id=operator.operator_id,
                reason=acquire.reason,
                answer_within_s=self._room.leases.config.answer_within_s,
            )
            self._room.operators[session].outbox.control(codec.encode(asked))

    def _answer(self, operator: Operator, answer: messages.Answer) -> None:
        ask = self._room.leases.answer(answer.robot_id, operator.session, self._room.clock_ns(), give=answer.give)
        asker = self._room.operators.get(ask.session)
        if answer.give:
            if asker is not None:
                self._room.audit(asker, "take_over", answer.robot_id, given_by=operator.operator_id)
            self._room.tell_lease(answer.robot_id, "given")
        elif asker is not None:
            refused = protocol.Refused(request="acquire", robot_id=answer.robot_id, reason="the holder keeps the robot")
            asker.outbox.control(codec.encode(refused))

    def _pass_stop(self, operator: Operator, message: protocol.Stop | protocol.ClearStop) -> None:
        signed = dataclasses.replace(message, author=operator.operator_id)
        self._room.seat(message.robot_id).process.outbox.control(codec.encode(signed))
        self._room.count(message.TYPE)
        self._room.audit(operator, message.TYPE, message.robot_id, message.reason)
        if isinstance(message, protocol.ClearStop):
            self._room.help.desk.cleared(message.robot_id, operator.operator_id)
        _LOG.warning(
            message.TYPE,
            extra={
                "robot_id": message.robot_id,
                "operator_id": operator.operator_id,
                "reason": message.reason,
            },
        )

    def _instruct(self, operator: Operator, instruct: protocol.Instruct) -> None:
        lease, seat = self._room.leases.state(instruct.robot_id, operator.session), self._room.seat(instruct.robot_id)
        if lease.is_held and not lease.is_yours:
            raise LeaseRefused("somebody else holds this robot", robot_id=instruct.robot_id, holder=lease.operator_id)
        if not lease.is_held and (seat.state is None or not seat.state.episode_id):
            raise WireError("this robot is between two episodes; words last for one", robot_id=instruct.robot_id)
        signed = dataclasses.replace(instruct, author=operator.operator_id)
        seat.process.outbox.control(codec.encode(signed))
        if seat.state is not None and seat.state.episode_id:
            self._sayings.note_instruction(operator, seat.state, instruct.instruction)

    def _look(self, operator: Operator, message: messages.Watch | Inspect) -> None:
        if isinstance(message, Inspect):
            signed = dataclasses.replace(message, asked_by=operator.session)
            self._room.seat(message.robot_id).process.outbox.control(codec.encode(signed))
            return
        operator.watch = message
        self._room.show(operator)
        self._room.update_frames()
