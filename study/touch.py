"""What happens to touch in study b: as it is, zeroed, late, or noisy; in training and acting alike."""

import collections
import dataclasses
import enum

import numpy as np

from policy.schema import Float32, Observation
from robots.robot import Robot, TaskStatus
from robots.wrapped import WrappedRobot

_LATE_TICKS = 4
"""0.2 s at 20 Hz."""
_NOISE = 0.2
"""Standard deviation, in the tactile channels' units: ten times the sensor's own."""


class Touch(enum.StrEnum):
    """What a policy feels."""

    ON = "on"
    OFF = "off"
    LATE = "late"
    NOISY = "noisy"


class TouchedRobot(WrappedRobot):
    """A robot whose touch is tampered with; all else is the robot's own."""

    def __init__(self, robot: Robot, touch: Touch) -> None:
        super().__init__(robot)
        self._touch = touch
        self._felt: collections.deque[Float32] = collections.deque(maxlen=_LATE_TICKS + 1)
        self._tampered: Float32 | None = None
        self._rng = np.random.default_rng(0)

    def reset(self, scene_seed: int) -> Observation:
        """As the robot's; the noise is the scene's."""
        self._felt.clear()
        self._rng = np.random.default_rng((scene_seed, 23))
        self._tampered = None
        super().reset(scene_seed)
        return self.observe()

    def observe(self) -> Observation:
        """The robot's, with another touch; sensing twice in a tick feels the same."""
        observation = super().observe()
        if self._tampered is None:
            self._tampered = self._tamper(observation.tactile)
        return dataclasses.replace(observation, tactile=self._tampered)

    def _tamper(self, tactile: Float32) -> Float32:
        self._felt.append(tactile)
        match self._touch:
            case Touch.ON:
                return tactile
            case Touch.OFF:
                return np.zeros_like(tactile)
            case Touch.LATE:
                return self._felt[0]
            case Touch.NOISY:
                return (tactile + self._rng.normal(0, _NOISE, tactile.shape)).astype(np.float32)

    def apply(self, action: Float32) -> TaskStatus:
        """As the robot's."""
        self._tampered = None
        return super().apply(action)

    def hold(self) -> TaskStatus:
        """As the robot's."""
        self._tampered = None
        return super().hold()
