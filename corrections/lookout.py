"""Watches all robots at once and says which of them a person should help, and since when.

Reaction is counted in the robot's own time or in wall time, whichever passed first: a simulated
robot that runs ahead of the clock would otherwise have failed before anybody could blink.
"""

import dataclasses
import random
from collections.abc import Iterable, Mapping

from corrections.corrector import QualityConfig, can_correct, needs_help
from corrections.protocol import LeaseState, RobotState
from policy.schema import ControlMode


@dataclasses.dataclass(frozen=True, kw_only=True)
class Need:
    """One robot that a person should take over."""

    robot_id: str
    episode_id: str
    task_id: str
    reason: str
    since_step: int
    since_ns: int
    reaction_s: float
    """How long this person takes to see it and reach for the robot."""

    def is_ripe(self, state: RobotState, now_ns: int, control_rate_hz: float) -> bool:
        """Whether the reaction time has passed."""
        robot_s = (state.step_index - self.since_step) / control_rate_hz
        return max(robot_s, (now_ns - self.since_ns) / 1e9) >= self.reaction_s


class Lookout:
    """Keeps the needs of all robots, from their reports."""

    def __init__(self, quality: QualityConfig, *, attention: float, seed: int) -> None:
        """`attention` is the share of episodes that anybody watches."""
        self._quality = quality
        self._attention = attention
        self._seed = seed
        self._rng = random.Random(f"{seed}/lookout")
        self._needs: dict[str, Need] = {}

    def update(self, states: Iterable[RobotState], now_ns: int) -> None:
        """Take the newest reports."""
        for state in states:
            reason = self._reason(state)
            known = self._needs.get(state.robot_id)
            if reason is None:
                self._needs.pop(state.robot_id, None)
            elif known is None or known.episode_id != state.episode_id:
                self._needs[state.robot_id] = Need(
                    robot_id=state.robot_id,
                    episode_id=state.episode_id,
                    task_id=state.task_id,
                    reason=reason,
                    since_step=state.step_index,
                    since_ns=now_ns,
                    reaction_s=self._rng.uniform(self._quality.reaction_min_s, self._quality.reaction_max_s),
                )

    def ripe(
        self,
        states: Mapping[str, RobotState],
        leases: Mapping[str, LeaseState],
        rates_hz: Mapping[str, float],
        now_ns: int,
    ) -> list[Need]:
        """Needs of robots that nobody holds and whose reaction time has passed, longest waiting first."""
        return sorted(
            (
                need
                for robot_id, need in self._needs.items()
                if robot_id in states
                and robot_id in rates_hz
                and not (robot_id in leases and leases[robot_id].is_held)
                and need.is_ripe(states[robot_id], now_ns, rates_hz[robot_id])
            ),
            key=lambda need: need.since_ns,
        )

    def _reason(self, state: RobotState) -> str | None:
        if state.mode is ControlMode.STOPPED or not can_correct(state):
            return None
        if state.mode is ControlMode.LOST:
            return "lost its operator"
        if not self._watches(state.episode_id):
            return None
        if state.help.request_id:
            return state.help.reason or "asked for help"
        return needs_help(state)

    def _watches(self, episode_id: str) -> bool:
        """The same episodes for the same seed, whoever asks and whenever."""
        return random.Random(f"{self._seed}/{episode_id}").random() < self._attention
