"""Only released weights act: verified, tried, kept on disk, and refused in words."""

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actor.acting_policy import ActingConfig, ActingPolicy, Loader, blank
from actor.weight_sync import ReleaseHints, SyncConfig, WeightSync
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.releases import CANARY, CHAMPION, CanaryCohort
from infra.topics import RELEASES
from policy.errors import RegistryUnavailable
from policy.flow import Reference
from policy.schema import Release
from tests.actor_rig import SPEC, channels, save_policy, wait_for

ROBOTS = ("r-0", "r-1")
OTHER_SPEC = dataclasses.replace(SPEC, name="other", tactile=channels("force", 3))


class Site:
    """A registry, and an actor's weight sync beside it, looked at by hand."""

    def __init__(self, path: Path, config: SyncConfig | None = None) -> None:
        self.path = path
        self.registry = MemoryRegistry(path / "registry")
        self.metrics = Metrics()
        self.config = config or SyncConfig()
        self.closing = threading.Event()
        self.sync = self.another()

    def another(self, hint: Callable[[float], None] = lambda timeout_s: None) -> WeightSync:
        """As after a restart of the process."""
        return WeightSync(
            self.registry,
            self.path / "weights",
            ROBOTS,
            Loader(spec=SPEC),
            metrics=self.metrics,
            hint=hint,
            closing=self.closing,
            cohort=CanaryCohort(robots=("r-1",)),
            config=self.config,
        )

    def publish(self, seed: int = 0, **tags: str) -> str:
        checkpoint = save_policy(self.path / f"checkpoint-{seed}", seed=seed)
        return self.registry.publish(checkpoint, tags={"spec_id": SPEC.spec_id, **tags}).version

    def acting(self, sync: WeightSync | None = None) -> list[tuple[str, str] | None]:
        """(version, role) per robot."""
        released = [(sync or self.sync).released(robot_id) for robot_id in ROBOTS]
        return [None if r is None else (r.policy.version.version, r.role) for r in released]

    def file(self, version: str) -> Path:
        return self.path / "registry" / version / "weights.safetensors"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "registry").mkdir()
    return Site(tmp_path)


def test_nothing_acts_before_anything_was_released(site: Site) -> None:
    site.publish()
    site.sync.look()
    assert site.acting() == [None, None]


def test_the_canary_acts_on_its_cohort_and_the_champion_elsewhere(site: Site) -> None:
    first, second = site.publish(0), site.publish(1)
    site.registry.set_alias(CHAMPION, first)
    site.sync.look()
    assert site.acting() == [(first, CHAMPION)] * 2
    site.registry.set_alias(CANARY, second)
    site.sync.look()
    assert site.acting() == [(first, CHAMPION), (second, CANARY)]
    site.registry.delete_alias(CANARY)
    site.registry.set_alias(CHAMPION, second)
    site.sync.look()
    assert site.acting() == [(second, CHAMPION)] * 2
    assert [path.name for path in (site.path / "weights").iterdir() if path.is_dir()] == [second]


@pytest.mark.parametrize("damage", ["cut short", "altered", "another embodiment", "no such file"])
def test_bad_weights_are_refused_and_the_old_ones_go_on(site: Site, damage: str) -> None:
    good = site.publish(0)
    site.registry.set_alias(CHAMPION, good)
    site.sync.look()
    if damage == "another embodiment":
        checkpoint = save_policy(site.path / "other", OTHER_SPEC)
        bad = site.registry.publish(checkpoint, tags={"spec_id": OTHER_SPEC.spec_id}).version
    else:
        bad = site.publish(1)
        content = bytearray(site.file(bad).read_bytes())
        if damage == "cut short":
            site.file(bad).write_bytes(content[:-100])
        elif damage == "altered":
            content[-1] ^= 1
            site.file(bad).write_bytes(content)
        else:
            site.file(bad).unlink()
    site.registry.set_alias(CHAMPION, bad)
    site.sync.look()
    site.sync.look()
    assert site.acting() == [(good, CHAMPION)] * 2
    assert site.sync.refusal("r-0").startswith(f"version {bad}: ")
    refused = [s for s in site.metrics.exposition().decode().splitlines() if s.startswith("touchline_weights_rejected")]
    assert [line.rsplit(" ")[-1] for line in refused if "_created" not in line] == ["1.0"]
    assert json.loads((site.path / "weights" / "last_good.json").read_text())["robots"]["r-0"]["version"] == good
    site.registry.set_alias(CHAMPION, good)
    site.sync.look()
    assert site.sync.refusal("r-0") == ""


