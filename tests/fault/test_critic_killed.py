"""A critic that is killed is missed by no robot and no person; the next one scores the stream again."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from corrections.operator_client import OperatorClient
from infra import connect, identity
from infra.bus import Bus, KafkaConfig
from infra.fleet import environ_of, service_launch
from infra.home import HOME_VARIABLE, Home
from infra.processes import running
from infra.registry import MlflowConfig
from infra.topics import STEPS
from learner import critic_store
from policy.schema import ControlMode
from tests.corrections_rig import operator, robot_url, running_gateway, ticking, until
from tests.critic_rig import steps_of, toy_critic

DEADLINE_S = 120.0


async def score(bus: Bus, client: OperatorClient, episode_id: str) -> None:
    """Steps, until somebody who watches hears what they are worth."""
    client.values.clear()
    with contextlib.closing(bus.producer("robot")) as producer:
        async with asyncio.timeout(DEADLINE_S):
            step = 0
            while "r1" not in client.values:  # the critic may begin to listen after our first message
                producer.send(STEPS, steps_of([-0.5], episode_id=episode_id, first=step))
                step += 1
                await client.changed(0.2)


async def live_and_die(bus: Bus, client: OperatorClient, environ: Mapping[str, str], logs: Path, number: int) -> None:
    """One critic process from its start to its kill."""
    process = running(service_launch("critic", ("critic",), environ), logs)
    critic = await asyncio.to_thread(process.__enter__)  # the gateway lives on this loop
    try:
        await score(bus, client, f"e{number}")
        os.kill(critic.pid, signal.SIGKILL)
        await until(lambda: critic.exit_code() is not None, DEADLINE_S)
    finally:
        await asyncio.to_thread(process.__exit__, None, None, None)


def test_nobody_misses_it(
    kafka_bus: Bus, kafka_config: KafkaConfig, mlflow_config: MlflowConfig, tmp_home: Home
) -> None:
    critics = connect.registry(critic_store.registry_config(mlflow_config))
    learner = identity.service(tmp_home.path, "learner")
    critic_store.publish(critics, toy_critic(), ranking=0.5, auc=0.7, signer=learner)

    async def scenario() -> None:
        async with running_gateway() as gateway:
            settings = {
                "kafka": dataclasses.asdict(kafka_config),
                "mlflow": dataclasses.asdict(mlflow_config),
                "operator": {"url": f"ws://127.0.0.1:{gateway.port}/operator"},
                "live_critic": {"poll_s": 0.1},
            }
            environ = {**environ_of(settings), HOME_VARIABLE: str(tmp_home.path)}
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as client:
                    await client.wait_for(lambda: "r1" in client.robots, DEADLINE_S)
                    for number in range(2):
                        await live_and_die(kafka_bus, client, environ, tmp_home.path, number)
                        num_ticks = len(robot.history)
                        await until(lambda: len(robot.history) > num_ticks + 10, DEADLINE_S)  # noqa: B023
                    assert {mode for mode, _ in robot.history} == {ControlMode.AUTONOMOUS}
                    assert not client.lost_cause

    asyncio.run(scenario())
