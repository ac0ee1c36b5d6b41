"""Pictures, access and wishes: one small file each."""

import struct
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

from corrections import auth, frames
from corrections.protocol import LeaseState, RobotState
from corrections.wish import CommandStream, Seen
from infra.home import Home
from policy.errors import ConfigError, WireError
from policy.schema import ControlMode

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
    file = Home(tmp_path).gateway_token
    assert auth.operator_token({}, file) == ""
    file.write_text("secret\n")
    assert auth.operator_token({}, file) == "secret"
    assert auth.robot_token({auth.OPERATOR_VARIABLE: "people"}, file) == "people"
    assert auth.robot_token({auth.ROBOT_VARIABLE: "robots"}, file) == "robots"
    assert auth.header("") == {}


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
