"""The `Robot` protocol: all that an actor knows of a body.

Bring a robot as one class with these methods, or any Gymnasium environment as one spec file
(`robots/gym_robot.py`). Simulated or real, the same control loop drives it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

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
