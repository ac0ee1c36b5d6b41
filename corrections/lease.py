"""Who may drive which robot: one holder each, an epoch that grows with every grant, and an end.

The gateway asks this book; it has no clock and no socket of its own. A lease ends when its holder
hands back, is silent for 3 s, or lets the dead-man rest for 60 s; after the last two the robot does
not go on by itself. It is taken from a holder only with a reason, or when the holder gives it.
"""

import dataclasses
from collections.abc import Iterator

from corrections.protocol import GATEWAY_RESTARTED, HANDED_BACK, IDLE, SILENT, LeaseState
from policy.errors import ConfigError, LeaseRefused

_S = 1_000_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeaseConfig:
    """When a lease ends without its holder's doing; console.md 5.2."""

    lost_after_s: float = 3.0
    """Silence of the holder that ends the lease: three missed renewals."""
    idle_after_s: float = 60.0
    """Rest of the dead-man that ends the lease."""
    answer_within_s: float = 10.0
    """How long a holder may think about giving the robot to a colleague."""

    def __post_init__(self) -> None:
        if not 0 < self.lost_after_s < self.idle_after_s or not self.answer_within_s > 0:
            raise ConfigError(
                "leases need 0 < lost_after_s < idle_after_s and answer_within_s above 0",
                **dataclasses.asdict(self),
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ask:
    """A colleague who wants a held robot."""

    session: int
    operator_id: str
    deadline_ns: int


@dataclasses.dataclass(kw_only=True)
class _Lease:
    epoch: int = 0
    session: int | None = None
    """Connection of the holder; None while nobody holds it, or the holder's connection is gone."""
    operator_id: str = ""
    """The holder; empty while nobody holds it."""
    heard_ns: int = 0
    active_ns: int = 0
    end_reason: str = ""
    ask: Ask | None = None


class LeaseBook:
    """All leases of one gateway. Sessions are numbers of operator connections."""

    def __init__(self, config: LeaseConfig) -> None:
        self.config = config
        self._leases: dict[str, _Lease] = {}

    def state(self, robot_id: str, session: int | None = None) -> LeaseState:
        """The lease as told to a robot, or to the operator of a session."""
        lease = self._leases.get(robot_id, _Lease())
        return LeaseState(
            robot_id=robot_id,
            epoch=lease.epoch,
            is_held=bool(lease.operator_id),
            operator_id=lease.operator_id,
            end_reason=lease.end_reason,
            is_yours=session is not None and lease.session == session,
        )

    def robot_connected(self, robot_id: str, epoch: int) -> None:
        """Grant only epochs above what the robot has obeyed; an unknown lease of it is over."""
        lease = self._leases.setdefault(robot_id, _Lease())
        if epoch > lease.epoch:
            self._end(lease, GATEWAY_RESTARTED)
            lease.epoch = epoch

    def acquire(self, robot_id: str, session: int, operator_id: str, now_ns: int, *, force_reason: str = "") -> None:
        """Grant the robot to a session.

        Args:
            robot_id: a connected robot.
            session: who asks.
            operator_id: their name.
            now_ns: the gateway's clock.
            force_reason: take it from a holder, for this reason; empty to be refused instead.

        Raises:
            LeaseRefused: somebody holds it, or this session holds another robot.
        """
        held = next((r for r, lease in self._leases.items() if lease.session == session), None)
        if held == robot_id:
            return
        if held is not None:
            raise LeaseRefused("hand back the robot you hold first", robot_id=held)
        lease = self._leases.setdefault(robot_id, _Lease())
        is_own = lease.session is None and lease.operator_id == operator_id
        if lease.operator_id and not is_own and not force_reason:
            raise LeaseRefused("somebody else holds this robot", robot_id=robot_id, holder=lease.operator_id)
        self._leases[robot_id] = _Lease(
            epoch=lease.epoch + 1, session=session, operator_id=operator_id, heard_ns=now_ns, active_ns=now_ns
        )

    def ask(self, robot_id: str, session: int, operator_id: str, now_ns: int) -> int | None:
        """Remember who wants a held robot; returns the holder's session, None if nobody can answer.

        Raises:
            LeaseRefused: somebody else is asking already.
        """
        lease = self._leases[robot_id]
        if lease.ask is not None and lease.ask.session != session:
            raise LeaseRefused("somebody else is asking already", robot_id=robot_id, asker=lease.ask.operator_id)
        deadline_ns = now_ns + int(self.config.answer_within_s * _S)
        lease.ask = Ask(session=session, operator_id=operator_id, deadline_ns=deadline_ns)
        return lease.session

    def answer(self, robot_id: str, session: int, now_ns: int, *, give: bool) -> Ask:
        """The holder's answer; giving grants the robot to who asked.

        Raises:
            LeaseRefused: not the holder, nobody asked, or who asked holds another robot by now.
        """
        lease = self._leases.get(robot_id, _Lease())
        if lease.session != session or lease.ask is None:
            raise LeaseRefused("there is nothing to answer", robot_id=robot_id)
        ask, lease.ask = lease.ask, None
        if give:
            self.acquire(robot_id, ask.session, ask.operator_id, now_ns, force_reason="given by its holder")
        return ask

    def heard(self, robot_id: str, session: int, epoch: int, now_ns: int, *, is_deadman_held: bool = False) -> None:
        """The holder renewed, or sent a command.

        Raises:
            LeaseRefused: not the holder, or an old epoch.
        """
        lease = self._of(robot_id, session, epoch)
        lease.heard_ns = now_ns
        if is_deadman_held:
            lease.active_ns = now_ns

    def release(self, robot_id: str, session: int, epoch: int) -> None:
        """Hand the robot back to its policy.

        Raises:
            LeaseRefused: not the holder, or an old epoch.
        """
        self._end(self._of(robot_id, session, epoch), HANDED_BACK)

    def lost(self, robot_id: str, epoch: int) -> bool:
        """The robot itself has given its holder up; returns whether that ended a lease."""
        lease = self._leases.get(robot_id)
        if lease is None or not lease.operator_id or lease.epoch != epoch:
            return False
        self._end(lease, SILENT)
        return True

    def session_closed(self, session: int) -> list[str]:
        """A connection is gone: its leases run out by silence unless the same person is back."""
        robots = [robot_id for robot_id, lease in self._leases.items() if lease.session == session]
        for lease in self._leases.values():
            lease.session = None if lease.session == session else lease.session
            lease.ask = None if lease.ask and lease.ask.session == session else lease.ask
        return robots

    def expire(self, now_ns: int) -> Iterator[str]:
        """End what is over; yields the robots whose lease ended."""
        for robot_id, lease in self._leases.items():
            if not lease.operator_id:
                continue
            if now_ns - lease.heard_ns > self.config.lost_after_s * _S:
                self._end(lease, SILENT)
                yield robot_id
            elif now_ns - lease.active_ns > self.config.idle_after_s * _S:
                self._end(lease, IDLE)
                yield robot_id

    def unanswered(self, now_ns: int) -> Iterator[tuple[str, Ask]]:
        """Questions that their holder let pass; each is given once."""
        for robot_id, lease in self._leases.items():
            if lease.ask is not None and (not lease.operator_id or now_ns > lease.ask.deadline_ns):
                ask, lease.ask = lease.ask, None
                yield robot_id, ask

    def _of(self, robot_id: str, session: int, epoch: int) -> _Lease:
        lease = self._leases.get(robot_id, _Lease())
        if lease.session != session:
            raise LeaseRefused("you do not hold this robot", robot_id=robot_id, holder=lease.operator_id)
        if lease.epoch != epoch:
            raise LeaseRefused("an old lease", robot_id=robot_id, epoch=epoch, current=lease.epoch)
        return lease

    def _end(self, lease: _Lease, reason: str) -> None:
        lease.session, lease.operator_id, lease.end_reason = None, "", reason
