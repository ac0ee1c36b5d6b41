"""The judge on a real lake and a real registry server: nothing broken ever becomes champion."""

import dataclasses
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infra import registry as registries
from infra import releases
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.registry import MlflowConfig, PolicyRegistry
from infra.topics import EPISODES, RELEASES
from infra.wire import decode
from learner.fast_gate import FastGateConfig
from learner.judge import EvidenceSource, Judge, JudgeConfig
from learner.synthetic import toy_data, toy_spec
from learner.verdict import GateConfig
from policy import checkpoint
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from storage.episode_index import EpisodeIndex
from storage.tables import Lake
from tests.lake_rig import Filler, make_episode
from tests.learner_rig import POLICY

GATE = 1_000_000


class Court:
    """A judge with everything it reads, and a clock of its own."""

    def __init__(self, directory: Path, registry: PolicyRegistry, config: JudgeConfig | None = None) -> None:
        self.directory, self.registry = directory, registry
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.ledger = Ledger(self.bus.producer("test"))
        self.now_s = 0.0
        self._filler = Filler(Lake(str(directory / "lake")))
        self._num_episodes = 0
        self.judge = Judge(
            registry=registry,
            ledger=self.ledger,
            index=EpisodeIndex(self._filler.lake),
            directory=directory / "fetched",
            config=config or JudgeConfig(),
            fast_gate=FastGateConfig(num_episodes=4, wait_s=60),
            gate=GateConfig(),
            metrics=Metrics(),
            now_ns=lambda: int(self.now_s * 1e9),
        )
        self.episodes("", "s", source="demonstration", first_scene=3_000_000)

    def publish(self, *, spec: EmbodimentSpec | None = None, nan: bool = False, held_out: float = 0.2) -> str:
        spec = spec or toy_spec()
        data = toy_data(num_demonstrations=2, num_rollouts=0, num_helped=0)
        normaliser = Normaliser.fit(state=data.state, tactile=data.tactile, action=data.action)
        policy = Policy.create(POLICY, spec, Vocabulary.of(data.instructions), normaliser)
        if nan:
            with torch.no_grad():
                next(policy.network.parameters()).fill_(float("nan"))
        directory = self.directory / uuid.uuid4().hex
        checkpoint.save(directory, policy)
        tags = {"spec_id": spec.spec_id, "held_out_loss": str(held_out)}
        version = self.registry.publish(directory, tags=tags).version
        releases.announce(self.registry, self.ledger, version, author="learner", reason="round")
        return version

    def episodes(
        self, version: str, outcomes: str, *, source: str = "evaluation", first_scene: int = GATE, num_steps: int = 40
    ) -> None:
        """One letter an episode: s(uccess) or f(ailure)."""
        records = []
        for offset, letter in enumerate(outcomes):
            episode = make_episode(
                self._num_episodes,
                num_steps,
                source=source,
                policy_version=version,
                spec_id=toy_spec().spec_id,
                scene_seed=first_scene + offset,
                outcome="success" if letter == "s" else "failure",
                started_ns=int(self.now_s * 1e9) + 1,
                ended_ns=int(self.now_s * 1e9) + 2 + offset,
            )
            records.append(episode)
            self._num_episodes += 1
        self._filler.put(EPISODES, records)

    def status(self, version: str) -> tuple[str, str]:
        tags = self.registry.get(version).tags
        return tags["status"], tags["role_reason"]

    def champion(self) -> str | None:
        return self.registry.alias(releases.CHAMPION)

    def crown(self) -> str:
        """A first champion that succeeds on half of the gate scenes."""
        version = self.publish()
        self.episodes(version, "sf" * 50)
        self.judge.step()
        assert self.champion() == version
        return version

    def events(self) -> Sequence[str]:
        messages = [m for partition in self.bus.log(RELEASES.name) for m in partition]
        return [str(event) for m in messages for event in decode(RELEASES, m.value).column("event").to_pylist()]


@pytest.fixture
def court(tmp_path: Path) -> Court:
    torch.set_num_threads(1)
    (tmp_path / "registry").mkdir()
    return Court(tmp_path, MemoryRegistry(tmp_path / "registry"))


@pytest.fixture
def served_court(tmp_path: Path, mlflow_config: MlflowConfig) -> Court:
    torch.set_num_threads(1)
    return Court(tmp_path, registries.connect(mlflow_config))


