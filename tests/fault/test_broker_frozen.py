"""While the broker is stopped (SIGSTOP) robots go on and their records wait on disk; when it goes on each is there,
however often a robot sent it meanwhile."""

import os
import signal
from pathlib import Path

from tests.broker_rig import Recording


def test_everything_recorded_while_the_broker_was_stopped_arrives(tmp_path: Path) -> None:
    robot = Recording(tmp_path)
    with robot.broker() as process:
        robot.ensure_topics()
        robot.record(100)
        robot.wait_until_sent()
        os.killpg(process.pid, signal.SIGSTOP)
        robot.record(100)
        assert robot.num("num_waiting") == 100
        os.killpg(process.pid, signal.SIGCONT)
        robot.record(100)
        robot.end()
