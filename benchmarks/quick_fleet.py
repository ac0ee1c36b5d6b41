"""The small fleet that `latency` and `correction` look at, and the doors through which they look and release.

Its robots replay recorded senses in episodes of three seconds, as long as the plug robot's when it has learned.
"""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping

from benchmarks.replay_fleet import ReplayFleet, replay_fleet
from benchmarks.replay_robots import recording, spec_of
from infra import config, connect, identity
from infra.bus import KafkaConfig
from infra.credentials import Credential
from infra.home import Home
from infra.ledger import Ledger
from infra.registry import MlflowConfig, PolicyRegistry
from infra.signing import service_signer
from policy.errors import TouchlineError
from robots.replay_robot import ReplayRobot
from storage.tables import Lake, LakeConfig, lake_of

SPEC = spec_of("replay-quick", num_cameras=2, side=64, rate_hz=20.0)
AUTHOR = "benchmark"
_TASK = "benchmarks.quick_fleet:QuickRobot"
_EPISODE_STEPS = 61
_WAIT_S = 600.0


class QuickRobot(ReplayRobot):
    """Two 64x64 cameras at 20 Hz; episodes of three seconds."""

    def __init__(self) -> None:
        super().__init__(recording(SPEC, _EPISODE_STEPS))


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuickFleet:
    """One that runs, with robots at work."""

    fleet: ReplayFleet
    registry: PolicyRegistry
    ledger: Ledger
    """Signed as the judge signs."""
    learner: Credential
    """Who signs weights."""
    lake: Lake

    def wait(self, is_so: Callable[[], bool], what: str, period_s: float = 0.2) -> None:
        """Look again and again.

        Raises:
            TouchlineError: it took too long.
        """
        until_s = time.monotonic() + _WAIT_S
        while not is_so():
            if time.monotonic() > until_s:
                raise TouchlineError(f"waited {_WAIT_S:g} s in vain: {what}", logs=str(self.fleet.home.logs))
            self.fleet.tend()
            time.sleep(period_s)


@contextlib.contextmanager
def quick_fleet(home: Home, num_robots: int, environ: Mapping[str, str] | None = None) -> Iterator[QuickFleet]:
    """Started, its robots on the first release.

    Raises:
        TouchlineError: a process did not start, or nothing was released.
    """
    with replay_fleet(home, _TASK, environ) as fleet:
        settings = functools.partial(config.load, home=home)
        judge, learner = (identity.service(home.path, name) for name in ("judge", "learner"))
        with contextlib.closing(connect.bus(settings("kafka", KafkaConfig), judge)) as bus:
            producer = bus.producer(AUTHOR, signer=service_signer(judge))
            fleet.start_robots(num_robots)
            yield QuickFleet(
                fleet=fleet,
                registry=connect.registry(settings("mlflow", MlflowConfig)),
                ledger=Ledger(producer, signatory=judge),
                learner=learner,
                lake=lake_of(LakeConfig(), home),
            )
            producer.close()
