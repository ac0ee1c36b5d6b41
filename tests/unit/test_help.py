"""The help desk: one list, ordered, claimed, answered, and every request ends once."""

import dataclasses
from typing import Any

import pytest

from corrections import answers, codec
from corrections.help import HelpDesk
from corrections.help_case import Case
from corrections.help_messages import HelpList
from corrections.help_past import Ended
from corrections.operator_messages import TO_OPERATOR
from corrections.protocol import Help, RobotState
from corrections.tally import Tally
from infra.metrics import Metrics
from policy.errors import LeaseRefused, WireError
from policy.schema import ControlMode, HelpKind, HelpResult, Severity

S = 1_000_000_000
CHOICES = (answers.TAKE_OVER, answers.TRY_AGAIN, answers.GO_ON)
VALUE_DROP = Help(request_id="raised-1", kind=HelpKind.CHOOSE, trigger="value_drop", options=CHOICES, deadline_s=20)


class Rig:
    """A desk whose time stands still until the test moves it."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * S
        self.opened: list[tuple[str, bool]] = []
        """Name, and whether the gateway must record it."""
        self.ended: list[Ended] = []
        self.held: set[str] = set()
        self.desk = HelpDesk(
            clock_ns=lambda: self.now_ns,
            wall_ns=lambda: self.now_ns,
            is_held=lambda robot_id: robot_id in self.held,
            on_open=self.open,
            on_end=self.ended.append,
        )

    def open(self, case: Case) -> None:
        self.opened.append((case.help.request_id, case.is_ours))

    @property
    def results(self) -> list[tuple[str, str, str, str]]:
        return [(e.request_id, e.deed.result, e.deed.answer, e.deed.author) for e in self.ended]

    @property
    def robots(self) -> list[str]:
        return [request.robot_id for request in self.desk.requests()]

    def update(self, *states: RobotState) -> None:
        self.now_ns += 1
        self.desk.update(states)


def state(robot_id: str, request_id: str = "", mode: ControlMode = ControlMode.AUTONOMOUS, **fields: Any) -> RobotState:
    request = Help(request_id=request_id, kind=HelpKind.CHOOSE, trigger="no_progress", reason="stuck", options=CHOICES)
    values = {"help": request if request_id else Help(), "episode_id": "e", "task_id": "t", **fields}
    return RobotState(robot_id=robot_id, mode=mode, **values)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_order_is_severity_then_risk_then_waiting_and_what_resolves_itself_is_counted_so(rig: Rig) -> None:
    grave = Help(request_id="4", severity=Severity.ERROR, reason="smoke")
    rig.update(state("b", "1"), state("e", unlabelled_episode_id="e0"))
    rig.update(state("c", "2"), state("f", help=grave))
    rig.update(state("d", mode=ControlMode.LOST))
    rig.now_ns += S
    assert rig.robots == ["d", "f", "b", "c", "e"]
    (first, *_, last) = rig.desk.requests()
    assert (first.kind, first.severity, last.kind) == (HelpKind.TAKE_OVER, "error", HelpKind.CONFIRM_OUTCOME)
    assert rig.desk.requests()[3].waiting_s == pytest.approx(1.0)
    rig.update(state("b"))
    assert rig.results == [("1", HelpResult.SELF_RESOLVED, "", "")]


def test_a_claim_is_soft_renewed_and_lapses_and_others_are_told_who_has_it(rig: Rig) -> None:
    rig.update(state("a", "1"))
    rig.desk.claim("1", "ann")
    rig.now_ns += 20 * S
    with pytest.raises(LeaseRefused, match="ann looks after this request, for another 10 s"):
        rig.desk.claim("1", "bob")
    with pytest.raises(LeaseRefused, match="ann looks after"):
        rig.desk.answer("1", "bob", "go on")
    rig.desk.claim("1", "ann")
    rig.now_ns += 20 * S
    (told,) = rig.desk.requests()
    assert told.claimed_by == "ann"
    assert told.claim_left_s == pytest.approx(10.0)
    rig.now_ns += 11 * S
    assert rig.desk.requests()[0].claimed_by == ""
    rig.desk.claim("1", "bob")
    rig.desk.unclaim("1", "bob")
    rig.desk.answer("1", "ann", "go on")
    assert rig.results == [("1", HelpResult.ANSWERED, "go on", "ann")]
    assert rig.ended[0].case.claimed_ns == 1_000 * S + 1, "the first claim counts"
    with pytest.raises(WireError, match="no such request is open"):
        rig.desk.claim("1", "bob")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (HelpKind.CHOOSE, "go on", "go off"),
        (HelpKind.POINT, "0.25 1 wrist", "0.25 1.5 wrist"),
        (HelpKind.POINT, "0 0 the left one", "0 0"),
        (HelpKind.RESET_SCENE, "done", ""),
        (HelpKind.CONFIRM_OUTCOME, "timed_out", "unlabelled"),
        (HelpKind.TAKE_OVER, "take over", "done"),
    ],
)
def test_an_answer_must_fit_the_question(rig: Rig, kind: HelpKind, good: str, bad: str) -> None:
    request = Help(request_id="1", kind=kind, trigger="x", options=("go on",))
    rig.update(state("a", help=request))
    with pytest.raises(WireError, match="not an answer"):
        rig.desk.answer("1", "ann", bad)
    rig.desk.answer("1", "ann", good)
    assert rig.results == ([("1", "answered", good, "ann")] if kind is not HelpKind.TAKE_OVER else [])


def test_an_answered_request_stays_away_while_the_robot_has_not_heard(rig: Rig) -> None:
    rig.update(state("a", "1"))
    rig.desk.answer("1", "ann", "try again")
    unheard = rig.desk.unheard("a")
    assert unheard is not None
    assert unheard.request_id == "1"
    rig.update(state("a", "1"))
    assert rig.robots == []
    rig.update(state("a"))
    assert rig.desk.unheard("a") is None
    rig.update(state("a", "2"))
    assert rig.robots == ["a"]
    assert len(rig.results) == 1


def test_a_takeover_ends_the_request_when_the_robot_says_so(rig: Rig) -> None:
    rig.update(state("a", "1"))
    rig.held.add("a")
    rig.desk.taken_over("a", "ann")
    rig.update(state("a", "1"))
    assert rig.desk.requests()[0].claimed_by == "ann"
    rig.update(state("a", mode=ControlMode.PAUSED))
    assert rig.results == [("1", "taken_over", "", "ann")]
    rig.update(state("a", "2"))
    assert rig.robots == [], "who is held has its person already"


def test_words_do_not_end_a_stop_and_clearing_it_does(rig: Rig) -> None:
    rig.update(state("a", mode=ControlMode.STOPPED))
    request_id = rig.desk.requests()[0].request_id
    with pytest.raises(WireError, match="clear its stop"):
        rig.desk.answer(request_id, "ann", "done")
    rig.desk.taken_over("a", "ann")
    rig.update(state("a", mode=ControlMode.STOPPED))
    assert rig.desk.requests()[0].request_id == request_id
    rig.desk.cleared("a", "bob")
    rig.update(state("a"))
    assert rig.results == [(request_id, "answered", "cleared", "bob")]
    assert rig.opened == [(request_id, True)]


def test_a_stop_that_outlasts_the_episode_is_one_request(rig: Rig) -> None:
    request = Help(request_id="s1", kind=HelpKind.RESET_SCENE, trigger=answers.STOPPED, severity=Severity.ERROR)
    rig.update(state("a", help=request, mode=ControlMode.STOPPED))
    rig.update(state("a", mode=ControlMode.STOPPED, episode_id=""))
    assert [told.request_id for told in rig.desk.requests()] == ["s1"]
    rig.update(state("a"))
    assert rig.results == [("s1", "self_resolved", "", "")]


def test_a_deadline_expires_here_or_at_the_robot(rig: Rig) -> None:
    late = Help(request_id="1", kind=HelpKind.CHOOSE, trigger="t", options=CHOICES, deadline_s=5)
    rig.update(state("a", help=late), state("b", help=dataclasses.replace(late, request_id="2")))
    rig.now_ns += int(4.2 * S)
    rig.desk.expire()
    assert rig.ended == []
    assert rig.desk.requests()[0].left_s == pytest.approx(0.8)
    rig.update(state("b"))
    rig.now_ns += S
    rig.desk.expire()
    assert rig.results == [("2", "expired", "", ""), ("1", "expired", "", "")]


def test_a_watchers_request_merges_with_the_robots_own_and_ends_with_it(rig: Rig) -> None:
    rig.update(state("a"))
    assert rig.desk.raise_help(VALUE_DROP, state("a")) == "raised-1"
    assert rig.desk.raise_help(dataclasses.replace(VALUE_DROP, request_id="raised-2"), state("a")) == "raised-1"
    rig.update(state("a"))
    assert rig.robots == ["a"], "it is not in the robot's reports, and stays"
    rig.update(state("a", "1"))
    assert [request.request_id for request in rig.desk.requests()] == ["1"]
    rig.desk.claim("raised-1", "ann")
    rig.update(state("a"))
    assert rig.results == [("1", "self_resolved", "", ""), ("raised-1", "self_resolved", "", "")]
    assert rig.opened == [("raised-1", True), ("1", False)]
    rig.update(state("a", "2"))
    assert rig.desk.raise_help(VALUE_DROP, state("a")) == "2"


def test_a_watchers_request_ends_with_the_episode_a_lease_or_an_answer(rig: Rig) -> None:
    rig.desk.raise_help(VALUE_DROP, state("a"))
    rig.update(state("a", episode_id="f"))
    rig.desk.raise_help(VALUE_DROP, state("a"))
    rig.desk.taken_over("a", "ann")
    rig.desk.raise_help(VALUE_DROP, state("a"))
    rig.desk.answer("raised-1", "ann", "go on")
    assert [result for _, result, _, _ in rig.results] == ["self_resolved", "taken_over", "answered"]
    with pytest.raises(WireError, match="said that it goes on"):
        rig.desk.raise_help(VALUE_DROP, state("a"))
    rig.now_ns += 11 * S
    rig.held.add("a")
    with pytest.raises(WireError, match="a person has this robot"):
        rig.desk.raise_help(VALUE_DROP, state("a"))


def test_each_unjudged_episode_is_asked_about_once_and_a_label_answers(rig: Rig) -> None:
    rig.update(state("a", unlabelled_episode_id="e0"))
    rig.update(state("a", "1", unlabelled_episode_id="e0"))
    assert rig.robots == ["a", "a"]
    rig.desk.labelled("e0", "success", "ann")
    rig.update(state("a", "1", unlabelled_episode_id="e0"))
    assert rig.results == [("e0-outcome", "answered", "success", "ann")]
    rig.desk.labelled("e1", "failure", "ann")
    rig.update(state("a", unlabelled_episode_id="e1"))
    assert len(rig.opened) == 2, "somebody judged it before it ended"
    for number in range(2, 24):
        rig.update(state("a", unlabelled_episode_id=f"e{number}"))
    assert len(rig.robots) == 4, "older ones are left to the review"


def test_a_robot_that_went_away_is_not_listed_and_comes_back_to_its_request(rig: Rig) -> None:
    rig.update(state("a", "1"))
    rig.desk.forget("a")
    assert (rig.robots, rig.desk.num_waiting_robots) == ([], 0)
    rig.now_ns += S
    rig.update(state("a", "1"))
    assert rig.desk.requests()[0].waiting_s == pytest.approx(1.0)
    assert rig.ended == []


def test_of_more_requests_than_a_message_holds_the_most_urgent_are_listed(rig: Rig) -> None:
    rig.update(*(state(f"r{number}", f"q{number}") for number in range(codec.MAX_ITEMS)))
    rig.update(state("stopped", mode=ControlMode.STOPPED))
    listed = rig.desk.requests()
    assert codec.decode(codec.encode(HelpList(requests=listed)), TO_OPERATOR) == HelpList(requests=listed)
    assert (listed[0].robot_id, len(listed)) == ("stopped", codec.MAX_ITEMS)
    assert rig.desk.num_waiting_robots == codec.MAX_ITEMS + 1


def test_a_robot_cannot_borrow_anothers_request(rig: Rig) -> None:
    rig.update(state("a", "1"))
    rig.update(state("b", "1"))
    assert rig.robots == ["a"]


def test_what_is_counted_is_how_requests_end_and_how_long_people_took(rig: Rig) -> None:
    metrics = Metrics()
    tally = Tally(metrics)
    rig.update(state("a", "1"), state("b", "2"))
    rig.now_ns += 3 * S
    rig.desk.claim("1", "ann")
    rig.now_ns += 4 * S
    rig.desk.answer("1", "ann", "go on")
    rig.update(state("b"))
    for ended in rig.ended:
        tally.help_ended(ended)
    tally.waited(2, 1.5)
    assert metrics.value("touchline_help_requests_total", type="choose", result="answered") == 1
    assert metrics.value("touchline_help_requests_total", type="choose", result="self_resolved") == 1
    assert metrics.value("touchline_help_claim_seconds_sum") == pytest.approx(3)
    assert metrics.value("touchline_help_resolve_seconds_sum") == pytest.approx(7)
    assert metrics.value("touchline_robot_waiting_seconds_total") == 3


def test_similar_requests_show_what_people_did(rig: Rig) -> None:
    for number in range(5):
        rig.update(state("a", str(number)))
        rig.desk.answer(str(number), "ann", "go on")
        rig.update(state("a"))
    rig.update(state("a", "x"), state("b", "y", task_id="other"))
    similar = {request.robot_id: request.similar for request in rig.desk.requests()}
    assert [past.request_id for past in similar["a"]] == ["4", "3", "2"]
    assert (similar["a"][0].answer, similar["a"][0].author) == ("go on", "ann")
    assert similar["b"] == ()