def test_weights_that_give_what_is_not_finite_are_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.registry.set_alias(CHAMPION, site.publish())
    broken = np.full((1, 8, 2), np.nan, np.float32)
    monkeypatch.setattr(ActingPolicy, "sample", lambda self, observations, seeds: broken)
    site.sync.look()
    assert site.acting() == [None, None]


def test_a_download_that_heals_acts_after_all(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    site = Site(tmp_path, SyncConfig(retry_refused_s=1e-6))
    version = site.publish()
    content = site.file(version).read_bytes()
    site.file(version).write_bytes(content[:-100])
    site.registry.set_alias(CHAMPION, version)
    site.sync.look()
    assert site.acting() == [None, None]
    site.file(version).write_bytes(content)
    site.sync.look()
    assert site.acting() == [(version, CHAMPION)] * 2


def test_without_the_registry_the_last_good_weights_act(site: Site) -> None:
    first, second = site.publish(0), site.publish(1)
    site.registry.set_alias(CHAMPION, first)
    site.registry.set_alias(CANARY, second)
    site.sync.look()
    site.registry.is_available = False
    again = site.another()
    with pytest.raises(RegistryUnavailable):
        again.look()
    again.restore()
    assert site.acting(again) == [(first, CHAMPION), (second, CANARY)]


def test_last_good_weights_that_were_damaged_on_disk_do_not_act(site: Site) -> None:
    first, second = site.publish(0), site.publish(1)
    site.registry.set_alias(CHAMPION, first)
    site.registry.set_alias(CANARY, second)
    site.sync.look()
    (site.path / "weights" / second / "weights.safetensors").write_bytes(b"cut")
    again = site.another()
    again.restore()
    assert site.acting(again) == [(first, CHAMPION), None]


def test_the_thread_follows_the_alias_and_survives_an_outage(site: Site) -> None:
    looks = threading.Semaphore(0)
    site.registry.is_available = False

    def hint(timeout_s: float) -> None:
        looks.acquire(timeout=timeout_s)

    site.sync = site.another(hint)
    site.sync.start()
    site.registry.is_available = True
    site.registry.set_alias(CHAMPION, site.publish())
    looks.release()
    wait_for(lambda: site.acting() == [("1", CHAMPION)] * 2)
    site.closing.set()
    looks.release()
    site.sync.close()


def test_a_release_on_the_topic_is_a_hint() -> None:
    bus, stopping = MemoryBus(), threading.Event()
    hints = ReleaseHints(bus, stopping)
    bus.is_available = False
    hints(0.01)  # no broker: only the time passes
    bus.is_available = True
    bus.ensure_topics()
    hints(60.0)  # a new consumer is a reason to look, for it does not know what came before
    release = Release(
        boot_id="b",
        seq=0,
        time_ns=1,
        event="promote",
        policy_version="1",
        previous_version="",
        author="judge",
        reason="",
        evidence="{}",
    )
    bus.producer("judge").send(RELEASES, [release])
    hints(60.0)
    stopping.set()
    hints(60.0)


def test_guidance_is_the_versions_own_unless_configured(site: Site) -> None:
    tags = {"guidance_reference": "negative", "guidance_scale": "2.0"}
    own = ActingConfig().guidance(tags)
    assert (own.reference, own.scale) == (Reference.NEGATIVE, 2.0)
    ours = ActingConfig(guidance_reference=Reference.NULL, guidance_scale=1.5).guidance(tags)
    assert (ours.reference, ours.scale) == (Reference.NULL, 1.5)
    assert ActingConfig().guidance({}).reference is Reference.NONE


def test_a_row_of_a_batch_depends_on_its_own_seed_alone(site: Site) -> None:
    site.registry.set_alias(CHAMPION, site.publish())
    site.sync.look()
    released = site.sync.released("r-0")
    assert released is not None
    alone = released.policy.sample([blank(SPEC)], [(5, 4)])
    together = released.policy.sample([blank(SPEC)] * 3, [(1, 0), (5, 4), (5, 8)])
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    assert not np.allclose(together[2], alone[0], atol=1e-3)
