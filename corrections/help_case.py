"""One request for help at the gateway: who asks what since when, who looks after it, and how it ended."""

import dataclasses

from corrections.help_messages import OpenRequest, PastRequest
from corrections.protocol import Help
from policy.errors import LeaseRefused
from policy.schema import HelpResult, Severity

CLAIM_S = 30.0
_NEAR_DEADLINE_S = 1.0
"""A request that its robot drops this close to its deadline has expired there."""
_S = 1_000_000_000
_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deed:
    """What ended a request, or will as soon as the robot says so."""

    result: HelpResult
    answer: str = ""
    author: str = ""


SELF_RESOLVED = Deed(result=HelpResult.SELF_RESOLVED)
EXPIRED = Deed(result=HelpResult.EXPIRED)


@dataclasses.dataclass(kw_only=True)
class Case:
    """An open request."""

    robot_id: str
    episode_id: str
    task_id: str
    help: Help
    since_ns: int
    """On the desk's clock."""
    due_from_ns: int
    """From when its deadline counts."""
    asked_ns: int
    """Wall time."""
    is_reported: bool
    """It stands in the robot's own reports, and ends when it does so no more."""
    is_ours: bool
    """The gateway named it, so the robot has no record of it."""
    is_risky: bool = False
    """The robot is lost or stopped."""
    absorbed: tuple[Help, ...] = ()
    """Requests of watchers that became this one; they end with it."""
    deed: Deed = SELF_RESOLVED
    """What somebody did about it; counts when the robot stops asking."""
    claimed_by: str = ""
    claimed_ns: int = 0
    """Wall time of the first claim or lease; 0 where there was none."""
    claim_until_ns: int = 0
    """On the desk's clock."""
    is_away: bool = False
    """The robot is not connected; it may come back to its request."""

    @property
    def request_ids(self) -> tuple[str, ...]:
        """Every name it goes by."""
        return (self.help.request_id, *(request.request_id for request in self.absorbed))

    def absorb(self, request: Help, now_ns: int, *, is_ours: bool) -> None:
        """The robot itself asks by now: its own words count, and the older request ends with them."""
        self.absorbed = (*self.absorbed, self.help)
        self.help, self.due_from_ns = request, now_ns
        self.is_reported, self.is_ours = True, is_ours

    def claimant(self, now_ns: int) -> str:
        """Who looks after it now; empty where nobody does."""
        return self.claimed_by if now_ns < self.claim_until_ns else ""

    def check_claim(self, operator_id: str, now_ns: int) -> None:
        """Refuse everybody but who looks after it.

        Raises:
            LeaseRefused: somebody else does.
        """
        if (holder := self.claimant(now_ns)) not in ("", operator_id):
            left_s = (self.claim_until_ns - now_ns) / _S
            raise LeaseRefused(f"{holder} looks after this request, for another {left_s:.0f} s", holder=holder)

    def claim(self, operator_id: str, now_ns: int, wall_ns: int) -> None:
        """This person looks after it from now on."""
        self.claimed_by, self.claim_until_ns = operator_id, now_ns + int(CLAIM_S * _S)
        self.claimed_ns = self.claimed_ns or wall_ns

    def unclaim(self) -> None:
        """Nobody does."""
        self.claim_until_ns = 0

    def left_s(self, now_ns: int) -> float:
        """Until its deadline; 0 where it has none or it has passed."""
        return max(0.0, self.help.deadline_s - (now_ns - self.due_from_ns) / _S) if self.help.deadline_s else 0.0

    def is_over(self, now_ns: int) -> bool:
        """Whether its deadline has passed."""
        return self.help.deadline_s > 0 and not self.left_s(now_ns)

    def deed_of_silence(self, now_ns: int) -> Deed:
        """How it ended, when its robot asks no more."""
        is_near = self.help.deadline_s > 0 and self.left_s(now_ns) <= _NEAR_DEADLINE_S
        return EXPIRED if self.deed is SELF_RESOLVED and is_near else self.deed

    @property
    def urgency(self) -> tuple[int, bool, int]:
        """Sorts the most urgent first: severity, then risk, then waiting time."""
        return _SEVERITIES.index(self.help.severity), not self.is_risky, self.since_ns

    def told(self, now_ns: int, similar: tuple[PastRequest, ...]) -> OpenRequest:
        """As people see it."""
        asked = {f.name: getattr(self.help, f.name) for f in dataclasses.fields(self.help)}
        is_claimed = bool(self.claimant(now_ns))
        return OpenRequest(
            **asked,
            robot_id=self.robot_id,
            episode_id=self.episode_id,
            task_id=self.task_id,
            waiting_s=(now_ns - self.since_ns) / _S,
            left_s=self.left_s(now_ns),
            claimed_by=self.claimant(now_ns),
            claim_left_s=(self.claim_until_ns - now_ns) / _S if is_claimed else 0.0,
            similar=similar,
        )
