import asyncio
import contextlib
import dataclasses
import json
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable

import pytest

from corrections.gateway import Gateway
from corrections.operator_client import OperatorClient, OperatorConfig
from infra import connect, identity, shadow, weight_signing
from infra.bus import Bus, KafkaConfig
from infra.credentials import Credential
from infra.fleet import environ_of, service_launch
from infra.home import HOME_VARIABLE, Home
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.processes import running
from infra.registry import MlflowConfig
from infra.topics import EPISODES, STEPS
from learner import critic_store
from learner.critic_help import DropConfig
from learner.critic_line import CriticLine
from learner.live_critic import LiveCritic, LiveCriticConfig
from learner.live_stream import LiveStream
from learner.synthetic import toy_spec
from policy import checkpoint
from policy.schema import Outcome
from tests.corrections_rig import operator, robot_url, running_gateway, ticking, until
from tests.critic_rig import ended, scripted, steps_of, toy_critic
from tests.shadow_rig import HORIZON, a_policy, acted_by

CALM = [-0.5] * 12
FALLING = [*[-0.2] * 8, *[-0.8] * 12]
DEADLINE_S = 90.0


class Running:
    """Everything of `touchline critic` but the process: stream, critic and line, on a thread."""

    def __init__(self, bus: MemoryBus, port: int) -> None:
        self.bus, self.metrics, self.critic = bus, Metrics(), scripted()
        self.producer = bus.producer("robot")
        config = OperatorConfig(url=f"ws://127.0.0.1:{port}/operator", operator_id="critic")
        self.line = CriticLine(config, token="")
        self._live = LiveCritic(
            audience=self.line,
            producer=self.producer,
            metrics=self.metrics,
            boot_id="critic",
            config=LiveCriticConfig(period_s=0.05),
            drop=DropConfig(min_episodes=3, coverage=0.75),
        )
        self._stopping = threading.Event()
        self._stream = LiveStream(bus, self._live, metrics=self.metrics, stopping=self._stopping)
        self._thread = threading.Thread(target=self._run)
        self.num_cycles = 0

    def __enter__(self) -> "Running":
        self.line.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._stream.close()
        self.line.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stream.listen(0.05)
            self._live.cycle(self.critic)
            self.num_cycles += 1

    async def settled(self) -> None:
        """Two whole cycles from now: what was sent before is scored."""
        target = self.num_cycles + 2
        await until(lambda: self.num_cycles >= target)


@contextlib.asynccontextmanager
async def _everything() -> AsyncIterator[tuple[Running, OperatorClient]]:
    bus = MemoryBus()
    async with running_gateway(bus) as gateway:
        with ticking(robot_url(gateway)), Running(bus, gateway.port) as critic:
            async with operator(gateway) as client:
                await until(lambda: critic.line.status == "connected" and "r1" in client.robots)
                await critic.settled()
                yield critic, client


def test_values_reach_who_watches_and_follow_the_critic() -> None:
    async def run() -> None:
        async with _everything() as (critic, client):
            critic.producer.send(STEPS, steps_of(CALM, episode_id="e1"))
            await until(lambda: "r1" in client.values)
            value = client.values["r1"]
            assert (value.episode_id, value.step_index, value.critic_version) == ("e1", 11, "scripted")
            assert value.value == pytest.approx(-0.5)
            critic.critic = scripted("newer")
            await critic.settled()
            critic.producer.send(STEPS, steps_of(CALM, episode_id="e1", first=12))
            await until(lambda: client.values["r1"].critic_version == "newer")

    asyncio.run(run())


def test_a_message_that_does_not_validate_is_counted_and_nothing_else() -> None:
    async def run() -> None:
        async with _everything() as (critic, client):
            critic.bus.append(STEPS.name, b"r1", b"not a message", {})
            critic.producer.send(STEPS, steps_of(CALM, episode_id="e1"))
            await until(lambda: "r1" in client.values)
            assert critic.metrics.value("touchline_critic_malformed_total", topic="steps") == 1

    asyncio.run(run())


