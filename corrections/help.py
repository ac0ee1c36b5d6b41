"""The one list of robots that wait for a person.

A robot's own request lives in its reports: it ends when the robot stops asking, and what somebody did
about it until then (took the robot, cleared its stop) says how. A watcher's request, raised on a
robot's behalf, and the question how an episode went live here. Answers and deadlines end either at
once. Every request that was ever listed ends exactly once.
"""

from collections.abc import Callable, Iterable

from corrections import answers, codec
from corrections.help_case import EXPIRED, Case, Deed
from corrections.help_kept import KeptCase
from corrections.help_messages import OpenRequest
from corrections.help_modes import RISKY, request_of_mode
from corrections.help_outcomes import OutcomeQuestions, request_of
from corrections.help_past import Ended, Past
from corrections.protocol import Help, RobotState
from policy.errors import WireError
from policy.schema import ControlMode, HelpResult


class HelpDesk:
    """Keeps every open request. Not for several threads."""

    def __init__(
        self,
        *,
        clock_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        is_held: Callable[[str], bool] = lambda robot_id: False,
        on_open: Callable[[Case], None] = lambda case: None,
        on_end: Callable[[Ended], None] = lambda ended: None,
    ) -> None:
        """`is_held` says whether a person holds a robot; the others hear of every begin and end."""
        self._clock_ns, self._wall_ns, self._is_held = clock_ns, wall_ns, is_held
        self._on_open, self._on_end = on_open, on_end
        self._cases: dict[str, Case] = {}
        """By every name that they go by."""
        self._present: dict[str, Case] = {}
        """What each robot waits for now."""
        self._answered: dict[str, Ended] = {}
        """By robot, what was answered here and may still stand in its reports."""
        self._muted_until_ns: dict[tuple[str, str], int] = {}
        """By robot and trigger, until when watchers need not ask."""
        self._outcomes, self._past = OutcomeQuestions(), Past()
        self._claims: dict[str, KeptCase] = {}
        """Claims of before, by requests that their robots have yet to repeat."""
        self.num_changes = 0
        """Grows whenever the list changes."""

    # --- robots and watchers ---------------------------------------------------------------------

    def update(self, states: Iterable[RobotState]) -> None:
        """Take new reports."""
        for state in states:
            self._ask_outcome(state)
            self._take(state)

    def raise_help(self, request: Help, state: RobotState) -> str:
        """A watcher asks on a robot's behalf; returns the request's name, or the one it is merged with.

        Raises:
            WireError: a person has the robot already, or said a moment ago that nothing is wrong.
        """
        if self._is_held(state.robot_id):
            raise WireError("a person has this robot already", robot_id=state.robot_id)
        if self._clock_ns() < self._muted_until_ns.get((state.robot_id, request.trigger), 0):
            raise WireError("a person said that it goes on", robot_id=state.robot_id, trigger=request.trigger)
        case = self._present.get(state.robot_id)
        if case is None:
            case = self._present[state.robot_id] = self._open(state, request, is_reported=False, is_ours=True)
        return case.help.request_id

    def unheard(self, robot_id: str) -> Ended | None:
        """What was answered, and the robot may not have heard."""
        return self._answered.get(robot_id)

    def forget(self, robot_id: str) -> None:
        """The robot is gone; it may be back."""
        if (case := self._present.get(robot_id)) is not None:
            case.is_away = True
            self.num_changes += 1

    # --- over a restart ------------------------------------------------------------------------

    def kept(self) -> list[KeptCase]:
        """What nobody else knows."""
        now_ns, wall_ns = self._clock_ns(), self._wall_ns()
        self._claims = {name: one for name, one in self._claims.items() if one.claim_until_ns > wall_ns}
        ours = (case for case in self._open_cases() if not case.is_reported or case.claimant(now_ns))
        return [*self._claims.values(), *(KeptCase.of(case, now_ns, wall_ns) for case in ours)]

    def restore(self, kept: Iterable[KeptCase]) -> None:
        """Take up what a desk before knew; nothing of it is recorded once more."""
        for one in kept:
            if one.is_reported:
                self._claims[one.help.request_id] = one
                continue
            case = self._cases[one.help.request_id] = one.case(self._clock_ns(), self._wall_ns())
            if not self._outcomes.restore(one.robot_id, one.episode_id, one.help):
                case.is_away, self._present[one.robot_id] = True, case

    # --- people ----------------------------------------------------------------------------------

    def find(self, request_id: str) -> Case:
        """An open request.

        Raises:
            WireError: there is none of that name.
        """
        if (case := self._cases.get(request_id)) is None:
            raise WireError("no such request is open; somebody was faster", request_id=request_id[:80])
        return case

    def claim(self, request_id: str, operator_id: str) -> Case:
        """This person looks after it for the next 30 s.

        Raises:
            LeaseRefused: somebody else does.
            WireError: it is not open.
        """
        case = self.find(request_id)
        case.check_claim(operator_id, self._clock_ns())
        case.claim(operator_id, self._clock_ns(), self._wall_ns())
        self.num_changes += 1
        return case

    def unclaim(self, request_id: str, operator_id: str) -> None:
        """They do not, after all.

        Raises:
            LeaseRefused: somebody else does.
            WireError: it is not open.
        """
        case = self.find(request_id)
        case.check_claim(operator_id, self._clock_ns())
        case.unclaim()
        self.num_changes += 1

    def check(self, request_id: str, operator_id: str, answer: str) -> Case:
        """The open request that this person may answer so.

        Raises:
            LeaseRefused: somebody else looks after it.
            WireError: it is not open, or that is no answer to it.
        """
        case = self.find(request_id)
        case.check_claim(operator_id, self._clock_ns())
        answers.check(case.help, answer)
        return case

    def answer(self, request_id: str, operator_id: str, answer: str) -> None:
        """End a request with an answer; "take over" only claims it.

        Raises:
            LeaseRefused: somebody else looks after it.
            WireError: it is not open, or that is no answer to it.
        """
        case = self.check(request_id, operator_id, answer)
        case.claim(operator_id, self._clock_ns(), self._wall_ns())
        self.num_changes += 1
        if answer == answers.GO_ON:
            self._muted_until_ns[case.robot_id, case.help.trigger] = self._clock_ns() + int(answers.MUTE_S * 1e9)
        if answer != answers.TAKE_OVER:
            self._close(case, Deed(result=HelpResult.ANSWERED, answer=answer, author=operator_id))

    def taken_over(self, robot_id: str, operator_id: str) -> None:
        """Somebody holds the robot now."""
        deed = Deed(result=HelpResult.TAKEN_OVER, author=operator_id)
        if (case := self._present.get(robot_id)) is not None:
            case.claim(operator_id, self._clock_ns(), self._wall_ns())
            self._did(case, deed)

    def cleared(self, robot_id: str, operator_id: str) -> None:
        """Somebody cleared the robot's stop."""
        case = self._present.get(robot_id)
        if case is not None and case.help.trigger == answers.STOPPED:
            self._did(case, Deed(result=HelpResult.ANSWERED, answer=answers.CLEARED, author=operator_id))

    def labelled(self, episode_id: str, outcome: str, operator_id: str) -> None:
        """Somebody said how the episode went."""
        self._outcomes.labelled(episode_id)
        if (case := self._cases.get(request_of(episode_id))) is not None:
            case.claim(operator_id, self._clock_ns(), self._wall_ns())
            self._close(case, Deed(result=HelpResult.ANSWERED, answer=outcome, author=operator_id))

    # --- time and the list -----------------------------------------------------------------------

    def expire(self) -> None:
        """End what is over its deadline."""
        now_ns = self._clock_ns()
        for case in [case for case in self._open_cases() if case.is_over(now_ns)]:
            self._close(case, EXPIRED)

    def requests(self) -> tuple[OpenRequest, ...]:
        """Those that wait, most urgent first; as many as one message holds."""
        now_ns = self._clock_ns()
        cases = sorted((case for case in self._open_cases() if not case.is_away), key=lambda case: case.urgency)
        return tuple(case.told(now_ns, self._past.similar(case, now_ns)) for case in cases[: codec.MAX_ITEMS])

    @property
    def num_waiting_robots(self) -> int:
        """Connected robots that wait for a person."""
        return sum(not case.is_away for case in self._present.values())

    # --- details ---------------------------------------------------------------------------------

    def _take(self, state: RobotState) -> None:
        request, case = self._request(state), self._present.get(state.robot_id)
        request_id = "" if request is None else request.request_id
        if (answered := self._answered.get(state.robot_id)) is not None:
            if answered.request_id == request_id:
                return  # the robot has not heard the answer yet
            del self._answered[state.robot_id]
        if case is not None and case.is_away:
            case.is_away = False
            self.num_changes += 1
        if case is not None and request_id not in case.request_ids:
            case = self._move_on(case, request, state)
        is_covered = state.mode is ControlMode.AUTONOMOUS and self._is_held(state.robot_id)
        if case is None and request is not None and not is_covered:
            is_ours = not state.help.request_id
            case = self._present[state.robot_id] = self._open(state, request, is_reported=True, is_ours=is_ours)
        if case is not None:
            case.is_risky = state.mode in RISKY

    def _move_on(self, case: Case, request: Help | None, state: RobotState) -> Case | None:
        """The robot does not ask what is listed: the case ends, stays a watcher's, or becomes the robot's."""
        if case.is_reported or case.episode_id != state.episode_id:
            self._close(case, case.deed_of_silence(self._clock_ns()))
            return None
        if request is not None:
            case.absorb(request, self._clock_ns(), is_ours=not state.help.request_id)
            self._cases[request.request_id] = case
            self.num_changes += 1
            self._on_open(case)
        return case

    def _request(self, state: RobotState) -> Help | None:
        """What the robot asks for, in its own words where it has any."""
        case = self._present.get(state.robot_id)
        if request_id := state.help.request_id:
            return state.help if self._cases.get(request_id, case) is case else None
        present = case.help if case is not None and case.is_reported else None
        return request_of_mode(state.robot_id, state.mode, present, self._wall_ns())

    def _ask_outcome(self, state: RobotState) -> None:
        if (request := self._outcomes.next(state)) is None:
            return
        self._open(state, request, is_reported=False, is_ours=True, episode_id=state.unlabelled_episode_id)
        if (oldest := self._cases.get(self._outcomes.too_old(state.robot_id))) is not None:
            self._close(oldest, EXPIRED)

    def _open(
        self, state: RobotState, request: Help, *, is_reported: bool, is_ours: bool, episode_id: str = ""
    ) -> Case:
        case = Case(
            robot_id=state.robot_id,
            episode_id=episode_id or state.episode_id,
            task_id=state.task_id,
            help=request,
            since_ns=self._clock_ns(),
            due_from_ns=self._clock_ns(),
            asked_ns=self._wall_ns(),
            is_reported=is_reported,
            is_ours=is_ours,
        )
        self._cases[request.request_id] = case
        if (before := self._claims.pop(request.request_id, None)) is not None:
            before.claim(case, self._clock_ns(), self._wall_ns())
        self.num_changes += 1
        self._on_open(case)
        return case

    def _did(self, case: Case, deed: Deed) -> None:
        """A robot's own request ends when the robot says so, any other now."""
        case.deed = deed
        if not case.is_reported:
            self._close(case, deed)

    def _close(self, case: Case, deed: Deed) -> None:
        requests = (case.help, *case.absorbed)
        for request in requests:
            del self._cases[request.request_id]
        ends = [
            Ended(help=request, case=case, deed=deed, ended_at_ns=self._clock_ns(), ended_ns=self._wall_ns())
            for request in requests
        ]
        if self._present.get(case.robot_id) is case:
            del self._present[case.robot_id]
            if case.is_reported and deed.result in (HelpResult.ANSWERED, HelpResult.EXPIRED):
                self._answered[case.robot_id] = ends[0]
        self.num_changes += 1
        self._past.add(ends[0])
        for ended in ends:
            self._on_end(ended)

    def _open_cases(self) -> list[Case]:
        return list({id(case): case for case in self._cases.values()}.values())
