"""What a robot is to do next: the one question that collecting, evaluating and demonstrating answer differently.

Collection       the released weights, new scenes for ever             collection.py
SceneList        named weights or the expert, each scene once          scene_list.py
CandidateWork    versions on trial, slice by slice                     candidates.py
"""

import dataclasses
from typing import Protocol

from actor.proposer import Proposer
from policy.schema import Episode, Source
from robots.robot import Robot

CUT_REASON = "cut: the actor was stopped"
"""Outcome reason of an episode that was not allowed to end by itself."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Assignment:
    """One episode to run."""

    scene_seed: int
    source: Source
    proposer: Proposer
    """Whose actions the robot executes while nobody intervenes."""
    policy_version: str = ""
    """Empty where no policy runs."""
    release_role: str = ""
    """"champion" or "canary"; empty for other sources."""


class Work(Protocol):
    """Hands out episodes; `next_episode` is called by the control thread and never waits."""

    @property
    def is_done(self) -> bool:
        """Whether nothing will ever be handed out again, and all that was has ended."""

    def next_episode(self, robot_id: str, robot: Robot) -> Assignment | None:
        """The next episode of a robot; None when there is nothing to do just now."""

    def refusal(self, robot_id: str) -> str:
        """Which weights the robot should run and will not, and why; empty where it runs what it should."""

    def ended(self, episode: Episode) -> None:
        """An episode is on disk; called by the recorder thread."""
