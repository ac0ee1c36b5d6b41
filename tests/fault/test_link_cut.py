"""A line that is cut while a person drives stops the robot within its own limits; commands that arrive when it is
whole again are old, and move nothing."""

import asyncio

from chaos.line import Line
from corrections.intervention import SafetyConfig
from corrections.lease import LeaseConfig
from corrections.operator_client import OperatorClient
from infra.ports import LOOPBACK
from policy.schema import ControlMode
from tests.corrections_rig import RigRobot, operator, running_gateway, ticking, until

DEADLINE_S = 60.0
SAFETY = SafetyConfig(max_command_age_ms=400, hold_after_ms=500, lost_after_ms=1_500)
TICK_MS = 20


async def drive(client: OperatorClient, robot: RigRobot) -> None:
    """Until it moves."""

    def moves() -> bool:
        client.drive((0.5, -0.5, 0.0), is_deadman_held=True)
        return robot.mode is ControlMode.CORRECTING and any(robot.history[-1][1])

    await until(moves, DEADLINE_S)


def moved(robot: RigRobot, since: int) -> list[bool]:
    return [any(action) for _, action in robot.history[since:]]


def test_what_arrives_late_moves_nothing() -> None:
    async def scenario() -> None:
        async with running_gateway(lease=LeaseConfig(lost_after_s=59)) as gateway:
            with Line(gateway.port) as line, ticking(f"ws://{LOOPBACK}:{line.port}/robot", safety=SAFETY) as robot:
                async with operator(gateway) as ann:
                    await ann.wait_for(lambda: "r1" in ann.seen, DEADLINE_S)
                    await ann.acquire("r1")
                    await drive(ann, robot)
                    since = len(robot.history)
                    line.cut()
                    await until(lambda: robot.mode is ControlMode.LOST, DEADLINE_S)
                    assert sum(moved(robot, since)) <= (SAFETY.max_command_age_ms + SAFETY.hold_after_ms) / TICK_MS
                    since, num_old = len(robot.history), sum(robot.link.drops.values())
                    line.mend()
                    await until(lambda: sum(robot.link.drops.values()) > num_old, DEADLINE_S)
                    await until(lambda: len(robot.history) > since + 10, DEADLINE_S)
                    assert not any(moved(robot, since))
                    assert {mode for mode, _ in robot.history[since:]} == {ControlMode.LOST}
                async with operator(gateway, "bob") as bob:
                    await bob.wait_for(lambda: "r1" in bob.seen, DEADLINE_S)
                    await bob.acquire("r1", force_reason="lost")
                    await until(lambda: robot.mode is ControlMode.PAUSED, DEADLINE_S)
                    await bob.release()
                    await until(lambda: robot.mode is ControlMode.AUTONOMOUS, DEADLINE_S)

    asyncio.run(scenario())
