"""The whole fleet as it starts on any machine, small and hurried: for the test that the loop closes."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actor.journal import Counts, read_counts
from corrections import auth
from corrections.operator_client import OperatorClient, OperatorConfig
from demo.watch import Watch
from infra import cli, connect
from infra.bus import KafkaConfig
from infra.fleet import Doors, FleetConfig, service_launch, start_fleet
from infra.home import Home
from infra.local import Supervisor
from infra.registry import MlflowConfig, PolicyRegistry
from infra.topics import EPISODES, STEPS, Topic
from policy.schema import Outcome
from storage.audit import Audit, audit
from storage.tables import Lake, LakeConfig, lake_of
from tests.actor_process import ROOT, received

FLEET = FleetConfig(
    num_actors=2, robots_per_actor=2, num_evaluators=0, has_critic=False, has_console=False, demonstrations=6
)
SERVERS = ("kafka", "mlflow", "gateway", "ingest")
HURRIED = {
    "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    # Robots: quicker than the clock while nobody holds them, and quick to see new weights.
    "TOUCHLINE_ACTOR__RATE": "2",
    "TOUCHLINE_ACTOR__ROBOTS": "2",
    "TOUCHLINE_WEIGHTS__POLL_S": "1",
    # People: one for each robot, who watch every episode.
    "TOUCHLINE_SCRIPTED__OPERATORS": "4",
    "TOUCHLINE_QUALITY__REACTION_MIN_S": "0.05",
    "TOUCHLINE_QUALITY__REACTION_MAX_S": "0.1",
    # The learner: its policy hardly learns anything, and need not.
    "TOUCHLINE_LEARNER__BASE_DEMONSTRATIONS": "6",
    "TOUCHLINE_LEARNER__BASE_UPDATES": "40",
    "TOUCHLINE_LEARNER__ROUND_EPISODES": "8",
    "TOUCHLINE_LEARNER__ROUND_UPDATES": "20",
    "TOUCHLINE_LEARNER__POLL_S": "0.3",
    "TOUCHLINE_UPDATE__BATCH_SIZE": "16",
    "TOUCHLINE_POLICY__WIDTH": "32",
    "TOUCHLINE_POLICY__STEM_CHANNELS": "8",
    "TOUCHLINE_POLICY__NUM_KEYPOINTS": "4",
    # The critic is asked however little there is to learn from.
    "TOUCHLINE_CRITIC__MIN_EPISODES": "0",
    "TOUCHLINE_VALUE__NUM_UPDATES": "5",
    "TOUCHLINE_VALUE__BATCH_SIZE": "16",
    "TOUCHLINE_VALUE__STEM_CHANNELS": "4",
    # The judge releases an untrained base, and leaves the candidate to a person.
    "TOUCHLINE_FAST_GATE__NUM_EPISODES": "0",
    "TOUCHLINE_GATE__MIN_PAIRS": "200",
    "TOUCHLINE_JUDGE__POLL_S": "0.3",
    "TOUCHLINE_EVALUATION__NUM_SCENES": "2",
    "TOUCHLINE_EVALUATION__SLICE_SCENES": "2",
    "TOUCHLINE_EVALUATION__POLL_S": "0.3",
}
"""Added to every process's environment."""
DEADLINE_S = 300.0
"""Of one wait, on a machine that has other work to do; idle, all of them together take two minutes."""
_LOOK_S = 0.2


