"""A broker whose disk is full ends and says why; robots go on, their records wait on disk, and all that it ever
acknowledged is there when it starts again."""

import resource
from pathlib import Path

from infra.processes import Process
from tests.actor_rig import wait_for
from tests.broker_rig import DEADLINE_S, Recording

FULL_BYTES = 400_000


def leave_no_room(process: Process) -> None:
    """The kernel refuses to write any of its files beyond a size, as a full disk does."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))


def ends(process: Process) -> None:
    wait_for(lambda: process.exit_code() is not None, DEADLINE_S)
    assert process.exit_code() != 0
    assert "log dirs" in process.log_tail()


def test_everything_arrives_when_the_brokers_disk_has_room_again(tmp_path: Path) -> None:
    robot = Recording(tmp_path)
    with robot.broker() as process:
        robot.ensure_topics()
        robot.record(20)
        robot.wait_until_sent()
        leave_no_room(process)
        robot.record(100)
        ends(process)
    with robot.broker() as process:  # started again, and still no room
        leave_no_room(process)
        ends(process)
    robot.record(80)
    assert 20 <= robot.num("num_delivered") < 120
    with robot.broker():
        robot.end()
