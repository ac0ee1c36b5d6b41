import dataclasses
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.memory_registry import MemoryRegistry
from infra.registry import MlflowConfig
from learner import critic_checkpoint, critic_store
from learner.algorithms.hg_dagger import HgDagger
from learner.critic import CriticConfig
from learner.critic_store import CriticFollower
from learner.labels import Labels
from learner.synthetic import toy_data
from policy.errors import WeightsRejected
from tests.critic_rig import TASK, toy_critic
from tests.learner_rig import CONFIG, RECAP, toy_learner

CPU = torch.device("cpu")
DATA = toy_data()


@pytest.fixture
def registry(tmp_path: Path) -> MemoryRegistry:
    return MemoryRegistry(tmp_path / "registry")


def follower(registry: MemoryRegistry, tmp_path: Path) -> CriticFollower:
    return CriticFollower(registry, tmp_path / "live", poll_s=0.01)


def scoring(live: CriticFollower) -> str | None:
    """Version of the critic that scores."""
    return live.current.version if live.current else None


def labelled(*, is_trusted: bool = True) -> Labels:
    bar = CriticConfig(min_ranking=-1 if is_trusted else 0.999, min_auc=0, min_episodes=10)
    return dataclasses.replace(RECAP, critic=bar).label(DATA, device=CPU, seed=0)


def test_a_critic_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    critic = dataclasses.replace(labelled().critic, version="1-0-abc")  # type: ignore[type-var]
    assert critic is not None
    critic_checkpoint.save(tmp_path, critic)
    found = critic_checkpoint.load(tmp_path)
    batch = DATA.observations(np.arange(40))
    assert np.array_equal(found.values(batch), critic.values(batch))
    assert (found.spec, found.config, found.advantage) == (critic.spec, critic.config, critic.advantage)
    assert (found.tasks, found.version) == (critic.tasks, "1-0-abc")
    assert found.tasks[TASK].longest_steps == DATA.experience.length.max()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_a_damaged_critic_is_refused(tmp_path: Path) -> None:
    critic_checkpoint.save(tmp_path, toy_critic())
    weights, description = tmp_path / critic_checkpoint.WEIGHTS_FILE, tmp_path / critic_checkpoint.DESCRIPTION_FILE
    whole, text = weights.read_bytes(), description.read_text()
    weights.write_bytes(whole[:-8])
    with pytest.raises(WeightsRejected, match="not those described"):
        critic_checkpoint.load(tmp_path)
    weights.write_bytes(whole)
    fields = json.loads(text)
    changes: tuple[dict[str, object], ...] = (
        {"format": 9},
        {"networks": []},
        {"config": {**fields["config"], "width": 8}},
        {"spec": {}},
    )
    for change in changes:
        description.write_text(json.dumps({**fields, **change}))
        with pytest.raises(WeightsRejected):
            critic_checkpoint.load(tmp_path)
    description.unlink()
    with pytest.raises(WeightsRejected):
        critic_checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("section", "sizes"),
    [
        ("config", {"width": 10**9}),
        ("config", {"width": 5_000}),
        ("config", {"width": 1e300}),
        ("config", {"stem_channels": 5_000}),
        ("config", {"num_bins": 8.0}),
        ("spec", {"cameras": [{"name": "vast", "height": 8192, "width": 8192}]}),
    ],
)
def test_sizes_that_its_weights_cannot_have_are_refused_before_they_take_memory(
    section: str, sizes: dict[str, object], tmp_path: Path
) -> None:
    critic_checkpoint.save(tmp_path, toy_critic())
    description = tmp_path / critic_checkpoint.DESCRIPTION_FILE
    fields = json.loads(description.read_text())
    description.write_text(json.dumps({**fields, section: {**fields[section], **sizes}}))
    with pytest.raises(WeightsRejected, match="a size that these weights cannot have"):
        critic_checkpoint.load(tmp_path)
    description.write_text(json.dumps({**fields, "networks": fields["networks"] * 1_000}))
    with pytest.raises(WeightsRejected, match="all networks"):
        critic_checkpoint.load(tmp_path)


