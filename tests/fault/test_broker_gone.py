"""While the broker is gone robots go on and their records wait on disk; when it is back each arrives, and the
counts of the robots say so."""

from pathlib import Path

from tests.actor_rig import wait_for
from tests.broker_rig import DEADLINE_S, Recording


def test_everything_recorded_while_the_broker_was_gone_arrives(tmp_path: Path) -> None:
    robot = Recording(tmp_path)
    robot.record(100)  # before there ever was a broker
    assert robot.num("num_waiting") == 100
    with robot.broker():
        robot.ensure_topics()
        robot.record(100)
        robot.wait_until_sent()
        robot.record(100)
    robot.record(100)
    wait_for(lambda: robot.num("num_waiting") >= 100, DEADLINE_S)
    with robot.broker():
        robot.end()