@dataclasses.dataclass(kw_only=True, eq=False)
class LiveFleet:
    """A running fleet, and what its lake has shown so far."""

    supervisor: Supervisor
    environ: Mapping[str, str]
    """What all its processes share."""
    lake: Lake
    watch: Watch
    events: list[str]
    """What the supervisor said."""

    def wait(self, what: str, condition: Callable[[], object]) -> None:
        """Tend the processes and follow the tables until it holds.

        Raises:
            AssertionError: it did not in time.
        """
        event, deadline = threading.Event(), time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}; the fleet said {self.events}"
            event.wait(_LOOK_S)
            self.supervisor.tend()
            self.watch.refresh()

    @property
    def registry(self) -> PolicyRegistry:
        """A client of its own."""
        return connect.registry(MlflowConfig(tracking_url=self.environ["TOUCHLINE_MLFLOW__TRACKING_URL"]))

    def released(self, event: str) -> list[str]:
        """Versions of the ledger's lines of one kind, in order."""
        return [row["policy_version"] for row in self.watch.releases if row["event"] == event]

    def episodes(self, **wanted: object) -> list[dict[str, Any]]:
        """Ended episodes whose fields have these values."""
        return [row for row in self.watch.episodes if all(row[name] == value for name, value in wanted.items())]

    def evaluate_candidates(self) -> None:
        """Start an evaluator.

        Not with the fleet: it would try the base before its release, and the fast gate refuses what
        fails every scene.
        """
        arguments = ("evaluate", "candidates", "--name", "evaluator-0")
        self.supervisor.start([service_launch("evaluator-0", arguments, self.environ)])

    def kill(self, name: str) -> None:
        """SIGKILL one process; returns when the supervisor has started it again."""
        before = self.supervisor.pid(name)
        os.kill(before, signal.SIGKILL)
        self.wait(
            f"{name} starts again", lambda: self.supervisor.pid(name) != before and self.supervisor.is_running(name)
        )

    def command(self, *arguments: str) -> None:
        """What a person types in another terminal."""
        name, *rest = arguments
        assert cli.main([name, "--home", str(self.supervisor.home.path), *rest]) == 0

    def label(self, episode_id: str, outcome: Outcome, *, operator: str) -> None:
        """A person's judgement, through the gateway; returns when the gateway has taken it."""
        home = self.supervisor.home
        config = OperatorConfig(
            url=self.environ["TOUCHLINE_OPERATOR__URL"], operator_id=operator, timeout_s=DEADLINE_S / 10
        )
        token = auth.operator_token(file=home.gateway_token)

        async def say() -> None:
            async with OperatorClient(config, token=token) as client:
                await client.label(episode_id, outcome, "seen on the tape")
                await client.wait_for(lambda: client.receipt is not None, config.timeout_s)

        asyncio.run(say())

    def stop_all_but_servers(self) -> None:
        """End everybody who makes records."""
        self.supervisor.stop([name for name in self.supervisor.names if name not in SERVERS])

    def counts(self, topic: Topic) -> list[Counts]:
        """What robots and processes counted themselves, killed ones included."""
        return [counts for counts in read_counts(self.supervisor.home.spool) if counts.topic == topic.name]

    def balance(self, topic: Topic) -> Audit:
        """Those counts against the lake."""
        return audit(self.lake, {counts.boot_id: counts.num_recorded for counts in self.counts(topic)}, topic)

    def settle(self) -> None:
        """Wait until the lake has what was counted."""
        self.wait(
            "the lake has all that was counted",
            lambda: all(self.balance(topic).num_lost == 0 for topic in (STEPS, EPISODES)),
        )

    def step_keys_in_kafka(self) -> set[tuple[str, int]]:
        """(boot_id, seq) of every step message, decoded from the wire."""
        config = KafkaConfig(bootstrap_servers=self.environ["TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS"])
        with contextlib.closing(connect.bus(config)) as bus:
            return {(step.boot_id, step.seq) for step in received(bus, STEPS)}


@contextlib.contextmanager
def live_fleet(
    directory: Path, fleet: FleetConfig = FLEET, environ: Mapping[str, str] = HURRIED
) -> Iterator[LiveFleet]:
    """Everything `touchline up` starts, in a home of its own; ended when the block is."""
    home = Home(directory / "home")
    lake = lake_of(LakeConfig(), home)
    events: list[str] = []
    with Supervisor(home, on_event=events.append) as supervisor:
        shared = start_fleet(supervisor, fleet, Doors(), environ=environ)
        yield LiveFleet(supervisor=supervisor, environ=shared, lake=lake, watch=Watch(lake), events=events)


def ids(rows: Sequence[Mapping[str, Any]], field: str = "episode_id") -> set[str]:
    """One field of some rows."""
    return {row[field] for row in rows}
