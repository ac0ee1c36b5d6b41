"""A whole fleet on this machine whose robots replay recorded senses: for what services take, and for the soak.

Everything runs as `touchline up` runs it: broker, registry, gateway, ingest, console, learner, judge, critic. A few
demonstrations, made up, let the learner train a base, which the judge releases; robots act on it from then on, and
no later round begins, so that what is measured stays the same.
"""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping

from benchmarks.lake_data import episode, pictures
from benchmarks.processes import Scrape, Usage, scraped, usage
from infra import config, connect, identity
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.fleet import Doors, FleetConfig, service_launch, start_fleet
from infra.home import Home
from infra.local import Supervisor
from infra.registry import CHAMPION, MlflowConfig
from infra.signing import MessageSigner
from infra.topics import EPISODES, STEPS
from policy.errors import TouchlineError
from policy.schema import Source
from robots import tasks

OWN_LAKE = {"TOUCHLINE_LAKE__URL": ""}
"""Whatever a file here says: a benchmark's rows go nowhere else."""
_NUM_DEMONSTRATIONS = 8
_DEMONSTRATION_STEPS = 80
_ENVIRON = {
    **OWN_LAKE,
    "TOUCHLINE_LEARNER__BASE_DEMONSTRATIONS": str(_NUM_DEMONSTRATIONS),
    "TOUCHLINE_LEARNER__BASE_UPDATES": "30",
    "TOUCHLINE_LEARNER__ROUND_EPISODES": str(10**9),
}
_FLEET = FleetConfig(num_actors=0, num_evaluators=0, has_operators=False, demonstrations=0, algorithm="hg_dagger")
_DOORS = Doors(broker=BrokerConfig(retention_bytes=512 << 20))
"""An hour of steps would fill the disk of a small machine."""
ROBOTS = "robots"
_RECORDED = "touchline_steps_recorded_total"
_RELEASE_S = 600.0
_POLL_S = 0.2


class ReplayFleet:
    """One that runs."""

    def __init__(self, supervisor: Supervisor, environ: Mapping[str, str]) -> None:
        self._supervisor, self._environ = supervisor, environ
        self._actors: list[str] = []
        self._num_started = 0

    @property
    def home(self) -> Home:
        """Where it keeps everything."""
        return self._supervisor.home

    @property
    def names(self) -> list[str]:
        """All processes but those of robots."""
        return [name for name in self._supervisor.names if name not in self._actors]

    def start_robots(self, num_robots: int, rate: float = 1.0, num_processes: int = 1) -> None:
        """So many robots in so many processes, and wait until all processes act; `rate` times real time."""
        self._num_started += 1
        share = num_robots // num_processes
        self._actors = [f"actor-{self._num_started}-{number}" for number in range(num_processes)]
        arguments = ("--robots", str(share), "--rate", f"{rate:g}")
        self._supervisor.start(
            [service_launch(name, ("actor", "--name", name, *arguments), self._environ) for name in self._actors]
        )
        wait_until(lambda: all(num > 0 for num in self._recorded()), "robots act", self._supervisor)

    def stop_robots(self) -> None:
        """All of them."""
        self._supervisor.stop(self._actors)
        self._actors = []

    def tend(self) -> None:
        """Start again what died."""
        self._supervisor.tend()

    def num_recorded(self) -> float:
        """Steps that the present robots have recorded."""
        return sum(self._recorded())

    def _recorded(self) -> list[float]:
        said = [self._scrape(name) for name in self._actors]
        return [scraped.values.get(_RECORDED, 0.0) if scraped else 0.0 for scraped in said]

    def usages(self) -> dict[str, Usage]:
        """What each process takes; that of all robots together is `robots`."""
        found = {name: usage(self._supervisor.pid(name)) for name in self.names}
        if self._actors:
            found[ROBOTS] = sum((usage(self._supervisor.pid(name)) for name in self._actors), Usage())
        return found

    def scrapes(self) -> dict[str, Scrape]:
        """What each service that answers says of itself; the first process of robots is `robots`."""
        said = {name: self._scrape(name) for name in self.names}
        if self._actors:
            said[ROBOTS] = self._scrape(self._actors[0])
        return {name: scraped for name, scraped in said.items() if scraped}

    def _scrape(self, name: str) -> Scrape | None:
        port = self.home.fleet()["processes"][name]["metrics_port"]
        try:
            return scraped(port, self.home) if port else None
        except OSError:
            return None  # it died, and starts again


@contextlib.contextmanager
def replay_fleet(home: Home, task: str, environ: Mapping[str, str] | None = None) -> Iterator[ReplayFleet]:
    """Started, with a first release, and stopped at the end; no robot yet.

    Raises:
        TouchlineError: a process did not start, or nothing was released.
    """
    with Supervisor(home, on_event=print) as supervisor:
        fleet = dataclasses.replace(_FLEET, task=task)
        shared = start_fleet(supervisor, fleet, _DOORS, environ={**_ENVIRON, **(environ or {})})
        _demonstrate(home, shared, task)
        known = connect.registry(config.load("mlflow", MlflowConfig, environ=shared))
        wait_until(lambda: known.alias(CHAMPION) is not None, "the first weights are released", supervisor)
        yield ReplayFleet(supervisor, shared)


def wait_until(is_so: Callable[[], bool], what: str, supervisor: Supervisor) -> None:
    """Look again and again; what died meanwhile starts again.

    Raises:
        TouchlineError: it took too long.
    """
    until_s = time.monotonic() + _RELEASE_S
    while not is_so():
        if time.monotonic() > until_s:
            raise TouchlineError(f"waited {_RELEASE_S:g} s in vain: {what}", logs=str(supervisor.home.logs))
        supervisor.tend()
        time.sleep(_POLL_S)


def _demonstrate(home: Home, environ: Mapping[str, str], task: str) -> None:
    spec = tasks.make(task).spec
    signer = MessageSigner(functools.cache(functools.partial(identity.robot, home.path, is_simulated=True)))
    with contextlib.closing(connect.bus(config.load("kafka", KafkaConfig, environ=environ))) as bus:
        producer = bus.producer("bench", signer=signer)
        frames = pictures(side=spec.cameras[0].height)
        for number in range(_NUM_DEMONSTRATIONS):
            steps, end = episode(number, _DEMONSTRATION_STEPS, frames, spec)
            source, cameras = Source.DEMONSTRATION, len(spec.cameras)
            producer.send(STEPS, [dataclasses.replace(s, source=source, frames=s.frames[:cameras]) for s in steps])
            producer.send(EPISODES, [dataclasses.replace(end, source=source)])
        producer.close()
