"""What the gateway counts, by the names of `infra/metrics.py`."""

from corrections.help_past import Ended
from infra.metrics import Metrics
from policy.schema import HelpResult

_PEOPLE = (HelpResult.ANSWERED, HelpResult.TAKEN_OVER)


class Tally:
    """Events as the gateway's parts name them, to metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def event(self, name: str) -> None:
        """Something worth a count happened: lease_granted, stop, label, malformed, ..."""
        if name.startswith("lease_"):
            self._metrics.count("touchline_lease_events_total", event=name.removeprefix("lease_"))
        elif name == "stop":
            self._metrics.count("touchline_estop_total", source="operator")
        else:
            self._metrics.count("touchline_gateway_events_total", event=name)

    def help_ended(self, ended: Ended) -> None:
        """A request for help is over."""
        case, result = ended.case, ended.deed.result
        self._metrics.count("touchline_help_requests_total", type=ended.help.kind, result=result)
        if case.claimed_ns:
            self._metrics.observe("touchline_help_claim_seconds", max(0.0, (case.claimed_ns - case.asked_ns) / 1e9))
        if result in _PEOPLE:
            self._metrics.observe("touchline_help_resolve_seconds", (ended.ended_at_ns - case.since_ns) / 1e9)

    def waited(self, num_robots: int, seconds: float) -> None:
        """So many robots had an open request for so long."""
        self._metrics.count("touchline_robot_waiting_seconds_total", num_robots * seconds)
