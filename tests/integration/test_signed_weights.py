"""Whoever can write the registry cannot move a robot: on the real MLflow server, with its own client."""

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from actor.acting_policy import Loader
from actor.candidates import CandidateWork, GateEvaluationConfig
from actor.order_book import OrderBook
from actor.scene_ledger import SceneLedger
from actor.weight_sync import WeightSync
from infra import cli, connect, credentials, identity, releases, weight_signing
from infra.enrolment import Enrolments
from infra.home import Home
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.registry import SHA256_TAG, SIZE_TAG, MlflowConfig, PolicyRegistry, checkpoint_sha256
from infra.releases import CANARY, CHAMPION, CanaryCohort
from infra.shadow import SHADOW
from learner import critic_store
from learner.fast_gate import flaw_of_weights
from learner.live_shadow import LiveShadow, ShadowConfig
from learner.shadow_follower import ShadowFollower
from policy.errors import WeightsRejected
from tests.actor_rig import SPEC, save_policy
from tests.critic_rig import toy_critic

ROBOT = "r0"


class Fleet:
    """A home with its services, a registry on the server, and one robot that looks at it."""

    def __init__(self, home: Home, registry: PolicyRegistry, path: Path, artifacts: Path) -> None:
        self.home, self.registry, self._path, self._artifacts = home, registry, path, artifacts
        self._held = identity.robot(home.path, ROBOT, is_simulated=True)
        self.learner, judge = (identity.service(home.path, name) for name in ("learner", "judge"))
        bus = MemoryBus()
        bus.ensure_topics()
        self.ledger = Ledger(bus.producer("judge"), signatory=judge)
        self._num_published = 0
        self.sync = self.robot()

    def robot(self, folder: str = "robot", robots: tuple[str, ...] = ()) -> WeightSync:
        """The robot's weight sync, as after a start."""
        trust = identity.trust(self.home.path, [self._held])
        directory = self._path / folder
        return WeightSync(
            self.registry,
            directory,
            (ROBOT,),
            Loader(spec=SPEC, trust=trust),
            metrics=Metrics(),
            hint=lambda timeout_s: None,
            closing=threading.Event(),
            orders=OrderBook(trust, directory),
            cohort=CanaryCohort(robots=robots or (ROBOT,)),
        )

    def publish(self, *, is_signed: bool = True) -> str:
        self._num_published += 1
        checkpoint = save_policy(self._path / f"checkpoint-{self._num_published}", seed=self._num_published)
        version = self.registry.publish(checkpoint, tags={"spec_id": SPEC.spec_id})
        if is_signed:
            weight_signing.sign_weights(self.registry, self.learner, version)
        return version.version

    def promote(self, version: str) -> None:
        releases.promote(self.registry, self.ledger, version, author="ann", reason="good")

    def acting(self) -> str | None:
        """What the robot runs after a look."""
        self.sync.look()
        released = self.sync.released(ROBOT)
        return released.policy.version.version if released else None

    def files(self, version: str) -> Path:
        """Where the server keeps a version's files.

        Other tests publish the same bytes to the same server, so the newest are ours; and they have folders too.
        """
        sha256 = self.registry.get(version).sha256
        found = {file.parent: file.stat().st_mtime_ns for file in self._artifacts.rglob("weights.safetensors")}
        kept = [folder for folder in found if not folder.is_relative_to(self._path)]
        return max((folder for folder in kept if checkpoint_sha256(folder) == sha256), key=found.__getitem__)

    def tags(self, version: str) -> Mapping[str, str]:
        return self.registry.get(version).tags


