"""Pictures, access, help, outcomes, labels and wishes: one small file each."""

import struct
import threading
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

from corrections import auth, frames
from corrections.help import HelpDesk
from corrections.label_log import LabelLog
from corrections.outcome import histories, judge
from corrections.protocol import LeaseState, RobotState
from corrections.wish import CommandStream, Seen
from infra.memory_bus import MemoryBus
from infra.topics import LABELS
from infra.wire import decode, records
from policy.errors import BusUnavailable, ConfigError, WireError
from policy.schema import ControlMode, Episode, Label, Outcome

TOKENS = {auth.ROBOT_PATH: "robots", auth.OPERATOR_PATH: "people"}


def test_a_picture_keeps_its_header_and_bytes() -> None:
    frame = frames.Frame(view=3, camera=1, sequence=9, capture_ns=1 << 40, jpeg=b"jpeg")
    assert frames.unpack(frames.pack(frame)) == frame
    assert len(frames.pack(frame)) == 16 + 4
    for data in (b"", b"\x01" * 8, struct.pack("<BBBxIQ", 9, 0, 0, 0, 0)):
        with pytest.raises(WireError):
            frames.unpack(data)
    assert frames.jpeg(np.zeros((8, 8, 3), np.uint8)).startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/operator", {"Authorization": "Bearer people"}, None),
        ("/robot", {"Authorization": "Bearer robots"}, None),
        ("/operator", {"Authorization": "Bearer robots"}, HTTPStatus.UNAUTHORIZED),
        ("/operator", {}, HTTPStatus.UNAUTHORIZED),
        ("/operator", {"Authorization": "Bearer people", "Origin": "https://evil"}, HTTPStatus.FORBIDDEN),
        ("/operator", {"Authorization": "Bearer people", "Origin": "https://ours"}, None),
        ("/admin", {"Authorization": "Bearer people"}, HTTPStatus.NOT_FOUND),
    ],
)
def test_who_may_connect(path: Any, headers: Any, status: Any) -> None:
    assert auth.refusal(path, headers, TOKENS, ("https://ours",)) == status


def test_without_a_token_only_loopback_may_be_listened_on(tmp_path: Any) -> None:
    auth.check_bind("127.0.0.1", {"/robot": ""})
    auth.check_bind("localhost", {"/robot": ""})
    auth.check_bind("0.0.0.0", TOKENS)
    with pytest.raises(ConfigError, match=auth.OPERATOR_VARIABLE):
        auth.check_bind("0.0.0.0", {"/robot": ""})
    file = auth.token_file(tmp_path)
    assert auth.operator_token({}, file) == ""
    file.write_text("secret\n")
    assert auth.operator_token({}, file) == "secret"
    assert auth.robot_token({auth.OPERATOR_VARIABLE: "people"}, file) == "people"
    assert auth.robot_token({auth.ROBOT_VARIABLE: "robots"}, file) == "robots"
    assert auth.header("") == {}


def state(robot_id: Any, mode: Any = ControlMode.AUTONOMOUS, request: Any = "") -> Any:
    return RobotState(robot_id=robot_id, mode=mode, help_request_id=request, help_reason="stuck" if request else "")


def test_help_is_ordered_by_severity_then_waiting_and_resolves_itself() -> None:
    desk = HelpDesk()
    assert not desk.update([state("a")], 0)
    assert desk.update([state("b", request="1")], 1)
    assert desk.update([state("c", request="2")], 2)
    assert desk.update([state("d", ControlMode.LOST)], 3)
    assert not desk.update([state("b", request="1"), state("d", ControlMode.LOST)], 4)
    requests = desk.requests(1_000_000_001)
    assert [request.robot_id for request in requests] == ["d", "b", "c"]
    assert requests[1].waiting_s == 1.0
    assert desk.update([state("b")], 5)
    assert desk.update([state("d", ControlMode.STOPPED)], 6)
    desk.forget("c")
    assert [request.robot_id for request in desk.requests(7)] == ["d"]


