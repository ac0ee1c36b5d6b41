"""Robots that wait for a person, most urgent first.

Requests live in the robots' own reports: one that resolves itself disappears with the next report,
and nothing has to be closed twice. The stuck detector is the actor's.
"""

import dataclasses
from collections.abc import Iterable

from corrections.operator_messages import OpenRequest
from corrections.protocol import RobotState
from policy.schema import ControlMode

_SEVERITIES = ("error", "warning")
_MODES = {
    ControlMode.LOST: "its operator went away; it holds still until somebody hands it back",
    ControlMode.STOPPED: "stopped; somebody must clear it",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Waiting:
    request_id: str
    reason: str
    severity: str
    since_ns: int


class HelpDesk:
    """Keeps since when each robot has been waiting."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def update(self, states: Iterable[RobotState], now_ns: int) -> bool:
        """Take new reports; returns whether the list changed."""
        before = set(self._waiting.values())
        for state in states:
            known = self._waiting.pop(state.robot_id, None)
            if (new := _request(state, now_ns)) is not None:
                is_same = known is not None and known.request_id == new.request_id
                self._waiting[state.robot_id] = known if is_same and known is not None else new
        return before != set(self._waiting.values())

    def forget(self, robot_id: str) -> None:
        """The robot is gone."""
        self._waiting.pop(robot_id, None)

    def requests(self, now_ns: int) -> tuple[OpenRequest, ...]:
        """All that wait: by severity, then by waiting time."""
        items = sorted(self._waiting.items(), key=lambda item: (_SEVERITIES.index(item[1].severity), item[1].since_ns))
        return tuple(
            OpenRequest(
                robot_id=robot_id,
                request_id=waiting.request_id,
                reason=waiting.reason,
                waiting_s=(now_ns - waiting.since_ns) / 1e9,
                severity=waiting.severity,
            )
            for robot_id, waiting in items
        )


def _request(state: RobotState, now_ns: int) -> _Waiting | None:
    if state.mode in _MODES:
        return _Waiting(
            request_id=state.help_request_id or f"{state.robot_id}/{state.mode}",
            reason=state.help_reason or _MODES[state.mode],
            severity="error",
            since_ns=now_ns,
        )
    if state.help_request_id:
        return _Waiting(request_id=state.help_request_id, reason=state.help_reason, severity="warning", since_ns=now_ns)
    return None
