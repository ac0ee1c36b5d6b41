"""What people say: answers to requests for help, labels, marks; and what watchers say of robots.

A refusal is raised, and the gateway tells the operator who caused it - nobody else.
"""

from corrections import codec
from corrections import help_messages as helping
from corrections import operator_messages as messages
from corrections.protocol import RobotState
from corrections.room import Room
from corrections.seats import Operator
from infra.topics import LABELS, MARKS
from policy.errors import WireError
from policy.schema import HelpKind, MarkKind, Outcome

_FULL = "too many records wait for the log; try again later"


class Sayings:
    """Writes down what is said in one room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def handle(self, operator: Operator, message: codec.Message) -> None:
        """Take what somebody says.

        Raises:
            LeaseRefused: somebody else looks after the request.
            WireError: it makes no sense now, or cannot be taken.
        """
        match message:
            case messages.LabelEpisode():
                self._label(operator, message)
            case messages.MarkEpisode():
                self._mark(operator, message)
            case helping.Claim():
                case = self._room.help.desk.claim(message.request_id, operator.operator_id)
                self._room.audit(operator, message.TYPE, case.robot_id, request_id=message.request_id)
            case helping.Unclaim():
                self._room.help.desk.unclaim(message.request_id, operator.operator_id)
            case helping.AnswerHelp():
                self._answer(operator, message)
            case helping.RaiseHelp():
                self._raise(operator, message)
            case helping.Values():
                self._check_service(operator)
                self._room.pass_on(message)
            case _:
                raise WireError("not now", type=message.TYPE)
        self._room.help.tell()

    def note_instruction(self, operator: Operator, state: RobotState, instruction: str) -> None:
        """A holder gave the robot new words: put them on the episode's time line."""
        mark = messages.MarkEpisode(episode_id=state.episode_id, kind=MarkKind.INSTRUCTION, note=instruction)
        self._mark(operator, mark)

    def _label(self, operator: Operator, label: messages.LabelEpisode) -> None:
        is_taken = self._room.log.take(
            LABELS,
            episode_id=label.episode_id,
            outcome=label.outcome,
            progress=label.progress,
            reason=label.reason,
            author=operator.operator_id,
            time_ns=self._room.wall_ns(),
        )
        if not is_taken:
            raise WireError(_FULL, episode_id=label.episode_id)
        self._room.count("label")
        self._room.audit(
            operator, "label", label.episode_id, label.reason, outcome=label.outcome, progress=label.progress
        )
        self._room.help.desk.labelled(label.episode_id, label.outcome, operator.operator_id)
        receipt = messages.Receipt(episode_id=label.episode_id, outcome=label.outcome)
        operator.outbox.control(codec.encode(receipt))

    def _mark(self, operator: Operator, mark: messages.MarkEpisode) -> None:
        step_index = mark.step_index
        if step_index < 0 and mark.kind is not MarkKind.FLAG:
            step_index = self._room.step_index(mark.episode_id)
        is_taken = self._room.log.take(
            MARKS,
            episode_id=mark.episode_id,
            step_index=step_index,
            kind=mark.kind,
            note=mark.note,
            author=operator.operator_id,
            time_ns=self._room.wall_ns(),
        )
        if not is_taken:
            raise WireError(_FULL, episode_id=mark.episode_id)
        self._room.count("mark")
        self._room.audit(operator, "mark", mark.episode_id, mark.note, kind=mark.kind, step_index=step_index)
        marked = messages.Marked(episode_id=mark.episode_id, step_index=step_index, kind=mark.kind)
        operator.outbox.control(codec.encode(marked))

    def _answer(self, operator: Operator, message: helping.AnswerHelp) -> None:
        desk = self._room.help.desk
        case = desk.check(message.request_id, operator.operator_id, message.answer)
        if case.help.kind is HelpKind.CONFIRM_OUTCOME:
            label = messages.LabelEpisode(episode_id=case.episode_id, outcome=Outcome(message.answer))
            self._label(operator, label)
        else:
            desk.answer(message.request_id, operator.operator_id, message.answer)
        self._room.audit(operator, "answer", case.robot_id, request_id=message.request_id, answer=message.answer)

    def _raise(self, operator: Operator, message: helping.RaiseHelp) -> None:
        self._check_service(operator)
        state = self._room.seat(message.robot_id).state
        if state is None or not state.episode_id:
            raise WireError("this robot is between two episodes", robot_id=message.robot_id)
        if message.episode_id != state.episode_id:
            raise WireError("that episode is over", robot_id=message.robot_id, episode_id=message.episode_id[:80])
        self._room.help.raise_help(message, state)

    def _check_service(self, operator: Operator) -> None:
        if not operator.is_service:
            raise WireError("only services speak for robots", operator_id=operator.operator_id)