@pytest.fixture
def fleet(
    mlflow_config: MlflowConfig, tmp_home: Home, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Fleet:
    return Fleet(tmp_home, connect.registry(mlflow_config), tmp_path, tmp_path_factory.getbasetemp())


@pytest.fixture
def good(fleet: Fleet) -> str:
    """A champion that acts."""
    version = fleet.publish()
    fleet.promote(version)
    assert fleet.acting() == version
    return version


def test_altered_bytes_altered_tags_both_and_no_signature_are_refused(fleet: Fleet, good: str) -> None:
    bytes_only, tag_only, both, unsigned, guided = (fleet.publish() for _ in range(5))
    folder = fleet.files(bytes_only)
    (folder / "weights.safetensors").write_bytes((fleet.files(good) / "weights.safetensors").read_bytes())
    fleet.registry.set_tag(tag_only, SHA256_TAG, fleet.tags(good)[SHA256_TAG])
    folder = fleet.files(both)
    for name in ("weights.safetensors", "policy.json"):
        (folder / name).write_bytes((fleet.files(unsigned) / name).read_bytes())
    fleet.registry.set_tag(both, SHA256_TAG, checkpoint_sha256(folder))
    fleet.registry.set_tag(unsigned, weight_signing.SIGNATURE_TAG, "")
    fleet.registry.set_tag(guided, "guidance_scale", "1000000")
    reasons = {}
    for version in (bytes_only, tag_only, both, unsigned, guided):
        fleet.promote(version)
        assert fleet.acting() == good
        reasons[version] = fleet.sync.refusal(ROBOT)
    assert "not signed" in reasons[unsigned]
    assert "cut short or altered" in reasons[bytes_only]  # the files are not those of the hash
    for version in (tag_only, both, guided):  # it is not the hash that was signed, nor the tag
        assert "altered, or not signed by the key that it names" in reasons[version]


def test_a_file_that_has_grown_and_what_hides_it_take_nothing_of_a_robots_disk(fleet: Fleet, good: str) -> None:
    grown, hidden = fleet.publish(), fleet.publish()
    for version in (grown, hidden):
        (fleet.files(version) / "more.bin").write_bytes(bytes(1 << 20))
    fleet.registry.set_tag(hidden, SIZE_TAG, str(int(fleet.tags(grown)[SIZE_TAG]) + (1 << 20)))
    for version, reason in ((grown, "stored_bytes="), (hidden, "a signature was refused")):  # neither was downloaded
        fleet.promote(version)
        assert fleet.acting() == good
        assert reason in fleet.sync.refusal(ROBOT)
    nested = fleet.publish()
    (fleet.files(nested) / "deeper").mkdir()
    (fleet.files(nested) / "deeper" / "more.bin").write_bytes(bytes(1))
    fleet.promote(nested)
    assert fleet.acting() == good
    assert "no folders" in fleet.sync.refusal(ROBOT)


def test_the_judge_opens_signed_weights_alone(fleet: Fleet, tmp_path: Path) -> None:
    trust = identity.trust(fleet.home.path, [identity.service(fleet.home.path, "judge")])
    flaws = {
        version: flaw_of_weights(
            fleet.registry, fleet.registry.get(version), tmp_path / "judge", spec_id="", trust=trust
        )
        for version in (fleet.publish(), fleet.publish(is_signed=False))
    }
    signed, unsigned = flaws
    assert flaws[signed] == ""
    assert "not signed" in flaws[unsigned]
    assert [path.name for path in (tmp_path / "judge").iterdir()] == [signed]


def test_evaluators_download_signed_weights_alone(fleet: Fleet, tmp_path: Path) -> None:
    trust = identity.trust(fleet.home.path, [identity.robot(fleet.home.path, "evaluator", is_simulated=True)])
    work = CandidateWork(
        fleet.registry,
        tmp_path / "evaluator",
        Loader(spec=SPEC, trust=trust),
        lambda acting, scene: pytest.fail("no robot asks for an episode here"),
        SceneLedger(tmp_path / "scenes.jsonl"),
        GateEvaluationConfig(num_scenes=4, slice_scenes=2),
        Metrics(),
        trust,
    )
    unsigned, signed = fleet.publish(is_signed=False), fleet.publish()
    for version in (unsigned, signed):
        fleet.registry.set_tag(version, releases.STATUS_TAG, "candidate")
    work.look()
    assert [path.name for path in (tmp_path / "evaluator").iterdir()] == [signed]


def test_the_shadow_proposes_with_signed_weights_alone(fleet: Fleet, good: str, tmp_path: Path) -> None:
    trust = identity.trust(fleet.home.path, [identity.service(fleet.home.path, "critic")])
    live = LiveShadow(ShadowConfig(), Metrics())
    follower = ShadowFollower(fleet.registry, tmp_path / "shadow", live, trust=trust)
    unsigned, tag_only, signed = fleet.publish(is_signed=False), fleet.publish(), fleet.publish()
    fleet.registry.set_tag(tag_only, SHA256_TAG, fleet.tags(good)[SHA256_TAG])
    for version, reason in ((unsigned, "not signed"), (tag_only, "a signature was refused")):
        fleet.registry.set_alias(SHADOW, version)
        follower.look()
        assert follower.current is None
        assert reason in follower.status
    fleet.registry.set_alias(SHADOW, signed)
    follower.look()
    assert follower.current is not None
    assert follower.current.version == signed


def test_a_signature_is_good_for_its_own_version_only(fleet: Fleet, good: str) -> None:
    """The champion's own files and signature under a new number, uploaded as its publisher would."""
    copy = fleet.registry.publish(fleet.files(good), tags=fleet.tags(good)).version
    assert fleet.tags(copy)[weight_signing.SIGNATURE_TAG] == fleet.tags(good)[weight_signing.SIGNATURE_TAG]
    fleet.promote(copy)
    assert fleet.acting() == good
    assert "altered, or not signed by the key that it names" in fleet.sync.refusal(ROBOT)


def test_only_a_publisher_signs_weights(fleet: Fleet, good: str) -> None:
    robot = identity.robot(fleet.home.path, ROBOT, is_simulated=True)
    for held in (robot, dataclasses.replace(robot, name="learner"), identity.service(fleet.home.path, "judge")):
        version = fleet.publish(is_signed=False)
        weight_signing.sign_weights(fleet.registry, held, fleet.registry.get(version))
        fleet.promote(version)
        assert fleet.acting() == good


def test_a_champion_from_before_signatures_acts_once_a_person_has_signed_it(
    fleet: Fleet, mlflow_config: MlflowConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    older = fleet.publish(is_signed=False)
    fleet.registry.set_alias(CHAMPION, older)
    assert fleet.acting() is None
    where = (
        "--home",
        str(fleet.home.path),
        "--tracking-url",
        mlflow_config.tracking_url,
        "--model",
        mlflow_config.model,
    )
    assert cli.main(["sign", older, *where]) == 0
    assert capsys.readouterr().out.endswith(f"version {older} is signed, as champion\n")
    assert fleet.acting() == older


def test_an_alias_moved_without_an_order_moves_no_robot(fleet: Fleet, good: str) -> None:
    never_released = fleet.publish()
    for alias in (CHAMPION, CANARY):
        fleet.registry.set_alias(alias, never_released)
        assert fleet.acting() == good
        assert "nobody signed its release" in fleet.sync.refusal(ROBOT)
    robot = identity.robot(fleet.home.path, ROBOT, is_simulated=True)
    weight_signing.give_order(fleet.registry, robot, never_released, CANARY)
    assert fleet.acting() == good
    assert "may not sign this" in fleet.sync.refusal(ROBOT)


def test_an_old_bad_version_cannot_be_put_back_by_moving_the_alias(fleet: Fleet, good: str) -> None:
    bad, newest = fleet.publish(), fleet.publish()
    for version in (bad, newest):
        fleet.promote(version)
        assert fleet.acting() == version
    fleet.registry.set_alias(CHAMPION, bad)
    assert fleet.acting() == newest
    assert "older than the last one followed here" in fleet.sync.refusal(ROBOT)
    fleet.sync = fleet.robot()  # started anew, it still knows
    fleet.sync.restore()
    assert fleet.acting() == newest
    releases.rollback(fleet.registry, fleet.ledger, author="ann", reason="worse", version=good)
    assert fleet.acting() == good


def test_a_rollback_from_a_machine_whose_clock_is_behind_is_followed(
    fleet: Fleet, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = fleet.publish()
    fleet.promote(bad)
    assert fleet.acting() == bad
    monkeypatch.setattr("infra.weight_signing.time.time_ns", lambda: 1)
    releases.rollback(fleet.registry, fleet.ledger, author="ann", reason="worse")
    monkeypatch.undo()
    assert fleet.acting() == good


def test_a_tag_that_was_removed_stops_nothing_else(fleet: Fleet, good: str) -> None:
    for tag, value in ((SHA256_TAG, ""), ("order_champion", "{"), ("order_champion", "null"), ("spec_id", "")):
        version = fleet.publish()
        fleet.promote(version)
        fleet.registry.set_tag(version, tag, value)
        assert fleet.acting() == good
    fine = fleet.publish()
    fleet.promote(fine)
    assert fleet.acting() == fine


def test_weights_outlive_a_replaced_key_and_not_a_revoked_one(fleet: Fleet, good: str) -> None:
    enrolments, file = Enrolments(fleet.home.path), credentials.file_of(fleet.home.path, "learner")
    enrolments.rotate("learner", overlap_s=0, file=file, author="ann")
    fleet.sync = fleet.robot("elsewhere")
    assert fleet.acting() == good
    enrolments.revoke("learner", author="ann", reason="key lost")
    fleet.sync = fleet.robot("a third")
    assert fleet.acting() is None
    assert "the signer is revoked" in fleet.sync.refusal(ROBOT)


def test_the_live_critic_takes_up_signed_critics_only(
    fleet: Fleet, mlflow_config: MlflowConfig, tmp_path: Path
) -> None:
    critics = connect.registry(critic_store.registry_config(mlflow_config))
    trust = identity.trust(fleet.home.path, [identity.service(fleet.home.path, "critic")])
    follower = critic_store.CriticFollower(critics, tmp_path / "critic", poll_s=1.0, trust=trust)
    critic = toy_critic()
    critic_store.publish(critics, critic, ranking=0.5, auc=0.7)
    follower.look()
    assert "critic refused, nothing scores: the weights are not signed" in follower.status
    version = critic_store.publish(critics, critic, ranking=0.5, auc=0.7, signer=fleet.learner)
    assert version == "2"  # what lies there unsigned may be anybody's
    follower.look()
    assert follower.status == f"scoring with critic {critic.version} (version 2)"
    with pytest.raises(WeightsRejected, match="altered"):
        trust.check_weights(critics.get(version), weight_signing.POLICY)
