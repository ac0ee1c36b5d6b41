"""How old live values are: `python -m benchmarks.critic_freshness [--robots N] [--seconds S]`.

Robots that replay recorded steps at 20 Hz, as a real robot sends them (two 64x64 JPEG cameras, 0.2 s a message),
through Kafka, `touchline critic` with a value function of the default size, the gateway, and a page's connection:
every process and every socket as in a fleet, ingest included, and no simulator. The figures: the way of a
value (from the robot's action to the page), and the age of what the page shows, looked at 20 times a second;
and the share of a core that the critic takes.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import functools
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
import torch

from benchmarks.lake_data import SPEC, episode, pictures
from corrections import auth
from corrections.intervention import SafetyConfig
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.protocol import RobotInfo
from corrections.robot_link import LinkConfig, RobotLink
from infra import config, connect, identity
from infra.bus import KafkaConfig, Producer
from infra.fleet import Doors, FleetConfig, service_launch, start_fleet
from infra.home import Home
from infra.local import Supervisor
from infra.registry import MlflowConfig
from infra.signing import MessageSigner
from infra.topics import STEPS
from learner import critic_store
from learner.advantage import AdvantageConfig
from learner.critic_checkpoint import Critic, TaskScale
from learner.value import ValueConfig, ValueNetwork
from policy.tokens import Vocabulary
from policy.transforms import Affine

_EPISODE_STEPS = 200
_STEPS_PER_MESSAGE = 4
_LOOK_S = 0.05
_FIRST_VALUE_S = 60.0
_FLEET = FleetConfig(num_actors=0, has_operators=False, has_learner=False, has_console=False, demonstrations=0)


class Robots:
    """Robots that send recorded steps at their control rate, and remember when they acted."""

    def __init__(self, producer: Producer, num_robots: int) -> None:
        self._producer = producer
        self._recorded, _ = episode(0, _EPISODE_STEPS, pictures())
        self.names = [f"replay-{number}" for number in range(num_robots)]
        self.acted_ns: dict[tuple[str, str, int], int] = {}
        """Wall time of each step's action, by robot, episode and step."""
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(name,), daemon=True) for name in self.names]

    def __enter__(self) -> "Robots":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str) -> None:
        steps, started_s, seq = [], time.monotonic(), 0
        while not self._stopping.wait(max(0.0, started_s + seq / SPEC.control_rate_hz - time.monotonic())):
            number, index = divmod(seq, _EPISODE_STEPS)
            step = dataclasses.replace(
                self._recorded[index],
                robot_id=name,
                boot_id=f"{name}-0",
                seq=seq,
                episode_id=f"{name}-{number}",
                step_index=index,
                time_ns=time.time_ns(),
            )
            self.acted_ns[name, step.episode_id, index] = step.time_ns
            steps.append(step)
            seq += 1
            if len(steps) == _STEPS_PER_MESSAGE:
                self._producer.send(STEPS, steps)
                steps = []


def untrained_critic() -> Critic:
    """Two value networks of the default size; what they say is noise, what they cost is not."""
    value_config, words = ValueConfig(), Vocabulary.of(["insert the plug"])
    state, tactile = _unit(len(SPEC.state)), _unit(len(SPEC.tactile))
    torch.manual_seed(0)
    networks = tuple(ValueNetwork(value_config, SPEC, words, state, tactile).eval() for _ in range(2))
    scale = TaskScale(longest_steps=_EPISODE_STEPS, failure_cost_steps=_EPISODE_STEPS, advantage_threshold=0.0)
    return Critic(
        spec=SPEC,
        config=value_config,
        advantage=AdvantageConfig(),
        networks=networks,
        tasks={"plug": scale},
        version="untrained",
    )


def _unit(num_channels: int) -> Affine:
    return Affine(centre=np.zeros(num_channels, np.float32), scale=np.ones(num_channels, np.float32))


