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

from infra import connect, freeze, releases, rollout
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.registry import MlflowConfig, PolicyRegistry
from infra.releases import CanaryCohort
from infra.rollout_state import Rollout, RolloutConfig
from infra.topics import EPISODES, RELEASES
from infra.wire import decode
from learner.fast_gate import FastGateConfig
from learner.judge import Judge
from learner.judge_bench import EvidenceSource, JudgeConfig
from learner.synthetic import toy_data, toy_spec
from learner.verdict import GateConfig
from policy import checkpoint
from policy.errors import ConfigError
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from storage.episode_index import EpisodeIndex
from storage.tables import Lake
from tests.lake_rig import Filler, make_episode
from tests.learner_rig import POLICY

GATE = 1_000_000
FLEET = tuple(f"r{number}" for number in range(8))
QUICK = RolloutConfig(stages=("1", "all"), min_soak_s=0, min_robot_minutes=0)
STAGED = RolloutConfig(stages=("1", "3", "all"), min_soak_s=60, min_robot_minutes=1)
MINUTE_STEPS = 1_200


class Court:
    """A judge with everything it reads, and a clock of its own."""

    def __init__(
        self,
        directory: Path,
        registry: PolicyRegistry,
        config: JudgeConfig | None = None,
        *,
        stages: RolloutConfig = QUICK,
        gate: GateConfig | None = None,
        num_episodes: int = 4,
    ) -> None:
        self.directory, self.registry = directory, registry
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.ledger = Ledger(self.bus.producer("test"))
        self.now_s = 0.0
        self._filler = Filler(Lake(str(directory / "lake")))
        self._num_episodes = 0
        self._config, self._stages, self._gate = config or JudgeConfig(), stages, gate or GateConfig()
        self._fast_gate = FastGateConfig(num_episodes=num_episodes, wait_s=60)
        self.judge = self.another()
        self.episodes("", "s", source="demonstration", first_scene=3_000_000)

    def another(self, cohort: CanaryCohort | None = None) -> Judge:
        """As after a restart."""
        return Judge(
            registry=self.registry,
            ledger=self.ledger,
            index=EpisodeIndex(self._filler.lake),
            directory=self.directory / "fetched",
            config=self._config,
            fast_gate=self._fast_gate,
            gate=self._gate,
            cohort=cohort or CanaryCohort(fleet=FLEET),
            stages=self._stages,
            metrics=Metrics(),
            now_ns=lambda: int(self.now_s * 1e9),
        )

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

    def admit(self, outcomes: str = "s" * 4) -> str:
        """A candidate that passed the fast gate."""
        version = self.publish()
        self.episodes(version, outcomes)
        self.judge.step()
        assert self.registry.alias(releases.CANARY) == version
        return version

    def on_trial(self) -> int:
        """How many robots run the canary."""
        acting = releases.acting_versions(self.registry, FLEET, CanaryCohort(fleet=FLEET)).values()
        return sum(found is not None and found.role == releases.CANARY for found in acting)

    def state(self) -> Rollout | None:
        return rollout.under_way(self.registry)

    def verdict(self, version: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.registry.get(version).tags[releases.VERDICT_TAG])
        return found

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
    return Court(tmp_path, connect.registry(mlflow_config))


def test_a_judge_does_not_start_for_canaries_that_the_fleet_does_not_have(court: Court) -> None:
    with pytest.raises(ConfigError, match=r"canary\.fleet"):
        court.another(CanaryCohort(robots=("elsewhere",), fleet=FLEET))


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


def test_promotions_that_drift_away_little_by_little_come_to_an_end(court: Court) -> None:
    court.crown()  # held-out error .2
    second = court.publish(held_out=0.35)
    court.episodes(second, "s" * 40)
    court.judge.step()
    court.judge.step()
    assert court.champion() == second
    third = court.publish(held_out=0.65)
    court.episodes(third, "s" * 4)
    court.judge.step()
    assert court.status(third) == ("rejected", court.status(third)[1])
    assert "held-out error 0.6500 against the base's 0.2000" in court.status(third)[1]
    assert court.champion() == second


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


