"""Scripted people see a stuck robot over the gateway, finish its task by hand and hand it back."""

import asyncio
import threading

import numpy as np

from corrections.corrector import QualityConfig
from corrections.intervention import InterventionState, advance, human_action, ramp
from corrections.operator_client import OperatorConfig
from corrections.protocol import RobotInfo, RobotState
from corrections.robot_link import LinkConfig, RobotLink
from corrections.scripted_operator import ScriptedConfig, ScriptedOperators, Takeover
from policy.schema import ControlMode, Outcome
from robots.plug_insertion import PlugInsertion
from tests.corrections_rig import DEADLINE_S, PATIENT, robot_url, running_gateway, until


class Idler(threading.Thread):
    """A real simulated robot whose policy does nothing: only a person can make it succeed."""

    def __init__(self, url: str, robot_id: str, scene_seed: int) -> None:
        super().__init__(daemon=True)
        self.robot_id = robot_id
        self.body = PlugInsertion()
        info = RobotInfo(robot_id=robot_id, spec=self.body.spec.to_json(), is_simulated=True)
        self.link = RobotLink([info], LinkConfig(url=url), PATIENT, token="")
        self.outcomes: list[Outcome] = []
        self.modes: list[ControlMode] = []
        self._seed = scene_seed
        self._stopping = threading.Event()

    def run(self) -> None:
        self.link.start()
        state, episode, step = InterventionState(), 0, 0
        self.body.reset(self._seed)
        while not self._stopping.is_set():
            import time

            now_ns = time.monotonic_ns()
            people = self.link.people(self.robot_id)
            # As fast as it can, until a person holds it.
            self._stopping.wait(0.05 if people.is_held else 0.005)
            state = advance(state, people, now_ns, PATIENT)
            if state.mode is ControlMode.CORRECTING:
                assert people.command is not None
                status = self.body.apply(human_action(people.command, self.body.spec, ramp(state, now_ns, PATIENT)))
            elif state.mode is ControlMode.AUTONOMOUS:
                status = self.body.apply(np.zeros(3, np.float32))
            else:
                status = self.body.hold()
            step += 1
            self.modes.append(state.mode)
            self.link.report(
                self.robot_id,
                RobotState(
                    robot_id=self.robot_id,
                    mode=state.mode,
                    episode_id=f"{self.robot_id}-{episode}",
                    step_index=step,
                    task_id=self.body.task_id,
                    privileged=self.body.privileged(),
                    lease_epoch=people.lease.epoch if people.lease else 0,
                ),
            )
            if status.is_terminal or status.is_truncated:
                self.outcomes.append(status.outcome)
                episode, step = episode + 1, 0
                self.body.reset(self._seed + episode)

    def close(self) -> None:
        self._stopping.set()
        self.join()
        self.link.close()
        self.body.close()


def test_stuck_robots_are_helped_to_success_and_handed_back() -> None:
    async def scenario() -> None:
        takeovers: list[Takeover] = []
        async with running_gateway() as gateway:
            robots = [Idler(robot_url(gateway), f"r{n}", 1_000 * n) for n in range(2)]
            for robot in robots:
                robot.start()
            config = OperatorConfig(
                url=f"ws://127.0.0.1:{gateway.port}/operator", operator_id="script", timeout_s=DEADLINE_S
            )
            people = ScriptedOperators(
                ScriptedConfig(operators=2, seed=1),
                QualityConfig(finish_after=1),
                config,
                token="",
                on_takeover=takeovers.append,
            )
            helping = asyncio.create_task(people.run())
            try:
                await until(lambda: all(Outcome.SUCCESS in robot.outcomes for robot in robots), 60)
                await until(lambda: len(takeovers) >= 2, 20)
            finally:
                helping.cancel()
                await asyncio.gather(helping, return_exceptions=True)
            # Leaving hands back what is held: nobody stays LOST.
            await until(lambda: all(robot.modes[-1] is ControlMode.AUTONOMOUS for robot in robots))
            assert all(ControlMode.LOST not in robot.modes for robot in robots)
            for robot in robots:
                robot.close()

    asyncio.run(scenario())
