"""Which weights act: on a thread of its own, from the registry's aliases to loaded policies.

    consumes   registry aliases (the truth), the releases topic (a hint to look now), a slow poll (the net)
    produces   Released per robot; the control loop takes it when an episode begins, never within one
    waits for  the registry, never the other way round: without it the last good weights act, from disk

A version acts after its files have the published hash, its spec is the robot's, every weight is finite
and one inference succeeded. What is refused is reported and the old weights go on.
"""

import contextlib
import dataclasses
import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actor.acting_policy import ActingPolicy
from actor.order_book import OrderBook
from infra import releases
from infra.bus import Bus, Consumer
from infra.metrics import Metrics
from infra.registry import PolicyRegistry, PolicyVersion
from infra.releases import Acting, CanaryCohort
from infra.topics import RELEASES
from policy.errors import BusError, ConfigError, RegistryUnavailable, WeightsRejected

_LOG = logging.getLogger(__name__)
_LAST_GOOD = "last_good.json"
_HINT_WAIT_S = 0.5

Load = Callable[[Path, PolicyVersion], ActingPolicy]
"""`acting_policy.Loader`; raises WeightsRejected."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncConfig:
    """How often to look for new weights."""

    poll_s: float = 5.0
    """Seconds between looks at the registry when no hint came."""
    retry_refused_s: float = 60.0
    """Seconds before a refused version is fetched again: a cut download may heal."""

    def __post_init__(self) -> None:
        if not (self.poll_s > 0 and self.retry_refused_s > 0):
            raise ConfigError("weights.poll_s and weights.retry_refused_s must be above 0", poll_s=self.poll_s)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """What one robot is to run from its next episode on."""

    policy: ActingPolicy
    role: str
    """"champion" or "canary"."""


@dataclasses.dataclass(frozen=True)
class _Refusal:
    """Weights that do not act here."""

    reason: str
    until_s: float
    """Monotonic time at which they are fetched once more."""


class WeightSync:
    """The released weights of all robots of one process."""

    def __init__(
        self,
        registry: PolicyRegistry,
        directory: Path,
        robot_ids: Sequence[str],
        load: Load,
        *,
        metrics: Metrics,
        hint: Callable[[float], None],
        closing: threading.Event,
        orders: OrderBook | None = None,
        cohort: CanaryCohort = CanaryCohort(),  # noqa: B008 - frozen
        config: SyncConfig = SyncConfig(),
    ) -> None:
        """Nothing is fetched before `start`.

        Args:
            registry: where versions and aliases are.
            directory: of this process alone; keeps what acts.
            robot_ids: who asks.
            load: verifies and loads a fetched version.
            metrics: of the service.
            hint: waits at most so many seconds for a reason to look at the registry now.
            closing: set by `close`; ends the wait of `hint` too.
            orders: who may release; None follows whatever the aliases say (tests).
            cohort: which robots run a canary.
            config: how often to look.
        """
        self._registry, self._directory, self._robot_ids, self._load = registry, directory, robot_ids, load
        self._metrics, self._hint, self._orders, self._cohort, self._config = metrics, hint, orders, cohort, config
        self._released: Mapping[str, Released] = {}
        self._refused: dict[str, _Refusal] = {}
        self._unheeded: Mapping[str, str] = {}
        self._closing = closing
        self._thread = threading.Thread(target=self._run, name="weight-sync", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop looking; a request in hand may outlive this on its daemon thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def released(self, robot_id: str) -> Released | None:
        """What the robot is to run now; None before anything was ever released. Never waits."""
        return self._released.get(robot_id)

    def refusal(self, robot_id: str) -> str:
        """Which weights the robot should run and will not, and why, in words; empty where it runs what it should."""
        return self._unheeded.get(robot_id, "")

    # --- weight-sync thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except RegistryUnavailable as error:
                _LOG.warning("the registry does not answer; keeping what acts", extra={"cause": str(error)})
                if not self._released:
                    self.restore()
            self._hint(self._config.poll_s)

    def look(self) -> None:
        """Make the aliases of this moment the weights of the next episodes.

        Raises:
            RegistryUnavailable: the registry does not answer; nothing changed.
        """
        acting = releases.acting_versions(self._registry, self._robot_ids, self._cohort)
        found = self._policies(self._ordered({choice for choice in acting.values() if choice is not None}))
        changed = dict(self._released)
        for robot_id, choice in acting.items():
            if choice is not None and choice.version in found:
                changed[robot_id] = Released(policy=found[choice.version], role=choice.role)
        self._unheeded = {
            robot_id: f"version {choice.version}: {self._refused[choice.version].reason}"
            for robot_id, choice in acting.items()
            if choice is not None and choice.version not in found and choice.version in self._refused
        }
        if _summary(changed) != _summary(self._released):
            self._released = changed
            self._keep()

    def restore(self) -> None:
        """Start from the last good weights on disk, without the registry; do nothing where there are none."""
        try:
            content = json.loads((self._directory / _LAST_GOOD).read_text())
        except (OSError, ValueError):
            return
        versions = {fields["version"]: PolicyVersion(**fields) for fields in content["versions"]}
        policies = {}
        for version in versions.values():
            with self._reporting(version.version):
                policies[version.version] = self._load(self._directory / version.version, version)
        self._released = {
            robot_id: Released(policy=policies[choice["version"]], role=choice["role"])
            for robot_id, choice in content["robots"].items()
            if robot_id in self._robot_ids and choice["version"] in policies
        }
        _LOG.info("acting on the last good weights", extra={"robots": sorted(self._released)})

    def _ordered(self, acting: set[Acting]) -> dict[str, PolicyVersion]:
        """The versions of which somebody who may has signed that they act."""
        found = {}
        for choice in acting:
            try:
                if not choice.version.isdecimal():  # it names a folder here
                    raise WeightsRejected("not a version number", version=choice.version)
                record = self._registry.get(choice.version)
                if self._orders is not None:
                    self._orders.follow(record, choice.role)
                found[choice.version] = record
            except WeightsRejected as error:
                self._disobey(choice.version, str(error))
        return found

    def _disobey(self, version: str, reason: str) -> None:
        """Tell once that nobody who may has released a version; its files, which may be good, stay."""
        if version not in self._refused or self._refused[version].reason != reason:
            self._metrics.count("touchline_weights_rejected_total", reason=reason.split(" [")[0])
            _LOG.error("a release that is not followed", extra={"version": version, "cause": reason})
        self._refused[version] = _Refusal(reason, 0.0)

    def _policies(self, wanted: Mapping[str, PolicyVersion]) -> dict[str, ActingPolicy]:
        """The wanted versions that may act, loaded once each."""
        loaded = {released.policy.version.version: released.policy for released in self._released.values()}
        found = {version: loaded[version] for version in wanted.keys() & loaded.keys()}
        for version in sorted(wanted.keys() - loaded.keys()):
            if version in self._refused and time.monotonic() < self._refused[version].until_s:
                continue
            with self._reporting(version):
                record = wanted[version]
                found[version] = self._load(self._registry.fetch(record, self._directory), record)
                self._refused.pop(version, None)
                _LOG.info("new weights are ready", extra={"version": version})
        return found

    @contextlib.contextmanager
    def _reporting(self, version: str) -> Any:
        try:
            yield
        except WeightsRejected as error:
            self._refused[version] = _Refusal(str(error), time.monotonic() + self._config.retry_refused_s)
            shutil.rmtree(self._directory / version, ignore_errors=True)
            self._metrics.count("touchline_weights_rejected_total", reason=str(error).split(" [")[0])
            _LOG.error("weights refused; the old ones go on", extra={"version": version, "cause": str(error)})

    def _keep(self) -> None:
        """Write down what acts, then clear away what does not."""
        versions = {released.policy.version.version: released.policy.version for released in self._released.values()}
        content = {
            "robots": {robot_id: dataclasses.asdict(choice) for robot_id, choice in _summary(self._released).items()},
            "versions": [{**vars(version), "tags": dict(version.tags)} for version in versions.values()],
        }
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = self._directory / f"{_LAST_GOOD}.tmp"
        draft.write_text(json.dumps(content, indent=1))
        draft.replace(self._directory / _LAST_GOOD)
        for path in self._directory.iterdir():
            if path.is_dir() and path.name not in versions:
                shutil.rmtree(path, ignore_errors=True)


class ReleaseHints:
    """Waits for news on the releases topic; a broker that is away is as good as no news."""

    def __init__(self, bus: Bus, closing: threading.Event) -> None:
        self._bus = bus
        self._closing = closing
        self._consumer: Consumer | None = None

    def __call__(self, timeout_s: float) -> None:
        """Return when a release was announced, the time is over, or `closing` is set: then for good."""
        deadline = time.monotonic() + timeout_s
        while not self._closing.is_set() and (left_s := deadline - time.monotonic()) > 0:
            try:
                if self._consumer is None:
                    self._consumer = self._bus.consumer(RELEASES.name, "latest")
                    return  # what was announced before is not in this consumer
                if self._consumer.poll(min(left_s, _HINT_WAIT_S)):
                    return
            except BusError:
                self._forget()
                self._closing.wait(min(left_s, _HINT_WAIT_S))
        if self._closing.is_set():
            self._forget()

    def _forget(self) -> None:
        """Let go of the consumer on the thread that used it; left alone, it would keep the process alive."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _summary(released: Mapping[str, Released]) -> dict[str, Acting]:
    return {
        robot_id: Acting(version=choice.policy.version.version, role=choice.role)
        for robot_id, choice in released.items()
    }
