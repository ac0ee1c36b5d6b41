"""Asks the services of this machine's fleet how they are, every few seconds, on a thread of its own.

What runs elsewhere is not asked: a console without `fleet.json` shows what the lake says, and that it
knows no service.
"""

import collections
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import Metric

from infra import scrape
from infra.home import Home
from infra.status import WELL, health_of
from policy.errors import ConfigError

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 1.0
_NUM_KEPT = 20_000
"""Points per series: about a day at the default period."""
_JOIN_S = 5.0
_WAITS = "touchline_learner_wait_seconds_total"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FleetWatchConfig:
    """How services are asked."""

    period_s: float = 5.0
    """Pause between rounds."""

    def __post_init__(self) -> None:
        if not self.period_s > 0:
            raise ConfigError("period_s must be above 0", got=self.period_s)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One number that a service shows."""

    service: str
    name: str
    labels: Mapping[str, str]
    value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One process of the fleet."""

    name: str
    pid: int
    is_running: bool
    restarts: int
    state: str
    """healthy, running, done, or what is wrong in words."""
    is_well: bool
    """Whether that needs nobody."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FleetView:
    """All services at one moment."""

    time_ns: int = 0
    services: Sequence[ServiceState] = ()
    samples: Sequence[Sample] = ()
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """By section, as `fleet.json` has them."""
    problem: str = ""
    """Why nothing is known, in words."""
    steps_per_s: float | None = None
    """Optimizer steps since the round before; None where that is not known."""
    wait_share: Mapping[str, float] | None = None
    """Share of the time since the round before that the learner waited, by what for."""

    def values(self, name: str) -> list[Sample]:
        """Every sample of a metric."""
        return [sample for sample in self.samples if sample.name == name]

    def total(self, name: str) -> float | None:
        """The sum of a metric over services and labels; None where nobody shows it."""
        found = self.values(name)
        return sum(sample.value for sample in found) if found else None

    @property
    def words(self) -> str:
        """How the fleet is; empty where all is well."""
        ill = [f"{own.name}: {own.state}" for own in self.services if not own.is_well]
        return self.problem or "; ".join(ill)


class FleetWatch:
    """Follows one home's fleet; `start` asks again and again, `refresh` once."""

    def __init__(
        self, home: Home, *, config: FleetWatchConfig | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._home, self._config, self._now_ns = home, config or FleetWatchConfig(), now_ns
        self.view = FleetView(problem="the services have not been asked yet")
        """The newest round."""
        self._series: dict[str, collections.deque[tuple[int, float]]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def series(self, name: str) -> list[tuple[int, float]]:
        """(time in ns, value) of kafka_lag, commit_age_s, learner_loss or learner_steps_per_s since the start."""
        return list(self._series.get(name, ()))

    def refresh(self) -> None:
        """Ask every service once."""
        try:
            fleet = self._home.fleet()
            processes: Mapping[str, Mapping[str, Any]] = fleet.get("processes", {})
            asked = [self._ask(name, process) for name, process in processes.items()]
        except ConfigError as error:
            self.view = FleetView(time_ns=self._now_ns(), problem=str(error))
            return
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.view = FleetView(time_ns=self._now_ns(), problem=f"fleet.json of another release: {error!r}")
            return
        view = FleetView(
            time_ns=self._now_ns(),
            services=[state for state, _ in asked],
            samples=[sample for _, samples in asked for sample in samples],
            settings=fleet.get("settings", {}),
            problem="" if processes else "no fleet runs on this home; start one with: touchline up",
        )
        waits = {own.labels["on"] for own in view.values(_WAITS)}
        shares = {on: rate for on in waits if (rate := _per_s(self.view, view, _WAITS, on)) is not None}
        steps_per_s = _per_s(self.view, view, "touchline_learner_steps_total")
        self.view = dataclasses.replace(view, steps_per_s=steps_per_s, wait_share=shares or None)
        self._note(self.view)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.refresh()
            self._stopping.wait(self._config.period_s)

    def _ask(self, name: str, process: Mapping[str, Any]) -> tuple[ServiceState, list[Sample]]:
        port, is_running = process["metrics_port"], bool(process["is_running"])
        samples: list[Sample] = []
        state = health_of(process)
        if is_running and port:
            try:
                samples = _samples(name, scrape.metrics(port, self._home.path, timeout_s=_TIMEOUT_S))
            except OSError as error:
                _LOG.debug("no metrics", extra={"service": name, "cause": str(error)})
        known = ServiceState(
            name=name,
            pid=int(process["pid"]),
            is_running=is_running,
            restarts=int(process["num_restarts"]),
            state=state,
            is_well=state in WELL,
        )
        return known, samples

    def _note(self, view: FleetView) -> None:
        found = {
            "kafka_lag": view.total("touchline_kafka_lag_records"),
            "commit_age_s": max((s.value for s in view.values("touchline_delta_commit_age_seconds")), default=None),
            "learner_loss": _first(view.values("touchline_learner_loss")),
            "learner_steps_per_s": view.steps_per_s,
        }
        for name, value in found.items():
            if value is not None:
                points = self._series.setdefault(name, collections.deque(maxlen=_NUM_KEPT))
                points.append((view.time_ns, value))


def _per_s(before: FleetView, now: FleetView, name: str, on: str | None = None) -> float | None:
    """How fast a counter grew between two rounds; None where one of them does not show it."""
    totals = [
        [sample.value for sample in view.values(name) if on is None or sample.labels["on"] == on]
        for view in (before, now)
    ]
    took_s = (now.time_ns - before.time_ns) / 1e9
    grown = sum(totals[1]) - sum(totals[0])
    # A service that started again counts from 0: that is no rate.
    return grown / took_s if all(totals) and took_s > 0 and grown >= 0 else None


def _first(samples: Iterable[Sample]) -> float | None:
    return next((sample.value for sample in samples), None)


def _samples(service: str, families: Iterable[Metric]) -> list[Sample]:
    return [
        Sample(service=service, name=sample.name, labels=dict(sample.labels), value=float(sample.value))
        for family in families
        for sample in family.samples
        if sample.name.startswith("touchline_") and not sample.name.endswith(("_bucket", "_created"))
    ]