def test_statistics_of_another_body_are_refused(tmp_path: Path) -> None:
    critic_checkpoint.save(tmp_path, toy_critic())
    description = tmp_path / critic_checkpoint.DESCRIPTION_FILE
    fields = json.loads(description.read_text())
    fields["networks"][1]["state"] = {"centre": [0.0], "scale": [1.0]}
    description.write_text(json.dumps(fields))
    with pytest.raises(WeightsRejected, match="statistics are not the spec's"):
        critic_checkpoint.load(tmp_path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    critic = toy_critic()
    with torch.no_grad():
        critic.networks[1].words.weight[0, 0] = float("nan")
    critic_checkpoint.save(tmp_path, critic)
    with pytest.raises(WeightsRejected, match="not finite"):
        critic_checkpoint.load(tmp_path)


def test_the_learner_offers_a_critic_once_and_the_follower_takes_it_up(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    live = follower(registry, tmp_path)
    live.look()
    assert scoring(live) is None
    assert live.status == "no critic has been published yet"
    labels = labelled()
    for _ in range(2):
        critic_store.offer(registry, labels, critic_version="1-0-abc")
    assert len(registry.versions()) == 1
    live.look()
    assert scoring(live) == "1-0-abc"
    assert "1-0-abc" in live.status


def test_a_critic_below_its_bar_is_not_published_but_explained(registry: MemoryRegistry, tmp_path: Path) -> None:
    critic_store.offer(registry, labelled(is_trusted=False), critic_version="1-0-abc")
    assert registry.versions() == []
    live = follower(registry, tmp_path)
    live.look()
    assert scoring(live) is None
    assert live.status.startswith("no critic is trusted yet: ranking")
    critic_store.offer(registry, labelled(), critic_version="2-0-abc")
    live.look()
    assert scoring(live) == "2-0-abc"
    critic_store.offer(registry, labelled(is_trusted=False), critic_version="3-0-abc")
    live.look()
    assert scoring(live) == "2-0-abc"


def test_a_round_publishes_its_critic_apart_from_its_candidate(registry: MemoryRegistry, tmp_path: Path) -> None:
    critics = MemoryRegistry(tmp_path / "critics")
    config = dataclasses.replace(CONFIG, round_updates=1)
    toy_learner(tmp_path / "learner", registry, critics=critics, config=config).run()
    _, candidate = registry.versions()
    (critic,) = critics.versions()
    assert critic.tags[critic_store.CRITIC_TAG] == candidate.tags["train_id"]
    fetched = registry.fetch(candidate, tmp_path / "robot")
    assert not list(fetched.glob("critic*"))
    live = follower(critics, tmp_path)
    live.look()
    assert scoring(live) == candidate.tags["train_id"]


def test_algorithms_without_a_critic_offer_nothing(registry: MemoryRegistry) -> None:
    critic_store.offer(registry, HgDagger().label(DATA, device=CPU, seed=0), critic_version="0")
    assert registry.versions() == []
    assert registry.model_tags() == {}


def test_training_does_not_wait_for_the_registry(registry: MemoryRegistry) -> None:
    registry.is_available = False
    critic_store.offer(registry, labelled(), critic_version="1-0-abc")


def test_a_newer_critic_replaces_the_old_one_and_a_damaged_one_does_not(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    live = follower(registry, tmp_path)
    for seed in range(2):
        critic_store.publish(registry, toy_critic(seed, version=str(seed)), ranking=0.5, auc=0.7)
        live.look()
        assert scoring(live) == str(seed)
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["2"]
    critic_store.publish(registry, toy_critic(2, version="2"), ranking=0.5, auc=0.7)
    weights = tmp_path / "registry" / "3" / critic_checkpoint.WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-8])
    live.look()
    assert scoring(live) == "1"
    assert live.status.startswith("critic refused, the last good one goes on")
    critic_store.publish(registry, toy_critic(3, version="3"), ranking=0.5, auc=0.7)
    live.look()
    assert scoring(live) == "3"


def test_a_critic_of_another_body_than_its_tag_is_refused(registry: MemoryRegistry, tmp_path: Path) -> None:
    version = critic_store.publish(registry, toy_critic(), ranking=0.5, auc=0.7)
    registry.set_tag(version, "spec_id", "another")
    live = follower(registry, tmp_path)
    live.look()
    assert scoring(live) is None
    assert "another embodiment" in live.status


def test_a_registry_that_is_away_leaves_the_critic_as_it_is(registry: MemoryRegistry, tmp_path: Path) -> None:
    critic_store.publish(registry, toy_critic(), ranking=0.5, auc=0.7)
    live = follower(registry, tmp_path)
    live.look()
    registry.is_available = False
    stopping = _SetWhenAsked()
    live.run(stopping)
    assert scoring(live) is not None
    assert live.status.startswith("cannot look for a critic now")


def test_critics_have_a_model_of_their_own() -> None:
    config = critic_store.registry_config(MlflowConfig(tracking_url="http://m", model="plug", experiment="lab"))
    assert (config.tracking_url, config.model, config.experiment) == ("http://m", "plug-critic", "lab-critic")


class _SetWhenAsked(threading.Event):
    """Ends a loop after its first turn."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True