@dataclasses.dataclass
class Ages:
    """What was seen, in seconds."""

    way_s: list[float] = dataclasses.field(default_factory=list)
    """From an action to its value on the page."""
    shown_s: list[float] = dataclasses.field(default_factory=list)
    """Age of the value that the page shows, at every look."""
    core_share: float = 0.0
    """Of one core, that the critic's process took."""


async def watch(robots: Robots, client_config: OperatorConfig, token: str, duration_s: float) -> Ages:
    """Look at the values as a page does."""
    ages = Ages()
    seen: dict[str, tuple[str, str, int]] = {}
    async with OperatorClient(client_config, token=token) as client:
        await client.wait_for(lambda: len(client.values) == len(robots.names), _FIRST_VALUE_S)
        until_s = time.monotonic() + duration_s
        look_s = time.monotonic()
        while time.monotonic() < until_s:
            await client.changed(max(0.001, look_s - time.monotonic()))
            now_ns = time.time_ns()
            for name, value in client.values.items():
                step = (name, value.episode_id, value.step_index)
                if seen.get(name) != step:
                    seen[name] = step
                    ages.way_s.append((now_ns - robots.acted_ns[step]) / 1e9)
            if time.monotonic() >= look_s:
                look_s = time.monotonic() + _LOOK_S
                ages.shown_s += [(now_ns - robots.acted_ns[step]) / 1e9 for step in seen.values()]
    return ages


@contextlib.contextmanager
def running_critic(home: Home) -> Iterator[tuple[Mapping[str, str], int]]:
    """Broker, registry, gateway, ingest and the critic, as processes; their environment, and the critic's id."""
    with Supervisor(home, on_event=print) as supervisor:
        environ = start_fleet(supervisor, _FLEET, Doors())
        mlflow = critic_store.registry_config(config.load("mlflow", MlflowConfig, environ=environ))
        learner = identity.service(home.path, "learner")
        critic_store.publish(connect.registry(mlflow), untrained_critic(), ranking=0.0, auc=0.5, signer=learner)
        supervisor.start([service_launch("critic", ("critic",), environ)])
        yield environ, supervisor.pid("critic")


def measure(home: Home, num_robots: int, duration_s: float) -> Ages:
    """Run the whole way once."""
    with contextlib.ExitStack() as stack:
        environ, pid = stack.enter_context(running_critic(home))
        bus = connect.bus(config.load("kafka", KafkaConfig, environ=environ))
        stack.callback(bus.close)
        credential_of = functools.cache(functools.partial(identity.robot, home.path, is_simulated=True))
        producer = bus.producer("replay-robots", signer=MessageSigner(credential_of))
        stack.callback(producer.close)
        robots = Robots(producer, num_robots)
        token = auth.operator_token(environ, home.gateway_token)
        infos = [RobotInfo(robot_id=name, spec=SPEC.to_json(), is_simulated=True) for name in robots.names]
        link = RobotLink(infos, config.load("link", LinkConfig, environ=environ), SafetyConfig(), token=token)
        link.start()
        stack.callback(link.close)
        stack.enter_context(robots)
        client_config = config.load("operator", OperatorConfig, environ=environ)
        critic = psutil.Process(pid)
        used_s, started_s = sum(critic.cpu_times()[:2]), time.monotonic()
        ages = asyncio.run(watch(robots, client_config, token, duration_s))
        ages.core_share = (sum(critic.cpu_times()[:2]) - used_s) / (time.monotonic() - started_s)
        return ages


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robots", type=int, default=4, help="robots that send steps")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to look")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        ages = measure(Home(Path(folder)), arguments.robots, arguments.seconds)
    for name, ages_s in (("way of a value", ages.way_s), ("age of what is shown", ages.shown_s)):
        cuts = statistics.quantiles(ages_s, n=100)
        print(f"{name:<22} p50 {cuts[49]:.2f} s   p95 {cuts[94]:.2f} s   p99 {cuts[98]:.2f} s   ({len(ages_s)})")
    print(f"{'the critic':<22} {ages.core_share:.0%} of a core")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
