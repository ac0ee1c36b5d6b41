"""What a person wants now, and how it becomes the next command.

A wish that nobody refreshes becomes zero with the dead-man released, so a hung device or caller never
keeps a robot moving.
"""

import dataclasses

from corrections.protocol import HumanCommand, LeaseState, RobotState


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A robot's newest report and when it came."""

    state: RobotState
    received_ns: int
    """The client's monotonic clock."""

    def robot_time_ns(self, now_ns: int) -> int:
        """The robot's own clock now, behind by one way of the link: wall clocks are never compared."""
        return self.state.sent_ns + now_ns - self.received_ns


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Wish:
    action: tuple[float, ...]
    is_deadman_held: bool
    time_ns: int


class CommandStream:
    """Numbers the commands of one lease after another."""

    def __init__(self, wish_lasts_s: float) -> None:
        self._wish_lasts_ns = int(wish_lasts_s * 1e9)
        self._wish: _Wish | None = None
        self._epoch = 0
        self._seq = 0

    def want(self, action: tuple[float, ...], *, is_deadman_held: bool, now_ns: int) -> None:
        """Replace the wish: float[A] in [-1, 1]."""
        self._wish = _Wish(action=action, is_deadman_held=is_deadman_held, time_ns=now_ns)

    def rest(self) -> None:
        """Want nothing."""
        self._wish = None

    def next(self, lease: LeaseState, seen: Seen, now_ns: int) -> HumanCommand:
        """The command to send now for the held robot."""
        self._seq = self._seq + 1 if lease.epoch == self._epoch else 0
        self._epoch = lease.epoch
        wish = self._wish
        is_alive = wish is not None and now_ns - wish.time_ns <= self._wish_lasts_ns
        return HumanCommand(
            robot_id=lease.robot_id,
            lease_epoch=lease.epoch,
            seq=self._seq,
            sent_ns=seen.robot_time_ns(now_ns),
            action=wish.action if wish is not None and is_alive else (0.0,),
            is_deadman_held=wish is not None and is_alive and wish.is_deadman_held,
        )
