import json
from typing import Any

import pytest

from corrections import codec, protocol
from corrections import help_messages as helping
from corrections import operator_messages as messages
from corrections.help_case import Case
from policy.errors import WireError
from policy.schema import ControlMode, Fallback, HelpKind, HelpResult, MarkKind, Outcome, Severity

COMMAND = protocol.HumanCommand(
    robot_id="r1", lease_epoch=3, seq=7, sent_ns=123, action=(0.5, -1.0, 0.0), is_deadman_held=True
)
STATE = protocol.RobotState(
    robot_id="r1",
    mode=ControlMode.PAUSED,
    episode_id="e",
    state=(0.1, 2.0),
    privileged={"tip_x_m": 0.25},
    limit_hits=("move_x",),
    help=protocol.Help(request_id="h", kind=HelpKind.CHOOSE, trigger="spread", options=("go on",), deadline_s=60.0),
)
ASK = helping.RaiseHelp(
    robot_id="r1", episode_id="e1", kind=HelpKind.POINT, trigger="value_drop", severity=Severity.INFO, reason="why"
)
VALUE = helping.LiveValue(robot_id="r1", episode_id="e", step_index=3, value=-0.5, critic_version="7")
ANSWERED = protocol.HelpAnswered(
    robot_id="r1", request_id="h", episode_id="e", trigger="spread", result=HelpResult.EXPIRED, fallback=Fallback.HOLD
)
OPEN = Case(
    robot_id="r1",
    episode_id="e",
    task_id="t",
    help=STATE.help,
    since_ns=0,
    due_from_ns=0,
    asked_ns=0,
    is_reported=True,
    is_ours=False,
).told(1_000_000_000, ())
INFO = protocol.RobotInfo(robot_id="r1", spec="{}", is_simulated=True)
EXAMPLES = [
    (protocol.FROM_ROBOT, protocol.RobotHello(robots=(INFO,))),
    (protocol.FROM_ROBOT, protocol.Reports(states=(STATE,))),
    (protocol.TO_ROBOT, COMMAND),
    (protocol.TO_ROBOT, protocol.LeaseState(robot_id="r1", epoch=2, is_held=True, operator_id="ann")),
    (protocol.TO_ROBOT, protocol.Stop(robot_id="r1", reason="smoke")),
    (protocol.TO_ROBOT, protocol.ClearStop(robot_id="r1", confirm="r1", reason="looked")),
    (protocol.TO_ROBOT, ANSWERED),
    (protocol.TO_ROBOT, protocol.WantFrames(robot_id="r1", rate_hz=15.0)),
    (messages.FROM_OPERATOR, messages.OperatorHello(operator_id="ann", role="operator")),
    (messages.FROM_OPERATOR, messages.OperatorHello(operator_id="critic", kind=messages.PeerKind.SERVICE)),
    (messages.FROM_OPERATOR, messages.MarkEpisode(episode_id="e", kind=MarkKind.RECOVERED, note="back")),
    (messages.FROM_OPERATOR, messages.Ping(id=3)),
    (messages.FROM_OPERATOR, helping.Claim(request_id="h")),
    (messages.FROM_OPERATOR, helping.AnswerHelp(request_id="h", answer="0.1 0.2")),
    (messages.FROM_OPERATOR, ASK),
    (messages.FROM_OPERATOR, helping.Values(values=(VALUE,))),
    (messages.FROM_OPERATOR, messages.Watch(is_all=False, robot_ids=("r1",))),
    (messages.FROM_OPERATOR, messages.Acquire(robot_id="r1")),
    (messages.FROM_OPERATOR, messages.LabelEpisode(episode_id="e", outcome=Outcome.TIMED_OUT)),
    (messages.TO_OPERATOR, messages.Roster(robots=(INFO,))),
    (messages.TO_OPERATOR, helping.HelpList(requests=(OPEN,))),
    (messages.TO_OPERATOR, helping.Values(values=(VALUE,))),
    (messages.TO_OPERATOR, messages.Marked(episode_id="e", step_index=3, kind=MarkKind.MOMENT)),
    (messages.TO_OPERATOR, messages.Pong(id=3)),
    (messages.TO_OPERATOR, messages.Receipt(episode_id="e", outcome=Outcome.SUCCESS)),
]


@pytest.mark.parametrize(("table", "message"), EXAMPLES, ids=lambda value: getattr(value, "TYPE", ""))
def test_a_message_survives_the_socket(table: Any, message: Any) -> None:
    assert codec.decode(codec.encode(message), table) == message


