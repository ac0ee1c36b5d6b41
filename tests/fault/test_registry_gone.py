"""A learner whose registry is away when it wants to publish asks again: what it trained is published once, and not
trained again."""

import threading
from collections.abc import Mapping
from pathlib import Path

from infra.memory_registry import MemoryRegistry
from infra.registry import PolicyVersion
from policy.errors import RegistryUnavailable
from tests.learner_rig import toy_learner

NUM_REFUSALS = 2


class Away(MemoryRegistry):
    """Does not answer the first few times that somebody publishes, or asks what was published."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.num_refusals = {"publish": NUM_REFUSALS, "versions": NUM_REFUSALS}

    def publish(
        self,
        checkpoint: Path,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> PolicyVersion:
        self._refuse("publish")
        return super().publish(checkpoint, tags=tags, params=params, metrics=metrics)

    def versions(self) -> list[PolicyVersion]:
        self._refuse("versions")
        return super().versions()

    def _refuse(self, what: str) -> None:
        if self.num_refusals[what]:
            self.num_refusals[what] -= 1
            raise RegistryUnavailable("away")


def test_what_was_trained_is_published_once(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    registry = Away(tmp_path / "registry")
    toy_learner(tmp_path / "learner", registry).run()
    assert registry.num_refusals == {"publish": 0, "versions": 0}
    assert [version.version for version in registry.versions()] == ["1", "2"]


def test_a_learner_that_is_told_to_stop_does_not_wait_for_it(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    registry, stopping = Away(tmp_path / "registry"), threading.Event()
    registry.num_refusals["versions"] = 1_000_000
    learner = toy_learner(tmp_path / "learner", registry, stopping=stopping)
    thread = threading.Thread(target=learner.run)
    thread.start()
    while registry.num_refusals["versions"] == 1_000_000:
        thread.join(0.05)
    stopping.set()
    thread.join(60.0)
    assert not thread.is_alive()
    registry.num_refusals["versions"] = 0
    toy_learner(tmp_path / "learner", registry).run()
    assert [version.version for version in registry.versions()] == ["1", "2"]
