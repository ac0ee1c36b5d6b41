"""Whatever robots, watchers, people and time do: every request that was listed ends once, and one at a time."""

import collections
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from corrections import answers
from corrections.help import HelpDesk
from corrections.help_case import Case
from corrections.help_past import Ended
from corrections.protocol import Help, RobotState
from policy.errors import LeaseRefused, WireError
from policy.schema import ControlMode, HelpKind

S = 1_000_000_000
ROBOTS = st.sampled_from(["a", "b"])
PEOPLE = st.sampled_from(["ann", "bob"])
OPTIONS = (answers.TAKE_OVER, answers.TRY_AGAIN, answers.GO_ON)


class Robot:
    """Asks under a new name each time, and hears of answers late or never."""

    def __init__(self, robot_id: str) -> None:
        self.robot_id = robot_id
        self.mode = ControlMode.AUTONOMOUS
        self.request = Help()
        self.episode = 0
        self.num_requests = 0
        self.unlabelled = ""

    def report(self) -> RobotState:
        return RobotState(
            robot_id=self.robot_id,
            mode=self.mode,
            episode_id=f"{self.robot_id}-{self.episode}",
            help=self.request,
            unlabelled_episode_id=self.unlabelled,
        )


class Desk(RuleBasedStateMachine):
    """Two robots, two people and a watcher."""

    @initialize()
    def start(self) -> None:
        self.now_ns = S
        self.robots = {name: Robot(name) for name in ("a", "b")}
        self.held: set[str] = set()
        self.listed: set[str] = set()
        self.ended: collections.Counter[str] = collections.Counter()
        self.num_raised = 0
        self.desk = HelpDesk(
            clock_ns=lambda: self.now_ns,
            wall_ns=lambda: self.now_ns,
            is_held=lambda robot_id: robot_id in self.held,
            on_open=self.opened,
            on_end=self.over,
        )

    def opened(self, case: Case) -> None:
        self.listed.update(case.request_ids)

    def over(self, ended: Ended) -> None:
        self.ended[ended.request_id] += 1

    def attempt(self, what: Any, *words: Any) -> None:
        try:
            what(*words)
        except (LeaseRefused, WireError):
            return

    @rule(name=ROBOTS, deadline_s=st.sampled_from([0.0, 3.0]))
    def ask(self, name: str, deadline_s: float) -> None:
        robot = self.robots[name]
        robot.num_requests += 1
        robot.request = Help(
            request_id=f"{name}-{robot.episode}-h{robot.num_requests}",
            kind=HelpKind.CHOOSE,
            trigger="no_progress",
            options=OPTIONS,
            deadline_s=deadline_s,
        )

    @rule(name=ROBOTS)
    def need_nobody(self, name: str) -> None:
        self.robots[name].request = Help()

    @rule(name=ROBOTS, mode=st.sampled_from(list(ControlMode)))
    def change_mode(self, name: str, mode: ControlMode) -> None:
        self.robots[name].mode = mode

    @rule(name=ROBOTS, is_judged=st.booleans())
    def end_episode(self, name: str, is_judged: bool) -> None:
        robot = self.robots[name]
        if not is_judged:
            robot.unlabelled = f"{name}-{robot.episode}"
        robot.episode, robot.request = robot.episode + 1, Help()

    @rule(name=ROBOTS)
    def report(self, name: str) -> None:
        self.now_ns += 1
        self.desk.update([self.robots[name].report()])

    @rule(name=ROBOTS)
    def go_away(self, name: str) -> None:
        self.desk.forget(name)

    @rule(name=ROBOTS)
    def watch(self, name: str) -> None:
        self.num_raised += 1
        request = Help(
            request_id=f"raised-{self.num_raised}", kind=HelpKind.CHOOSE, trigger="value_drop", options=OPTIONS
        )
        self.attempt(self.desk.raise_help, request, self.robots[name].report())

    @rule(person=PEOPLE, data=st.data(), answer=st.sampled_from([*OPTIONS, "done"]))
    def speak(self, person: str, data: Any, answer: str) -> None:
        if open_now := self.desk.requests():
            request = data.draw(st.sampled_from(open_now))
            self.attempt(self.desk.claim, request.request_id, person)
            self.attempt(self.desk.answer, request.request_id, person, answer)

    @rule(name=ROBOTS, person=PEOPLE)
    def take_over(self, name: str, person: str) -> None:
        self.held.add(name)
        self.desk.taken_over(name, person)

    @rule(name=ROBOTS)
    def hand_back(self, name: str) -> None:
        self.held.discard(name)

    @rule(name=ROBOTS, person=PEOPLE)
    def clear(self, name: str, person: str) -> None:
        self.desk.cleared(name, person)

    @rule(name=ROBOTS, person=PEOPLE)
    def label(self, name: str, person: str) -> None:
        self.desk.labelled(self.robots[name].unlabelled, "success", person)

    @rule(seconds=st.sampled_from([0.1, 2.5, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_ns += int(seconds * S)
        self.desk.expire()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "desk"):
            return
        still_open = set(self.desk._cases)
        assert set(self.ended) | still_open == self.listed
        assert not set(self.ended) & still_open
        assert set(self.ended.values()) <= {1}
        present = [r.robot_id for r in self.desk.requests() if r.kind is not HelpKind.CONFIRM_OUTCOME]
        assert len(present) == len(set(present)), "a robot waits for one thing at a time"


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