def test_a_broken_candidate_never_becomes_champion(served_court: Court) -> None:
    court = served_court
    first = court.crown()
    other = dataclasses.replace(toy_spec(), name="another body")
    broken: list[tuple[dict[str, Any], str]] = [
        ({"nan": True}, "not finite"),
        ({"spec": other}, "another embodiment"),
        ({"held_out": float("nan")}, "held-out error nan"),
    ]
    for flaw, word in broken:
        version = court.publish(**flaw)
        court.judge.step()
        assert court.status(version)[0] == "rejected"
        assert word in court.status(version)[1]
        assert court.champion() == first
    failing = court.publish()
    court.judge.step()
    court.episodes(failing, "f" * 40)
    court.judge.step()
    court.judge.step()
    assert court.status(failing)[0] == "rejected"
    assert "0 of 40 simulated episodes" in court.status(failing)[1]
    assert court.champion() == first
    assert court.registry.alias(releases.CANARY) is None


def test_a_better_candidate_becomes_canary_then_champion(served_court: Court) -> None:
    court = served_court
    first = court.crown()
    better = court.publish()
    court.judge.step()
    assert court.status(better)[0] == "candidate"
    court.episodes(better, "s" * 4)
    court.judge.step()
    assert court.registry.alias(releases.CANARY) == better
    court.episodes(better, "s" * 36, first_scene=GATE + 4)
    court.judge.step()
    assert court.champion() == better
    assert court.registry.alias(releases.PREVIOUS) == first
    assert "more success than the champion (40 against 20 successes" in court.status(better)[1]
    assert list(court.events()) == ["candidate", "promote", "candidate", "canary", "promote"]


def test_a_canary_that_collapses_is_rejected(court: Court) -> None:
    first = court.crown()
    version = court.publish()
    court.episodes(version, "sf" * 2)
    court.judge.step()
    assert court.status(version)[0] == "canary"
    court.episodes(version, "f" * 60, first_scene=GATE + 4)
    court.judge.step()
    assert court.status(version)[0] == "rejected"
    assert court.champion() == first


def test_a_canary_without_evidence_is_rejected_in_time(court: Court) -> None:
    court.crown()
    version = court.publish()
    court.judge.step()
    court.now_s = 61
    court.judge.step()
    assert court.status(version)[0] == "canary"
    assert "no simulated episodes came in time" in court.status(version)[1]
    court.now_s = 61 + 3_601
    court.judge.step()
    assert court.status(version)[0] == "rejected"
    assert "undecided in time" in court.status(version)[1]


def test_the_first_version_must_succeed_at_least_once(court: Court) -> None:
    version = court.publish()
    court.episodes(version, "f" * 8)
    court.judge.step()
    assert court.status(version)[0] == "rejected"
    assert court.champion() is None


def test_a_newer_candidate_supersedes_those_that_wait(court: Court) -> None:
    court.crown()
    older, newer = court.publish(), court.publish()
    court.episodes(newer, "s" * 4)
    court.judge.step()
    assert court.status(older) == ("rejected", f"superseded by candidate {newer} before its turn")
    assert court.status(newer)[0] == "canary"


def test_nothing_moves_while_frozen(court: Court) -> None:
    releases.freeze(court.registry, court.ledger, author="ann", reason="visitors")
    version = court.publish()
    court.episodes(version, "s" * 8)
    court.judge.step()
    assert court.champion() is None
    releases.thaw(court.registry, court.ledger, author="ann", reason="gone")
    court.judge.step()
    assert court.champion() == version


def test_robots_without_a_simulator_are_judged_at_work(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    (tmp_path / "registry").mkdir()
    registry = MemoryRegistry(tmp_path / "registry")
    court = Court(tmp_path, registry, JudgeConfig(evidence=EvidenceSource.WORK))
    first = court.crown()
    version = court.publish()
    court.episodes(version, "s" * 4)
    court.judge.step()
    court.episodes(version, "s" * 40, source="rollout", first_scene=0)
    court.episodes(first, "sf" * 20, source="rollout", first_scene=500)
    court.judge.step()
    assert court.champion() == version


def test_evidence_of_the_ledger_is_json(court: Court) -> None:
    first = court.crown()
    version = court.publish()
    court.episodes(version, "s" * 40)
    court.judge.step()
    court.judge.step()
    assert court.champion() == version
    messages = [m for partition in court.bus.log(RELEASES.name) for m in partition]
    evidence = [text for m in messages for text in decode(RELEASES, m.value).column("evidence").to_pylist()]
    decided = json.loads(str(evidence[-1]))
    assert decided["tasks"]["toy"]["candidate"]["rate"] == 1.0
    assert decided["tasks"]["toy"]["champion"]["rate"] == 0.5
    assert np.isfinite(decided["log_e_better"])
    assert first != version
