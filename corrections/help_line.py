"""The help desk at work in the gateway: its list to people, its answers to robots, its records to the log."""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from corrections import codec, protocol
from corrections.help import HelpDesk
from corrections.help_case import Case
from corrections.help_kept import HelpFile
from corrections.help_messages import HelpList, RaiseHelp
from corrections.help_past import Ended
from corrections.protocol import RobotState
from corrections.record_log import RecordLog
from corrections.tally import Tally
from infra.topics import HELP_ANSWERS, HELP_REQUESTS
from policy.schema import HelpKind, HelpResult

_LOG = logging.getLogger(__name__)
_PERIOD_NS = 1_000_000_000
_TOLD = (HelpResult.ANSWERED, HelpResult.EXPIRED)
"""Ends that robots must hear of."""


class HelpLine:
    """Connects one desk with everybody."""

    def __init__(
        self,
        log: RecordLog,
        tally: Tally,
        *,
        clock_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        is_held: Callable[[str], bool],
        tell_robot: Callable[[str, codec.Message], None],
        tell_people: Callable[[], None],
        file: Path | None = None,
    ) -> None:
        """`tell_people` is called whenever the list (`text`) changed, and once a second; `file` outlives us."""
        self._log, self._tally, self._clock_ns, self._wall_ns = log, tally, clock_ns, wall_ns
        self._tell_robot, self._tell_people = tell_robot, tell_people
        self.desk = HelpDesk(
            clock_ns=clock_ns, wall_ns=wall_ns, is_held=is_held, on_open=self._opened, on_end=self._ended
        )
        self._file = HelpFile(file)
        self.desk.restore(self._file.read())
        self._num_told = 0
        self._due_ns = 0
        self._ticked_ns = clock_ns()

    def text(self) -> str:
        """The list as a message."""
        return codec.encode(HelpList(requests=self.desk.requests()))

    def update(self, states: Iterable[RobotState]) -> None:
        """Take new reports."""
        self.desk.update(states)
        self.tell()

    def joined(self, robot_id: str) -> None:
        """A robot is back: what it may not have heard is said again."""
        if (ended := self.desk.unheard(robot_id)) is not None:
            self._answer(ended)

    def raise_help(self, message: RaiseHelp, state: RobotState) -> None:
        """A watcher asks on a robot's behalf.

        Raises:
            WireError: nobody needs to ask now.
        """
        self.desk.raise_help(message.help(f"{message.robot_id}-raised-{self._wall_ns()}"), state)
        self.tell()

    def tick(self) -> None:
        """Deadlines, and waiting times kept fresh; call about ten times a second."""
        now_ns = self._clock_ns()
        self._tally.waited(self.desk.num_waiting_robots, (now_ns - self._ticked_ns) / 1e9)
        self._ticked_ns = now_ns
        self.desk.expire()
        self.tell(is_due=now_ns >= self._due_ns and bool(self.desk.requests()))

    def tell(self, *, is_due: bool = False) -> None:
        """Tell people the list if it changed."""
        if is_due or self.desk.num_changes != self._num_told:
            self._num_told, self._due_ns = self.desk.num_changes, self._clock_ns() + _PERIOD_NS
            self._tell_people()
            self._file.write(self.desk.kept())

    def _opened(self, case: Case) -> None:
        """Record what the robot itself has not recorded."""
        asked = case.help
        if not case.is_ours:
            return
        is_taken = self._log.take(
            HELP_REQUESTS,
            robot_id=case.robot_id,
            request_id=asked.request_id,
            episode_id=case.episode_id,
            kind=asked.kind,
            trigger=asked.trigger,
            severity=asked.severity,
            reason=asked.reason,
            question=asked.question,
            options=json.dumps(asked.options),
            deadline_s=asked.deadline_s,
            fallback=asked.fallback,
            time_ns=case.asked_ns,
        )
        self._check(is_taken, asked.request_id)

    def _ended(self, ended: Ended) -> None:
        case, deed = ended.case, ended.deed
        is_taken = self._log.take(
            HELP_ANSWERS,
            request_id=ended.request_id,
            robot_id=case.robot_id,
            kind=ended.help.kind,
            trigger=ended.help.trigger,
            result=deed.result,
            answer=deed.answer,
            author=deed.author,
            asked_ns=case.asked_ns,
            claimed_ns=case.claimed_ns,
            ended_ns=ended.ended_ns,
        )
        self._check(is_taken, ended.request_id)
        self._tally.help_ended(ended)
        if deed.result in _TOLD and ended.help.kind is not HelpKind.CONFIRM_OUTCOME:
            self._answer(ended)

    def _answer(self, ended: Ended) -> None:
        answered = protocol.HelpAnswered(
            robot_id=ended.case.robot_id,
            request_id=ended.request_id,
            episode_id=ended.case.episode_id,
            trigger=ended.help.trigger,
            result=ended.deed.result,
            answer=ended.deed.answer,
            author=ended.deed.author,
            fallback=ended.help.fallback,
        )
        self._tell_robot(ended.case.robot_id, answered)

    def _check(self, is_taken: bool, request_id: str) -> None:
        if not is_taken:
            _LOG.error("the log is full; a request for help is not recorded", extra={"request_id": request_id})
