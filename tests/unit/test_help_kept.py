"""A gateway that restarts: what only its help desk knew is there again."""

from pathlib import Path

import pytest

from corrections import answers
from corrections.help import HelpDesk
from corrections.help_case import Case
from corrections.help_kept import HelpFile
from corrections.help_past import Ended
from corrections.protocol import Help, RobotState
from policy.schema import ControlMode, HelpKind, HelpResult

S = 1_000_000_000
OPTIONS = (answers.TAKE_OVER, answers.GO_ON)
VALUE_DROP = Help(request_id="raised", kind=HelpKind.CHOOSE, trigger="value_drop", options=OPTIONS, deadline_s=20)
STUCK = Help(request_id="stuck", kind=HelpKind.CHOOSE, trigger="no_progress", options=OPTIONS)


class Gateways:
    """One after the other on one file; each has a monotonic clock of its own."""

    def __init__(self, path: Path) -> None:
        self.file = path / "help.json"
        self.wall_ns = 1_000_000 * S
        self.boot_ns = 0
        self.opened: list[str] = []
        self.ended: list[Ended] = []
        self.memory, self.desk = self.begin()

    def begin(self) -> tuple[HelpFile, HelpDesk]:
        self.boot_ns = self.wall_ns - 5 * S
        desk = HelpDesk(
            clock_ns=lambda: self.wall_ns - self.boot_ns,
            wall_ns=lambda: self.wall_ns,
            on_open=self.open,
            on_end=self.ended.append,
        )
        memory = HelpFile(self.file)
        desk.restore(memory.read())
        return memory, desk

    def restart(self) -> None:
        self.memory.write(self.desk.kept())
        self.memory, self.desk = self.begin()

    def open(self, case: Case) -> None:
        self.opened.append(case.help.request_id)

    @property
    def listed(self) -> dict[str, str]:
        """Open requests, and who looks after each."""
        return {request.request_id: request.claimed_by for request in self.desk.requests()}


@pytest.fixture
def gateways(tmp_path: Path) -> Gateways:
    return Gateways(tmp_path)


def state(episode_id: str = "e", request: Help | None = None, unlabelled: str = "") -> RobotState:
    return RobotState(
        robot_id="a",
        mode=ControlMode.AUTONOMOUS,
        episode_id=episode_id,
        help=request or Help(),
        unlabelled_episode_id=unlabelled,
    )


def test_a_watchers_request_is_back_with_its_robot_its_claim_and_its_deadline(gateways: Gateways) -> None:
    gateways.desk.raise_help(VALUE_DROP, state())
    gateways.desk.claim("raised", "ann")
    gateways.wall_ns += 4 * S
    gateways.restart()
    assert gateways.listed == {}, "its robot is not connected yet"
    gateways.desk.update([state()])
    assert gateways.listed == {"raised": "ann"}
    (request,) = gateways.desk.requests()
    assert (request.waiting_s, request.left_s, request.claim_left_s) == (4.0, 16.0, 26.0)
    assert gateways.opened == ["raised"], "it is recorded once"
    gateways.wall_ns += 17 * S
    gateways.desk.expire()
    assert [end.deed.result for end in gateways.ended] == [HelpResult.EXPIRED]


def test_a_request_whose_episode_ended_meanwhile_is_over(gateways: Gateways) -> None:
    gateways.desk.raise_help(VALUE_DROP, state())
    gateways.restart()
    gateways.desk.update([state("f")])
    assert gateways.listed == {}
    assert [end.deed.result for end in gateways.ended] == [HelpResult.SELF_RESOLVED]


def test_whoever_looked_after_a_robots_own_request_still_does(gateways: Gateways) -> None:
    gateways.desk.update([state(request=STUCK)])
    gateways.desk.claim("stuck", "ann")
    gateways.restart()
    gateways.restart()
    gateways.desk.update([state(request=STUCK)])
    assert gateways.listed == {"stuck": "ann"}
    gateways.wall_ns += 31 * S
    gateways.restart()
    gateways.desk.update([state(request=STUCK)])
    assert gateways.listed == {"stuck": ""}, "claims lapse as ever"


def test_every_unjudged_episode_is_asked_about_again_and_once(gateways: Gateways) -> None:
    for number in range(3):
        gateways.desk.update([state(f"e{number + 1}", unlabelled=f"e{number}")])
    gateways.restart()
    gateways.desk.update([state("e3", unlabelled="e2")])
    assert set(gateways.listed) == {"e0-outcome", "e1-outcome", "e2-outcome"}
    gateways.desk.labelled("e0", "success", "ann")
    assert set(gateways.listed) == {"e1-outcome", "e2-outcome"}


@pytest.mark.parametrize("text", ["", "{", '{"type":"kept_cases","cases":[{"robot_id":"a"}]}', "\xff"])
def test_a_file_that_cannot_be_read_keeps_nobody_from_helping(tmp_path: Path, text: str) -> None:
    file = tmp_path / "help.json"
    file.write_bytes(text.encode("latin-1"))
    assert HelpFile(file).read() == ()