def test_a_drop_raises_exactly_one_request() -> None:
    async def run() -> None:
        async with _everything() as (critic, client):
            for number in range(3):
                critic.producer.send(STEPS, steps_of(CALM, episode_id=f"calm-{number}"))
                critic.producer.send(EPISODES, [ended(f"calm-{number}", len(CALM), Outcome.SUCCESS)])
                await critic.settled()
            critic.producer.send(STEPS, steps_of(FALLING, episode_id="e1"))
            await until(lambda: any(request.trigger == "value_drop" for request in client.help))
            critic.producer.send(STEPS, steps_of([-0.9] * 5, episode_id="e1", first=len(FALLING)))
            await critic.settled()
            (request,) = client.help
            assert request.robot_id == "r1"
            assert request.reason == "value fell 0.60 in 3 s"
            assert request.options == ("take over", "try again", "go on")
            asked = critic.metrics.value("touchline_help_requests_total", type="value_drop", result="asked")
            assert asked == 1

    asyncio.run(run())


def test_a_gateway_that_comes_late_is_found() -> None:
    async def run() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            port = gateway.port
        with Running(bus, port) as critic:
            await until(lambda: "no gateway answers" in critic.line.status)
            async with running_gateway(bus, port=port):
                await until(lambda: critic.line.status == "connected")

    asyncio.run(run())


def test_the_process_says_why_it_is_silent_and_then_scores(
    kafka_config: KafkaConfig, kafka_bus: Bus, mlflow_config: MlflowConfig, tmp_home: Home
) -> None:
    async def run() -> None:
        async with running_gateway() as gateway:
            settings = {
                "kafka": dataclasses.asdict(kafka_config),
                "mlflow": dataclasses.asdict(mlflow_config),
                "operator": {"url": f"ws://127.0.0.1:{gateway.port}/operator"},
                "live_critic": {"poll_s": 0.1},
                "shadow": {"poll_s": 0.1, "period_s": 0.1, "publish_s": 0.1},
            }
            environ = {**environ_of(settings), HOME_VARIABLE: str(tmp_home.path)}
            launch = service_launch("critic", ("critic",), environ)
            process = running(launch, tmp_home.path)
            with ticking(robot_url(gateway)):
                # The gateway lives on this loop: waiting for the process must not hold it up.
                await asyncio.to_thread(process.__enter__)
                try:
                    learner = identity.service(tmp_home.path, "learner")
                    await _score(launch.metrics_port, gateway, kafka_bus, mlflow_config, learner)
                    await asyncio.to_thread(_compare, kafka_bus, mlflow_config, learner, tmp_home)
                finally:
                    await asyncio.to_thread(process.__exit__, None, None, None)

    asyncio.run(run())


async def _score(port: int, gateway: Gateway, bus: Bus, mlflow: MlflowConfig, learner: Credential) -> None:
    def detail() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as response:
            return str(json.load(response)["details"].get("critic"))

    await _eventually(detail, "no critic has been published yet")
    critics = connect.registry(critic_store.registry_config(mlflow))
    await asyncio.to_thread(critic_store.publish, critics, toy_critic(), ranking=0.5, auc=0.7, signer=learner)
    await _eventually(detail, "scoring with critic 1-0-toy (version 1)")
    with contextlib.closing(bus.producer("robot")) as producer:
        async with operator(gateway) as client:
            step = 0
            while "r1" not in client.values:  # the process may begin to listen after our first message
                producer.send(STEPS, steps_of([-0.5], episode_id="e1", first=step))
                step += 1
                assert step < DEADLINE_S / 0.2
                await client.changed(0.2)
            assert client.values["r1"].critic_version == "1-0-toy"
            assert -1 <= client.values["r1"].value <= 0


def _compare(bus: Bus, mlflow: MlflowConfig, learner: Credential, home: Home) -> None:
    """A shadow that somebody named is compared with the champion, and its version says how."""
    weights = connect.registry(mlflow)
    for seed in range(2):
        folder = home.path / f"policy-{seed}"
        checkpoint.save(folder, a_policy(seed))
        weight_signing.sign_weights(weights, learner, weights.publish(folder, tags={"spec_id": toy_spec().spec_id}))
    weights.set_alias("champion", "1")
    with contextlib.closing(bus.producer("robot")) as producer:
        shadow.set_shadow(weights, Ledger(producer), "2", author="ann", reason="a look")
        deadline_s = time.monotonic() + DEADLINE_S
        while not (said := weights.get("2").tags.get(shadow.SHADOW_TAG)):
            producer.send(STEPS, acted_by(a_policy(0), HORIZON, version="1"))
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
    report = json.loads(said)
    assert (report["version"], report["champion"], list(report["robots"])) == ("2", "1", ["r1"])
    assert report["ratio"] > 0


async def _eventually(read: Callable[[], str], expected: str) -> None:
    seen: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while not seen or seen[-1] != expected:
            seen.append(await asyncio.to_thread(read))
            await asyncio.sleep(0.1)
