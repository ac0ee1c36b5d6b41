"""The actor process on a real broker and a real registry: releases, evaluation, a start without the registry."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest

from infra import connect, identity
from infra import registry as registries
from infra.bus import Bus, KafkaConfig
from infra.credentials import Credential
from infra.home import Home
from infra.ledger import Ledger
from infra.processes import Process, running
from infra.registry import MlflowConfig, PolicyRegistry
from infra.releases import announce, promote
from infra.topics import EPISODES, STEPS
from infra.weight_signing import sign_weights
from policy.schema import SceneSplit
from tests.actor_process import actor, delivered_by_boot, received, unique_by_boot
from tests.actor_rig import SPEC, channels, save_policy, wait_for

OTHER_SPEC = dataclasses.replace(SPEC, name="other", tactile=channels("force", 3))
DEADLINE_S = 150.0


class Weights:
    """Publishes tiny policies, whole and damaged."""

    def __init__(self, registry: PolicyRegistry, ledger: Ledger, publisher: Credential, path: Path) -> None:
        self._registry, self._ledger, self._publisher, self._path = registry, ledger, publisher, path
        self._seeds = itertools.count()

    def publish(self, **options: Any) -> str:
        seed = next(self._seeds)
        checkpoint = save_policy(self._path / f"checkpoint-{seed}", seed=seed, **options)
        spec_id = options.get("spec", SPEC).spec_id
        published = self._registry.publish(checkpoint, tags={"spec_id": spec_id})
        sign_weights(self._registry, self._publisher, published)
        version = published.version
        announce(self._registry, self._ledger, version, author="test", reason="made")
        return version

    def promote(self, version: str) -> None:
        promote(self._registry, self._ledger, version, author="test", reason="test")

    def cut_short(self, version: str, artifacts: Path) -> None:
        """Damage the files of a version where the server keeps them."""
        wanted = self._registry.get(version).sha256
        for file in artifacts.rglob("weights.safetensors"):
            if registries.checkpoint_sha256(file.parent) == wanted:
                file.write_bytes(file.read_bytes()[:-64])


@pytest.fixture
def weights(mlflow_config: MlflowConfig, kafka_bus: Bus, tmp_home: Home, tmp_path: Path) -> Weights:
    ledger = Ledger(kafka_bus.producer("test"), signatory=identity.service(tmp_home.path, "judge"))
    return Weights(connect.registry(mlflow_config), ledger, identity.service(tmp_home.path, "learner"), tmp_path)


def wait_for_line(process: Process, text: str) -> None:
    wait_for(lambda: text in process.log_file.read_text(), DEADLINE_S)


def versions_acting(bus: Bus) -> list[str]:
    return [episode.policy_version for episode in received(bus, EPISODES)]


def test_only_whole_releases_of_this_body_act_and_swap_between_episodes(
    kafka_bus: Bus,
    kafka_config: KafkaConfig,
    mlflow_config: MlflowConfig,
    weights: Weights,
    tmp_home: Home,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    launch = actor(tmp_home, kafka_config, mlflow_config)
    with running(launch, tmp_home.logs) as process:
        first, cut = weights.publish(), weights.publish()
        altered, other = weights.publish(), weights.publish(spec=OTHER_SPEC)
        weights.cut_short(cut, tmp_path_factory.getbasetemp())
        connect.registry(mlflow_config).set_tag(altered, "sha256", "0" * 64)
        weights.promote(first)
        wait_for(lambda: first in versions_acting(kafka_bus), DEADLINE_S)
        for bad in (cut, altered, other):
            weights.promote(bad)
            wait_for_line(process, f'"version": "{bad}"')
        good = weights.publish()
        weights.promote(good)
        wait_for(lambda: good in versions_acting(kafka_bus), DEADLINE_S)
        assert process.stop(drain_s=30.0) == 0
    steps, episodes = received(kafka_bus, STEPS), received(kafka_bus, EPISODES)
    assert {step.policy_version for step in steps} == {first, good}
    by_episode = {step.episode_id: step.policy_version for step in steps}
    assert all(by_episode[step.episode_id] == step.policy_version for step in steps)
    assert {episode.num_steps for episode in episodes if not episode.outcome_reason.startswith("cut")} <= {
        12,
        *range(5, 12),
    }
    assert delivered_by_boot(tmp_home, STEPS) == unique_by_boot(steps)

    elsewhere = dataclasses.replace(mlflow_config, tracking_url="http://127.0.0.1:1")
    num_before = len(episodes)
    with running(actor(tmp_home, kafka_config, elsewhere), tmp_home.logs) as process:
        wait_for(lambda: len(versions_acting(kafka_bus)) > num_before, DEADLINE_S)
        assert process.stop(drain_s=30.0) == 0
    assert set(versions_acting(kafka_bus)[num_before:]) == {good}


def test_an_evaluation_runs_each_held_out_scene_once_and_ends(
    kafka_bus: Bus, kafka_config: KafkaConfig, mlflow_config: MlflowConfig, weights: Weights, tmp_home: Home
) -> None:
    version = weights.publish()
    launch = actor(
        tmp_home, kafka_config, mlflow_config, "--evaluate", version, "--episodes", "7", "--split", "report", rate=0
    )
    with running(launch, tmp_home.logs) as process:
        wait_for(lambda: process.exit_code() is not None, DEADLINE_S)
        assert process.exit_code() == 0
        assert f"{version}/report: " in process.log_tail()
    episodes = received(kafka_bus, EPISODES)
    assert sorted(episode.scene_seed for episode in episodes) == list(SceneSplit.REPORT.value[:7])
    assert {(e.source, e.policy_version, e.release_role) for e in episodes} == {("evaluation", version, "")}
    assert {step.source for step in received(kafka_bus, STEPS)} == {"evaluation"}