def edited(**changes: Any) -> Any:
    fields = json.loads(codec.encode(COMMAND))
    fields.update(changes)
    return json.dumps({key: value for key, value in fields.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"\x00\x01", "binary"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "object with a type"),
        ('{"type": 3}', "object with a type"),
        ('{"type": "launch"}', "unknown type"),
        (edited(extra=1), "unknown field.*command.extra"),
        (edited(seq=...), "missing.*command.seq"),
        (edited(seq="7"), "not a int.*command.seq"),
        (edited(seq=True), "not a int"),
        (edited(seq=1 << 70), "not a int"),
        (edited(is_deadman_held=1), "not a bool"),
        (edited(action="abc"), "expected a list"),
        (edited(action=[0.0] * 5_000), "too many items"),
        (edited(action=[]), "1 to 64 axes"),
        (edited(action=[0.0] * 65), "1 to 64 axes"),
        (edited(action=[1.5]), r"\[-1, 1\]"),
        (edited(action=["x"]), "not a float"),
        (edited(action=[10**400]), "not a float"),
        (edited(robot_id=""), "a name has"),
        (edited(robot_id="a\nb"), "a name has"),
        (edited(robot_id="x" * 20_000), "not a str"),
        (edited(action=[float("nan")]), "not a float"),
    ],
)
def test_a_malformed_message_is_refused_with_the_field_that_is_wrong(text: Any, complaint: Any) -> None:
    with pytest.raises(WireError, match=complaint):
        codec.decode(text, messages.FROM_OPERATOR)


def test_a_message_of_the_other_direction_is_refused() -> None:
    with pytest.raises(WireError, match="unknown type"):
        codec.decode(codec.encode(messages.Roster(robots=())), messages.FROM_OPERATOR)


def test_numbers_that_are_not_finite_cannot_be_sent() -> None:
    with pytest.raises(WireError, match="not finite"):
        codec.encode(
            protocol.Reports(states=(protocol.RobotState(robot_id="r", mode=ControlMode.LOST, state=(float("inf"),)),))
        )


def test_unknown_words_and_nested_mistakes_name_their_place() -> None:
    fields = json.loads(codec.encode(protocol.Reports(states=(STATE,))))
    fields["states"][0]["mode"] = "dancing"
    with pytest.raises(WireError, match=r"reports.states.mode"):
        codec.decode(json.dumps(fields), protocol.FROM_ROBOT)
    fields["states"][0] = 3
    with pytest.raises(WireError, match="expected an object"):
        codec.decode(json.dumps(fields), protocol.FROM_ROBOT)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: protocol.Help(request_id="h", kind=HelpKind.CHOOSE), "needs options"),
        (lambda: protocol.Help(options=("x",) * 101), "at most 100 options"),
        (lambda: protocol.Help(deadline_s=-1), "deadline"),
        (
            lambda: helping.RaiseHelp(robot_id="r", episode_id="e", kind=HelpKind.CHOOSE, trigger="x", reason=""),
            "needs options",
        ),
        (
            lambda: helping.RaiseHelp(robot_id="r", episode_id="e", kind=HelpKind.POINT, trigger="", reason=""),
            "trigger",
        ),
        (lambda: messages.LabelEpisode(episode_id="e", outcome=Outcome.FAILURE, progress=6), "progress is 1 to 5"),
        (lambda: messages.MarkEpisode(episode_id="e", step_index=-2), "step_index"),
        (lambda: messages.MarkEpisode(episode_id="<img src=x onerror=alert(1)>\n"), "printable"),
        (lambda: messages.OperatorHello(operator_id="ann", role="\x00"), "printable"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(build: Any, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        build()


def test_clearing_a_stop_takes_the_robots_name_and_a_reason() -> None:
    with pytest.raises(WireError, match="confirm"):
        protocol.ClearStop(robot_id="r1", confirm="r2", reason="why not")
    with pytest.raises(WireError, match="reason"):
        protocol.ClearStop(robot_id="r1", confirm="r1", reason=" ")


def test_a_process_has_between_one_and_256_robots_of_different_names() -> None:
    for robots in ((), (INFO, INFO)):
        with pytest.raises(WireError, match="1 to 256"):
            protocol.RobotHello(robots=robots)


def test_a_report_is_written_once_for_all_who_watch() -> None:
    text = f'{{"type":"reports","states":[{codec.fragment(STATE)}]}}'
    assert codec.decode(text, protocol.FROM_ROBOT) == protocol.Reports(states=(STATE,))
