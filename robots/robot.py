"""The `Robot` protocol: all that an actor knows of a body.

Bring a robot as one class with these methods, or any Gymnasium environment as one spec file
(`robots/gym_robot.py`). Simulated or real, the same control loop drives it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from policy.schema import Float32, Observation, Outcome
from policy.spec import EmbodimentSpec


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskStatus:
    """What is known of the episode after the last applied action."""

    is_terminal: bool = False
    """Success or failure is certain; the episode is over."""
    is_truncated: bool = False
    """The time limit is reached; the episode is over."""
    outcome: Outcome = Outcome.UNLABELLED
    """The robot's own judgement; UNLABELLED where only a person can tell."""
    reason: str = ""
    """In words, for failures."""
    sub_goal: str = ""
    """What is still to be done, in words, on a task of several stages."""


class Robot(Protocol):
    """A body with a task."""

    @property
    def spec(self) -> EmbodimentSpec:
        """The contract with policies; constant."""

    @property
    def task_id(self) -> str:
        """Name of the task; constant over an episode."""

    @property
    def is_simulated(self) -> bool:
        """Whether it may run faster than real time."""

    def reset(self, scene_seed: int) -> Observation:
        """Start an episode; the same seed gives the same scene on a simulated robot."""

    def observe(self) -> Observation:
        """Sense, without moving."""

    def apply(self, action: Float32) -> TaskStatus:
        """Execute float32[A] for one control period; the caller has applied the limits."""

    def hold(self) -> TaskStatus:
        """Stand still for one control period."""

    def privileged(self) -> Mapping[str, float]:
        """Simulation-only state for a scripted operator: sent in telemetry, never recorded.

        Empty on a real robot.
        """

    def close(self) -> None:
        """Release the hardware or the simulator."""


@runtime_checkable
class Oriented(Protocol):
    """A robot that knows how its pictures and its tool are turned, so that people may push in those frames."""

    @property
    def camera_yaws_rad(self) -> Mapping[str, float]:
        """By camera, what its picture's right is turned from the base's x axis, counter-clockwise from above.

        Constant; a camera that turns, or of which this is not known, is left out.
        """

    @property
    def is_tool_fixed(self) -> bool:
        """Whether the tool never turns: its frame is then the base's."""


@runtime_checkable
class Thermometers(Protocol):
    """A robot that measures its own temperature."""

    def temperatures_c(self) -> Mapping[str, float]:
        """The newest readings by part, degrees Celsius; called every tick, so it must not wait."""
