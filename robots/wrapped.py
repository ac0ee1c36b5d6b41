"""A robot inside another one, for those who change or note one thing of it."""

from collections.abc import Mapping

from policy.schema import Float32, Observation
from policy.spec import EmbodimentSpec
from robots.robot import Robot, TaskStatus


class WrappedRobot:
    """The robot itself; a subclass says what is different."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    @property
    def spec(self) -> EmbodimentSpec:
        """The robot's."""
        return self._robot.spec

    @property
    def task_id(self) -> str:
        """The robot's."""
        return self._robot.task_id

    @property
    def is_simulated(self) -> bool:
        """The robot's."""
        return self._robot.is_simulated

    def reset(self, scene_seed: int) -> Observation:
        """As the robot's."""
        return self._robot.reset(scene_seed)

    def observe(self) -> Observation:
        """As the robot's."""
        return self._robot.observe()

    def apply(self, action: Float32) -> TaskStatus:
        """As the robot's."""
        return self._robot.apply(action)

    def hold(self) -> TaskStatus:
        """As the robot's."""
        return self._robot.hold()

    def privileged(self) -> Mapping[str, float]:
        """The robot's: people see, they do not sense through it."""
        return self._robot.privileged()

    def close(self) -> None:
        """As the robot's."""
        self._robot.close()