def label(seq: Any, time_ns: Any, outcome: Any, episode_id: Any = "e", boot_id: Any = "b") -> Any:
    return Label(
        boot_id=boot_id, seq=seq, episode_id=episode_id, outcome=outcome, reason="", author="ann", time_ns=time_ns
    )


EPISODE = Episode(
    spec_id="s", robot_id="r", boot_id="b", seq=0, episode_id="e", source="rollout", scene_seed=0, task_id="t",
    instruction="", policy_version="1", release_role="", started_ns=0, ended_ns=0, first_seq=0, num_steps=1,
    num_correction_steps=0, num_interventions=0, control_rate_hz=20.0, outcome="success", outcome_reason="",
    outcome_author="simulator",
)  # fmt: skip


def test_the_latest_label_wins_whatever_order_it_arrives_in_and_history_stays() -> None:
    assert judge(EPISODE, []).author == "simulator"
    labels = [label(1, 20, "failure"), label(0, 10, "timed_out"), label(1, 20, "failure"), label(2, 5, "success", "f")]
    judgement = judge(EPISODE, labels)
    assert judgement.outcome is Outcome.FAILURE
    assert [item.time_ns for item in judgement.history] == [10, 20]
    same_time = [label(0, 10, "success", boot_id="z"), label(9, 10, "failure", boot_id="a")]
    assert [item.boot_id for item in histories(same_time)["e"]] == ["a", "z"]
    assert histories(reversed(same_time)) == histories(same_time)


class AwayThenBack:
    """A bus whose broker is away for the first attempts."""

    def __init__(self, num_failures: Any) -> None:
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.num_failures = num_failures
        self.reached = threading.Event()

    def __call__(self) -> Any:
        self.num_failures -= 1
        if self.num_failures >= 0:
            raise BusUnavailable("away")
        self.reached.set()
        return self.bus


def take(log: Any, number: Any) -> Any:
    return log.take(episode_id=f"e{number}", outcome=Outcome.SUCCESS, reason="", author="ann", time_ns=number)


def test_labels_wait_for_the_broker_and_arrive_once_in_order() -> None:
    broker = AwayThenBack(1)
    log = LabelLog(broker)
    assert all(take(log, number) for number in range(5))
    assert log.num_waiting == 5
    log.start()
    assert broker.reached.wait(10)
    assert log.close(10) == 0
    consumer = broker.bus.consumer(LABELS.name, "earliest")
    got = [r for m in consumer.poll(1.0) for r in records(LABELS, decode(LABELS, m.value))]
    assert [(item.episode_id, item.seq) for item in got] == [(f"e{n}", n) for n in range(5)]


def test_a_full_queue_refuses_new_labels_and_close_says_what_is_lost() -> None:
    log = LabelLog(AwayThenBack(1_000_000), capacity=2)
    log.start()
    assert [take(log, number) for number in range(3)] == [True, True, False]
    assert log.close(0.05) == 2


def test_a_wish_that_is_not_refreshed_becomes_zero_with_the_dead_man_released() -> None:
    stream = CommandStream(0.25)
    lease = LeaseState(robot_id="r", epoch=4, is_held=True, is_yours=True)
    seen = Seen(state=RobotState(robot_id="r", mode=ControlMode.PAUSED, sent_ns=7_000), received_ns=1_000)
    assert stream.next(lease, seen, 1_000).action == (0.0,)
    stream.want((0.5,), is_deadman_held=True, now_ns=2_000)
    command = stream.next(lease, seen, 3_000)
    assert (command.action, command.is_deadman_held, command.seq, command.sent_ns) == ((0.5,), True, 1, 9_000)
    old = stream.next(lease, seen, 2_000 + 250_000_001)
    assert (old.action, old.is_deadman_held) == ((0.0,), False)
    stream.want((0.5,), is_deadman_held=True, now_ns=3_000)
    stream.rest()
    assert not stream.next(lease, seen, 3_000).is_deadman_held
    newer = LeaseState(robot_id="r", epoch=5, is_held=True, is_yours=True)
    assert stream.next(newer, seen, 3_000).seq == 0