def test_a_candidate_that_nobody_tries_waits_in_words(court: Court) -> None:
    court.crown()
    version = court.publish()
    for court.now_s in (0, 59, 3_000, 90_000):
        court.judge.step()
        assert court.status(version)[0] == "candidate"
        assert ("waits for simulated episodes: 0 of 4" in court.status(version)[1]) == (court.now_s > 60)
    court.episodes(version, "s" * 4)
    court.judge.step()
    assert court.status(version)[0] == "canary"


def test_no_episodes_are_waited_for_where_no_evaluator_runs(tmp_path: Path) -> None:
    court = Court(tmp_path, MemoryRegistry(tmp_path / "registry"), num_episodes=0)
    version = court.publish()
    court.judge.step()
    assert court.champion() == version


def test_a_canary_without_evidence_is_rejected_in_time(court: Court) -> None:
    court.crown()
    version = court.admit()
    court.now_s = 3_601
    court.judge.step()
    assert court.status(version)[0] == "rejected"
    assert "undecided in time, waiting for 4 of at least 16 paired scenes" in court.status(version)[1]


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
    freeze.freeze(court.registry, court.ledger, author="ann", reason="visitors")
    version = court.publish()
    court.episodes(version, "s" * 8)
    court.judge.step()
    assert court.champion() is None
    freeze.thaw(court.registry, court.ledger, author="ann", reason="gone")
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
    assert court.verdict(version)["source"] == "work"


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


@pytest.fixture
def staged(tmp_path: Path) -> Court:
    torch.set_num_threads(1)
    (tmp_path / "registry").mkdir()
    return Court(tmp_path, MemoryRegistry(tmp_path / "registry"), stages=STAGED)


def test_evidence_and_soak_bring_a_version_to_everybody_stage_by_stage(
    tmp_path: Path, mlflow_config: MlflowConfig
) -> None:
    torch.set_num_threads(1)
    staged = Court(tmp_path, connect.registry(mlflow_config), stages=STAGED)
    staged.crown()
    version = staged.admit()
    assert staged.on_trial() == 1
    staged.episodes(version, "s" * 36, first_scene=GATE + 4)
    staged.judge.step()
    staged.now_s = 61
    staged.judge.step()
    assert staged.on_trial() == 1
    assert staged.verdict(version)["waits_for"] == ["1.0 more robot-minutes"]
    staged.episodes(version, "s", source="rollout", first_scene=0, num_steps=MINUTE_STEPS)
    staged.now_s = 62
    staged.judge.step()
    assert staged.on_trial() == 3
    staged.judge = staged.another()
    staged.now_s = 120
    staged.judge.step()
    assert staged.on_trial() == 3
    assert staged.verdict(version)["waits_for"] == ["2 s more soak", "1.0 more robot-minutes"]
    staged.now_s = 122
    staged.episodes(version, "s", source="rollout", first_scene=1, num_steps=MINUTE_STEPS)
    staged.judge.step()
    assert staged.champion() == version
    assert staged.state() is None
    assert "more success than the champion" in staged.status(version)[1]
    assert list(staged.events())[-3:] == ["canary", "rollout_stage", "promote"]


def test_too_few_pairs_hold_the_next_stage(staged: Court) -> None:
    staged.crown()
    version = staged.admit()
    staged.now_s = 100
    staged.episodes(version, "s" * 3, source="rollout", first_scene=0, num_steps=MINUTE_STEPS)
    staged.judge.step()
    assert staged.on_trial() == 1
    assert staged.verdict(version)["waits_for"] == ["4 of at least 16 paired scenes"]
    assert staged.verdict(version)["word"] == "not_enough_yet"
    # No worse, as far as can be seen, is enough for more robots; only the last step takes the whole test.
    staged.episodes(version, "sf" * 6, first_scene=GATE + 4)
    staged.judge.step()
    assert staged.on_trial() == 3


