"""Gate episodes for every version on trial, as a service: what the judge decides on.

watches    the registry: versions tagged candidate or canary, and the champion they must beat
hands out  slices of gate scenes, always to the version that has the fewest, so that all have run
the same scenes (paired) and a decision can fall after any slice
stops      a version when its tag leaves candidate and canary, or its scenes are used up
"""

import collections
import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from actor.acting_policy import ActingPolicy
from actor.scene_ledger import SceneLedger
from actor.scene_list import first_scenes
from actor.weight_sync import Load
from actor.work import Assignment
from infra import weight_signing
from infra.metrics import Metrics
from infra.registry import PolicyRegistry
from infra.releases import CANARY, CHAMPION, STATUS_TAG
from infra.weight_signing import Trust
from policy.errors import ConfigError, RegistryUnavailable, WeightsRejected
from policy.schema import Episode, SceneSplit
from robots.robot import Robot

_LOG = logging.getLogger(__name__)
_ON_TRIAL = ("candidate", CANARY)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateEvaluationConfig:
    """How much a version is tried before it is released."""

    num_scenes: int = 200
    """Gate scenes per version at most; the same for all."""
    slice_scenes: int = 25
    """Scenes of one version before another gets its turn."""
    poll_s: float = 2.0
    """Seconds between looks at the registry."""

    def __post_init__(self) -> None:
        if self.num_scenes < 1 or self.slice_scenes < 1 or not self.poll_s > 0:
            raise ConfigError("evaluation's numbers must be above 0", num_scenes=self.num_scenes)
        if self.num_scenes > len(SceneSplit.GATE.value):
            raise ConfigError("there are not so many gate scenes", num_scenes=self.num_scenes)


def next_version(num_handed: Mapping[str, int], champion: str | None, num_scenes: int) -> str | None:
    """Whose slice is next: the fewest scenes first, a challenger before the champion, the oldest first.

    Args:
        num_handed: scenes handed out so far per version on trial, champion included.
        champion: the champion's version.
        num_scenes: most per version.
    """
    open_ones = [version for version, num in num_handed.items() if num < num_scenes]
    return min(open_ones, key=lambda v: (num_handed[v], v == champion, int(v)), default=None)


class CandidateWork:
    """Hands out gate scenes of whatever is on trial; watches the registry on its own thread."""

    is_done = False

    def __init__(
        self,
        registry: PolicyRegistry,
        directory: Path,
        load: Load,
        assign: Callable[[ActingPolicy, int], Assignment],
        ledger: SceneLedger,
        config: GateEvaluationConfig,
        metrics: Metrics,
        trust: Trust | None = None,
    ) -> None:
        """Nothing is looked at before `start`; without a `trust` nobody asks who published weights (tests)."""
        self._trust = trust
        self._registry, self._directory, self._load, self._assign = registry, directory, load, assign
        self._ledger, self._config, self._metrics = ledger, config, metrics
        self._scenes = first_scenes(SceneSplit.GATE, config.num_scenes)
        self._policies: dict[str, ActingPolicy] = {}
        self._refused: set[str] = set()
        self._handed: dict[str, set[int]] = {}
        self._slice: collections.deque[tuple[ActingPolicy, int]] = collections.deque()
        self._changed = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="candidates", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._is_closing = True
        self._changed.set()

    def next_episode(self, robot_id: str, robot: Robot) -> Assignment | None:
        """The next scene of the slice; None while nothing is on trial."""
        try:
            acting, scene = self._slice.popleft()
        except IndexError:
            return None  # the next look is at most poll_s away: idle robots must not hurry it
        if not self._slice:
            self._changed.set()
        return self._assign(acting, scene)

    def refusal(self, robot_id: str) -> str:
        """Nothing is released here."""
        return ""

    def ended(self, episode: Episode) -> None:
        """Write the result down."""
        self._ledger.add(series(episode.policy_version), episode)

    # --- watching thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self.look()
            except RegistryUnavailable as error:
                _LOG.warning("the registry does not answer", extra={"cause": str(error)})
            self._changed.wait(self._config.poll_s)
            self._changed.clear()

    def look(self) -> None:
        """Take back what is off trial; hand out the next slice when the last is used up.

        Raises:
            RegistryUnavailable: nothing changed.
        """
        champion = self._registry.alias(CHAMPION)
        on_trial = [v.version for v in self._registry.versions() if v.tags.get(STATUS_TAG) in _ON_TRIAL]
        versions = [*on_trial, *([champion] if champion and champion not in on_trial else [])]
        if any(policy.version.version not in versions for policy, _ in list(self._slice)):
            self._slice.clear()
        for gone in self._policies.keys() - set(versions):
            del self._policies[gone]
        while not self._slice:
            num_handed = {version: len(self._known(version)) for version in versions if version not in self._refused}
            version = next_version(num_handed, champion, self._config.num_scenes)
            if version is None:
                return
            self._hand_out(version)

    def _hand_out(self, version: str) -> None:
        with self._reporting(version):
            if version not in self._policies:
                found = self._registry.get(version)
                directory = weight_signing.fetch(self._registry, found, self._directory, self._trust)
                self._policies[version] = self._load(directory, found)
            scenes = [s for s in self._scenes if s not in self._known(version)][: self._config.slice_scenes]
            self._handed[version].update(scenes)
            self._slice.extend((self._policies[version], scene) for scene in scenes)

    def _known(self, version: str) -> set[int]:
        """Scenes of a version that were handed out, now or in an earlier life."""
        if version not in self._handed:
            self._handed[version] = set(self._ledger.results(series(version))) & set(self._scenes)
        return self._handed[version]

    @contextlib.contextmanager
    def _reporting(self, version: str) -> Iterator[None]:
        try:
            yield
        except WeightsRejected as error:
            self._refused.add(version)
            self._metrics.count("touchline_weights_rejected_total", reason=str(error).split(" [")[0])
            _LOG.error("weights refused; not evaluated", extra={"version": version, "cause": str(error)})


def series(version: str) -> str:
    """A version's name in the ledger."""
    return f"{version}/gate"
