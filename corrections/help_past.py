"""Requests for help that are over: what people did about the last ones, shown beside the next of their kind."""

import collections
import dataclasses

from corrections.help_case import Case, Deed
from corrections.help_messages import PastRequest
from corrections.protocol import Help
from policy.schema import HelpResult

_MAX_PAST = 200
_NUM_SIMILAR = 3
_PEOPLE = (HelpResult.ANSWERED, HelpResult.TAKEN_OVER)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """One request that is over."""

    help: Help
    case: Case
    deed: Deed
    ended_at_ns: int
    """On the desk's clock."""
    ended_ns: int
    """Wall time."""

    @property
    def request_id(self) -> str:
        """Its name."""
        return self.help.request_id

    def told(self, now_ns: int) -> PastRequest:
        """As people see it beside a similar one."""
        return PastRequest(
            request_id=self.request_id,
            robot_id=self.case.robot_id,
            reason=self.help.reason,
            result=self.deed.result,
            answer=self.deed.answer,
            author=self.deed.author,
            ago_s=(now_ns - self.ended_at_ns) / 1e9,
        )


class Past:
    """The latest ended requests."""

    def __init__(self) -> None:
        self._ended: collections.deque[Ended] = collections.deque(maxlen=_MAX_PAST)

    def add(self, ended: Ended) -> None:
        """One more is over."""
        self._ended.append(ended)

    def similar(self, case: Case, now_ns: int) -> tuple[PastRequest, ...]:
        """The last ones of the same task and trigger that people did something about, newest first."""
        alike = [
            past.told(now_ns)
            for past in reversed(self._ended)
            if past.deed.result in _PEOPLE
            and (past.case.task_id, past.case.help.trigger) == (case.task_id, case.help.trigger)
        ]
        return tuple(alike[:_NUM_SIMILAR])
