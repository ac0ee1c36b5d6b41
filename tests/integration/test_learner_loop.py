import dataclasses
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from infra import wire
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.topics import RELEASES, SAMPLINGS, VALUES
from learner import train_state
from learner.base_tries import BaseTries, begin_from
from learner.candidate import RECORD_FILE
from learner.mix import MixConfig
from learner.schedule import Schedule
from learner.synthetic import ToySource, toy_data, toy_spec
from learner.train_state import TrainState
from policy import checkpoint
from policy.schema import Sampling
from tests.learner_rig import CONFIG, RECAP, UPDATE, toy_learner

SHORT = dataclasses.replace(CONFIG, round_updates=8)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def latest(directory: Path) -> TrainState:
    state = train_state.load_latest(directory, update_config=UPDATE, mix_config=MixConfig(), device=torch.device("cpu"))
    assert state is not None
    return state


class StopWhen:
    """An event that is set as soon as a condition holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self.is_set = condition

    def wait(self, timeout: float) -> bool:
        return self.is_set()


class StopAfter:
    """An event that is set once it was asked a number of times: a stop in the middle of a round."""

    def __init__(self, num_questions: int) -> None:
        self._left = num_questions

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0

    def wait(self, timeout: float) -> bool:
        return self.is_set()


def test_base_then_candidate_with_their_record(tmp_path: Path) -> None:
    bus = MemoryBus()
    bus.ensure_topics()
    registry = MemoryRegistry(tmp_path / "registry")
    toy_learner(tmp_path / "learner", registry, producer=bus.producer("learner"), config=SHORT).run()
    base, improved = registry.versions()
    assert (base.tags["round"], base.tags["algorithm"], base.tags["status"]) == ("0", "hg_dagger", "candidate")
    assert (improved.tags["round"], improved.tags["algorithm"]) == ("1", "recap")
    assert improved.tags["data_pin"] == toy_data().pin
    record = json.loads((registry.fetch(registry.get("2"), tmp_path / "fetched") / RECORD_FILE).read_text())
    assert record["critic"]["is_trusted"]
    assert record["condition"] is None, "it has learned no negative"
    assert "of a batch learn where" in record["mix"]
    assert record["steps"]["goal"] > 0
    assert "autonomous_negative" not in record["steps"]
    assert record["steps"]["correction"] > 0
    assert len(record["git_commit"]) >= 7
    assert registry.metrics["2"][-1][1]["loss"] > 0
    checkpoint.load(tmp_path / "fetched" / "2", spec=toy_spec())
    num_lines = sum(len(partition) for partition in bus.log(RELEASES.name))
    assert num_lines == 2
    assert sum(len(partition) for partition in bus.log(VALUES.name)) >= 1


def test_as_published_the_record_says_whether_the_policy_uses_its_indicator(tmp_path: Path) -> None:
    registry = MemoryRegistry(tmp_path / "registry")
    published = dataclasses.replace(RECAP, mixing=MixConfig(scarce_autonomous_share=0.25))
    toy_learner(tmp_path / "learner", registry, config=SHORT, algorithm=published).run()
    record = json.loads((registry.fetch(registry.get("2"), tmp_path / "fetched") / RECORD_FILE).read_text())
    assert record["condition"]["action_gap"] > 0
    assert record["steps"]["autonomous_negative"] > 0


def samplings(bus: MemoryBus) -> dict[str, list[Sampling]]:
    """What the learner says that it drew from, by version."""
    found: dict[str, list[Sampling]] = {}
    for message in (message for partition in bus.log(SAMPLINGS.name) for message in partition):
        for record in wire.records(SAMPLINGS, wire.decode(SAMPLINGS, message.value)):
            found.setdefault(record.policy_version, []).append(record)
    return found


def test_every_sample_is_counted_also_over_a_stop(tmp_path: Path) -> None:
    bus = MemoryBus()
    bus.ensure_topics()
    registry, directory, began_ns = MemoryRegistry(tmp_path / "registry"), tmp_path / "learner", time.time_ns()
    for num_questions in (5, 31, 1000):
        stopping = StopAfter(num_questions)
        toy_learner(
            directory,
            registry,
            producer=bus.producer("learner"),
            config=SHORT,
            stopping=stopping,  # type: ignore[arg-type]
        ).run()
    data, found = toy_data(), samplings(bus)
    updates = {"1": SHORT.base_updates, "2": SHORT.round_updates}
    assert {version: sum(own.num_sampled for own in rows) for version, rows in found.items()} == {
        version: number * UPDATE.batch_size for version, number in updates.items()
    }
    corrected = {data.episode_ids[e] for e in data.experience.episode[data.experience.is_correction].tolist()}
    for own in found["2"]:
        assert began_ns < own.first_sampled_ns < time.time_ns()
        assert (own.num_corrections_sampled > 0) == (own.first_correction_sampled_ns > 0)
        assert own.num_corrections_sampled == 0 or own.episode_id in corrected
    assert any(own.num_corrections_sampled for own in found["2"])
    assert [own.seq for own in found["2"]] == list(range(len(found["2"])))


def test_a_stopped_learner_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    toy_learner(whole, MemoryRegistry(tmp_path / "a"), config=SHORT).run()
    registry = MemoryRegistry(tmp_path / "b")
    for num_questions in (5, 31, 6, 1000):
        stopping = StopAfter(num_questions)
        toy_learner(cut, registry, config=SHORT, stopping=stopping).run()  # type: ignore[arg-type]
    assert latest(cut).losses == latest(whole).losses
    assert all(torch.equal(latest(cut).ema[name], value) for name, value in latest(whole).ema.items())
    assert len(registry.versions()) == 2


def test_a_candidate_is_published_once(tmp_path: Path) -> None:
    registry = MemoryRegistry(tmp_path / "registry")
    directory, bus = tmp_path / "learner", MemoryBus()
    bus.ensure_topics()
    producer = bus.producer("learner")
    toy_learner(directory, registry, config=SHORT, producer=producer).run()
    # As if killed between publishing and writing down that it was done.
    for path in directory.glob("state-*-published"):
        fields = json.loads((path / "state.json").read_text())
        (path / "state.json").write_text(json.dumps({**fields, "published": ""}))
    toy_learner(directory, registry, config=SHORT, producer=producer).run()
    assert len(registry.versions()) == 2
    assert latest(directory).published == "2"
    said = samplings(bus)["2"]
    assert said[: len(said) // 2] == said[len(said) // 2 :]  # the same numbers: the lake keeps one of each


def test_a_damaged_state_falls_back_to_the_one_before(tmp_path: Path) -> None:
    directory = tmp_path / "learner"
    toy_learner(directory, MemoryRegistry(tmp_path / "registry"), config=SHORT).run()
    newest = max(directory.glob("state-*"))
    tensors = newest / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-100])
    state = latest(directory)
    assert state.is_trained
    assert not state.published


def test_lost_data_begin_the_round_anew(tmp_path: Path) -> None:
    directory = tmp_path / "learner"
    registry = MemoryRegistry(tmp_path / "registry")
    stopping = StopWhen(lambda: (directory / "state-0001-00000003").exists())
    toy_learner(directory, registry, config=SHORT, stopping=stopping).run()  # type: ignore[arg-type]
    assert (latest(directory).round, latest(directory).published) == (1, "")
    newer = toy_data(num_rollouts=60, seed=1)
    toy_learner(directory, registry, config=SHORT, source=ToySource(newer)).run()
    assert latest(directory).round == 1
    assert latest(directory).pin == newer.pin
    assert registry.versions()[-1].tags["data_pin"] == newer.pin


def test_continual_training_goes_on_from_the_last_weights(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, schedule=Schedule.CONTINUAL, round_updates=1)
    directory = tmp_path / "learner"
    registry = MemoryRegistry(tmp_path / "registry")
    toy_learner(directory, registry, config=config).run()
    base = checkpoint.load(directory / "base").network.state_dict()
    gaps = [float((latest(directory).policy.network.state_dict()[n] - v).abs().max()) for n, v in base.items()]
    assert 0 < max(gaps) < 0.1


def test_the_next_round_waits_for_the_judge(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, waits_for_judge=True)
    registry = MemoryRegistry(tmp_path / "registry")
    stopping = threading.Event()
    learner = toy_learner(tmp_path / "learner", registry, config=config, stopping=stopping)
    worker = threading.Thread(target=learner.run)
    worker.start()
    try:
        assert _until(lambda: [version.tags.get("status") for version in registry.versions()] == ["candidate"])
        registry.set_tag("1", "status", "champion")
        assert _until(lambda: len(registry.versions()) == 2)
    finally:
        stopping.set()
        worker.join(30)
    assert not worker.is_alive()


def test_a_rejected_base_is_tried_again_from_another_seed(tmp_path: Path) -> None:
    registry, directory = MemoryRegistry(tmp_path / "registry"), tmp_path / "learner"

    def run_until(num_versions: int) -> TrainState:
        stopping = StopWhen(lambda: len(registry.versions()) >= num_versions)
        toy_learner(directory, registry, config=SHORT, stopping=stopping).run()  # type: ignore[arg-type]
        return latest(directory)

    first = run_until(1)
    registry.set_tag("1", "status", "rejected")
    second = run_until(2)
    assert [(state.round, state.attempt, state.published) for state in (first, second)] == [(0, 0, "1"), (0, 1, "2")]
    assert first.seed != second.seed
    assert registry.get("2").tags["round"] == "0"
    registry.set_tag("2", "status", "rejected")
    for tries, is_left in ((2, False), (3, True)):
        BaseTries(registry, tries).look(second)
        assert second.is_rejected == is_left
    assert begin_from(second) == (None, 2)
    registry.set_alias("champion", "1")
    BaseTries(registry, 3).look(second)
    assert begin_from(second) == (second, 1)
    # Somebody promoted one of them all the same: the rounds go on from the last base.
    third = run_until(3)
    assert (third.round, third.attempt, third.published) == (1, 1, "3")


def test_losses_fall(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, base_updates=60, num_rounds=0)
    directory = tmp_path / "learner"
    registry = MemoryRegistry(tmp_path / "registry")
    stopping = StopAfter(58)
    toy_learner(directory, registry, config=config, stopping=stopping).run()  # type: ignore[arg-type]
    losses = latest(directory).losses
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def _until(condition: Callable[[], bool], timeout_s: float = 30.0) -> bool:
    gate = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        if condition():
            return True
        gate.wait(0.02)
    return False
