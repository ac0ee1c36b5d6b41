"""Our robots as Gymnasium environments.

    import robots.gym_env
    env = gymnasium.make("touchline/PlugInsertion-v0")

The observation is a dictionary: one picture per camera, "state", "tactile" and "instruction". The
reward is 1 for success and 0 otherwise; `info` holds "is_success" and, at the end, "reason".
"""

import string
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from policy.schema import Float32, Observation, Outcome, SceneSplit, UInt8
from policy.spec import ChannelSpec
from robots.robot import Robot
from robots.tasks import TASKS, make

GymObservation = dict[str, Any]


class RobotEnv(gymnasium.Env[GymObservation, Float32]):
    """A simulated `Robot` as an environment; scenes come from the collection split."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - Gymnasium's own interface

    def __init__(self, task: str, render_mode: str | None = None) -> None:
        self._robot: Robot = make(task)
        spec = self._robot.spec
        self.metadata = {**self.metadata, "render_fps": spec.control_rate_hz}
        self.render_mode = render_mode
        self.action_space = spaces.Box(spec.action_low, spec.action_high)
        pictures = {
            camera.name: spaces.Box(0, 255, (camera.height, camera.width, 3), np.uint8) for camera in spec.cameras
        }
        self.observation_space = spaces.Dict(
            {
                **pictures,
                "state": _box(spec.state),
                "tactile": _box(spec.tactile),
                "instruction": spaces.Text(200, charset=string.printable),
            }
        )
        self._observation: Observation | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[GymObservation, dict[str, Any]]:
        """Start an episode in a scene drawn with `seed`."""
        super().reset(seed=seed)
        scenes = SceneSplit.COLLECT.value
        self._observation = self._robot.reset(int(self.np_random.integers(scenes.start, scenes.stop)))
        return self._as_dict(self._observation), {}

    def step(self, action: Float32) -> tuple[GymObservation, float, bool, bool, dict[str, Any]]:
        """One control period."""
        spec = self._robot.spec
        status = self._robot.apply(np.clip(action, spec.action_low, spec.action_high))
        self._observation = self._robot.observe()
        is_success = status.outcome == Outcome.SUCCESS
        info = {"is_success": is_success, "reason": status.reason}
        observation = self._as_dict(self._observation)
        return observation, float(is_success), status.is_terminal, status.is_truncated, info

    def render(self) -> UInt8 | None:  # type: ignore[override]
        """The last camera's picture."""
        if self.render_mode is None or self._observation is None:
            return None
        return self._observation.frames[-1]

    def close(self) -> None:
        """Release the simulator."""
        self._robot.close()

    def _as_dict(self, observation: Observation) -> GymObservation:
        names = [camera.name for camera in self._robot.spec.cameras]
        return {
            **dict(zip(names, observation.frames, strict=True)),
            "state": observation.state,
            "tactile": observation.tactile,
            "instruction": observation.instruction,
        }


def _box(channels: tuple[ChannelSpec, ...]) -> spaces.Box:
    low = np.array([channel.low for channel in channels], np.float32)
    high = np.array([channel.high for channel in channels], np.float32)
    return spaces.Box(low, high)


def environment_id(task: str) -> str:
    """Gymnasium's name of one of our tasks: plug_insertion is touchline/PlugInsertion-v0."""
    return f"touchline/{task.title().replace('_', '')}-v0"


def register() -> None:
    """Make our environments known to `gymnasium.make`; done on import, harmless when repeated."""
    for task in TASKS:
        if environment_id(task) not in gymnasium.registry:
            gymnasium.register(environment_id(task), "robots.gym_env:RobotEnv", kwargs={"task": task})


register()