def test_a_regression_takes_the_robots_back_even_in_a_pause(staged: Court) -> None:
    first = staged.crown()
    version = staged.admit()
    rollout.next_stage(staged.registry, staged.ledger, author="ann", reason="hurry")
    rollout.pause(staged.registry, staged.ledger, author="ann", reason="lunch")
    assert staged.on_trial() == 3
    staged.episodes(version, "f" * 60, first_scene=GATE + 4)
    staged.judge.step()
    assert staged.on_trial() == 0
    assert staged.status(version)[0] == "rejected"
    assert "worse than the champion in toy" in staged.status(version)[1]
    assert staged.verdict(version)["word"] == "worse"
    assert staged.champion() == first
    assert list(staged.events())[-2:] == ["reject", "rollout_abort"]


def test_robots_that_do_worse_at_work_are_taken_back_though_simulation_is_content(staged: Court) -> None:
    first = staged.crown()
    version = staged.admit("s" * 40)
    freeze.freeze(staged.registry, staged.ledger, author="ann", reason="night")
    staged.episodes(version, "f" * 30, source="rollout", first_scene=0)
    staged.episodes(first, "s" * 30, source="rollout", first_scene=500)
    staged.judge.step()
    assert staged.status(version)[0] == "rejected"
    assert "at work worse than the champion in toy" in staged.status(version)[1]
    assert staged.verdict(version)["word"] == "worse"


def test_a_paused_rollout_goes_on_where_it_was(staged: Court) -> None:
    staged.crown()
    version = staged.admit()
    staged.episodes(version, "s" * 36, first_scene=GATE + 4)
    staged.episodes(version, "s", source="rollout", first_scene=0, num_steps=MINUTE_STEPS)
    rollout.pause(staged.registry, staged.ledger, author="ann", reason="lunch", now_ns=int(30e9))
    staged.now_s = 5_000
    staged.judge.step()
    assert staged.on_trial() == 1
    rollout.resume(staged.registry, staged.ledger, author="ann", reason="back", now_ns=int(5_000e9))
    staged.judge.step()
    assert staged.on_trial() == 1
    staged.now_s = 5_031
    staged.judge.step()
    assert staged.on_trial() == 3


def test_having_passed_the_test_counts_when_the_soak_is_over(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    court = Court(
        tmp_path, MemoryRegistry(tmp_path / "registry"), stages=RolloutConfig(stages=("1", "all"), min_soak_s=60)
    )
    court.crown()
    version = court.admit("s" * 40)
    court.judge.step()
    # Later scenes bring the evidence below the bar again; one may stop whenever it was convincing.
    court.episodes(version, "ff" * 12 + "sf" * 18, first_scene=GATE + 40)
    court.judge.step()
    assert court.verdict(version)["word"] == "better"
    court.now_s = 61
    court.episodes(version, "s" * 5, source="rollout", first_scene=0, num_steps=MINUTE_STEPS)
    court.judge.step()
    assert court.champion() == version
    assert "40 against 20 successes" in court.status(version)[1]


def test_the_verdict_is_written_now_and_then(court: Court) -> None:
    court.crown()
    version = court.admit()
    seen = []
    for court.now_s in (1, 5, 10, 12, 30):
        court.judge.step()
        seen.append(court.verdict(version)["at_ns"] / 1e9)
    assert seen == [1, 1, 1, 12, 30]
    verdict = court.verdict(version)
    assert (verdict["version"], verdict["champion"], verdict["num_pairs"]) == (version, "1", 4)
    assert verdict["tasks"][0]["candidate"]["k"] == 4
    assert verdict["num_more_needed"] == 12


def test_a_canary_that_a_person_started_needs_no_stages(staged: Court) -> None:
    staged.crown()
    version = staged.publish()
    releases.start_canary(staged.registry, staged.ledger, version, author="ann", reason="looks good")
    staged.episodes(version, "s" * 40)
    staged.judge.step()
    assert staged.champion() == version
