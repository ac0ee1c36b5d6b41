"""The loop closes, on the real parts: robots try, a person corrects, the correction becomes weights, and the
robots act on them. One short run of the whole fleet; then a test for each hop of the README's table."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from actor.journal import Counts
from demo.watch import Watch
from infra.registry import PolicyVersion
from infra.topics import EPISODES, STEPS, VALUES
from learner.candidate import RECORD_FILE, TRAIN_ID_TAG
from policy import checkpoint
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.schema import ControlMode, Outcome, SceneSplit, Source
from policy.spec import EmbodimentSpec
from robots.tasks import make
from storage.audit import Audit
from storage.episode_index import EpisodeIndex
from storage.frames import decode_steps
from storage.pin import DataPin
from storage.replay import Replay
from storage.tables import Lake, sql_text
from tests.loop_rig import FLEET, LiveFleet, ids, live_fleet

pytestmark = pytest.mark.timeout(600)

KILLED = "actor-1"
LABELLER = "ann"
RELEASER = "bob"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What is left of the run."""

    lake: Lake
    watch: Watch
    spec: EmbodimentSpec
    base: PolicyVersion
    candidate: PolicyVersion
    """As the registry knew them in the end."""
    checkpoints: Path
    """One folder per version."""
    labelled: str
    """Episode."""
    events: list[str]
    counts: list[Counts]
    """Of the steps, by the robots' own journals."""
    balances: Mapping[str, Audit]
    kafka_steps: set[tuple[str, int]]

    def episodes(self, source: Source, version: str = "") -> list[dict[str, Any]]:
        return [
            row for row in self.watch.episodes if row["source"] == source and version in ("", row["policy_version"])
        ]

    def steps(self, source: Source, version: str = "") -> pa.Table:
        version_too = f" AND policy_version = {sql_text(version)}" if version else ""
        return self.lake.read(STEPS, where=f"source = {sql_text(source)}{version_too}")

    def ledger(self, event: str) -> list[dict[str, Any]]:
        return [row for row in self.watch.releases if row["event"] == event]

    def pin(self) -> DataPin:
        return DataPin.from_json(self.candidate.tags["data_pin"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    torch.set_num_threads(1)
    directory = tmp_path_factory.mktemp("loop")
    with live_fleet(directory) as fleet:
        labelled = work_and_correct(fleet)
        release_and_roll_back(fleet)
        fleet.stop_all_but_servers()
        fleet.settle()
        registry = fleet.registry
        base, candidate = registry.versions()
        for version in (base, candidate):
            registry.fetch(version.version, directory / "checkpoints")
        robot = make(FLEET.task)
        spec = robot.spec
        robot.close()
        finished = Run(
            lake=fleet.lake,
            watch=fleet.watch,
            spec=spec,
            base=base,
            candidate=candidate,
            checkpoints=directory / "checkpoints",
            labelled=labelled,
            events=fleet.events,
            counts=fleet.counts(STEPS),
            balances={topic.name: fleet.balance(topic) for topic in (STEPS, EPISODES)},
            kafka_steps=fleet.step_keys_in_kafka(),
        )
    yield finished


def work_and_correct(fleet: LiveFleet) -> str:
    """Until the learner has published what it made of corrections; returns the episode that was labelled."""
    fleet.wait("the judge releases a base", lambda: fleet.released("promote"))
    fleet.evaluate_candidates()
    fleet.wait("somebody corrects a robot", lambda: fleet.watch.interventions)
    fleet.kill(KILLED)
    fleet.wait("a rollout ends", lambda: fleet.episodes(source=Source.ROLLOUT))
    labelled: str = fleet.episodes(source=Source.ROLLOUT)[0]["episode_id"]
    fleet.label(labelled, Outcome.FAILURE, operator=LABELLER)
    fleet.wait("the label arrives", lambda: labelled in ids(fleet.watch.labels))
    fleet.wait("the learner publishes a candidate", lambda: len(fleet.released("candidate")) == 2)
    return labelled


def release_and_roll_back(fleet: LiveFleet) -> None:
    """The candidate on trial; a person releases it for every robot, and takes it back."""
    base, candidate = fleet.released("candidate")
    fleet.wait(
        "a canary robot and the evaluator try both",
        lambda: (
            fleet.episodes(policy_version=candidate, release_role="canary")
            and fleet.episodes(policy_version=candidate, source=Source.EVALUATION)
            and fleet.episodes(policy_version=base, source=Source.EVALUATION)
        ),
    )
    fleet.command("promote", candidate, "--author", RELEASER, "--reason", "looks good")
    fleet.wait(
        "robots of both processes act on it",
        lambda: len(processes(fleet.episodes(policy_version=candidate, release_role="champion"))) == FLEET.num_actors,
    )
    fleet.command("rollback", "--author", RELEASER, "--reason", "only a drill")
    fleet.wait("the ledger has the rollback", lambda: fleet.released("rollback"))
    rolled_back_ns = fleet.watch.releases[-1]["time_ns"]
    fleet.wait(
        "the base acts again",
        lambda: any(
            row["policy_version"] == base and row["started_ns"] > rolled_back_ns
            for row in fleet.episodes(source=Source.ROLLOUT)
        ),
    )


def processes(episodes: list[dict[str, Any]]) -> set[str]:
    return {row["robot_id"].rpartition("-")[0] for row in episodes}


def replay_of(run: Run, directory: Path, pin: DataPin | None = None) -> Replay:
    replay = Replay(run.lake, directory, run.spec, 50_000, pin=pin)
    replay.refresh()
    return replay


def test_demonstrations_made_the_base_and_the_judge_released_it(run: Run) -> None:
    demonstrations = run.episodes(Source.DEMONSTRATION)
    assert len(demonstrations) == FLEET.demonstrations
    assert {row["outcome"] for row in demonstrations} == {Outcome.SUCCESS}
    first = run.watch.releases[0]
    assert (first["event"], first["policy_version"], first["author"]) == ("candidate", run.base.version, "learner")
    released = run.ledger("promote")[0]
    assert (released["policy_version"], released["author"]) == (run.base.version, "judge")


def test_robots_record_what_they_saw_felt_wanted_and_did(run: Run) -> None:
    """Hops 1 to 6."""
    rows = run.steps(Source.ROLLOUT, run.base.version)
    arrays = decode_steps(rows, run.spec)  # refuses sizes that do not fit the spec and numbers that are not finite
    limits = np.array([max(abs(axis.low), abs(axis.high)) for axis in run.spec.action])
    assert (np.abs(arrays.executed_action) <= limits + 1e-6).all()
    assert np.ptp(arrays.frames[:, 0], axis=0).max() > 50
    assert (np.ptp(arrays.frames[:, 1], axis=0)).max() > 50
    assert np.ptp(arrays.tactile, axis=0).max() > 0
    modes = np.array(rows.column("control_mode").to_pylist())
    is_policy = modes == ControlMode.AUTONOMOUS
    assert len(set(rows.column("chunk_index").to_numpy()[is_policy].tolist())) > 1
    assert np.abs(arrays.proposed_action[is_policy]).max() > 0
    is_person = modes == ControlMode.CORRECTING
    assert np.abs(arrays.executed_action - arrays.proposed_action)[is_person].max() > 0
    assert np.isfinite(arrays.command_delay_ms[is_person]).all()


def test_a_person_corrected_robots(run: Run) -> None:
    """Hop 4, and its records."""
    spans = run.watch.interventions
    assert all(row["operator_id"].startswith("operator-") for row in spans)
    corrected = [row for row in run.episodes(Source.ROLLOUT) if row["num_correction_steps"]]
    assert corrected
    assert ids(corrected) <= ids(spans)
    rows = (
        run.steps(Source.ROLLOUT).select(["episode_id", "control_mode", "operator_id", "intervention_id"]).to_pylist()
    )
    mine = [row for row in rows if row["episode_id"] == corrected[0]["episode_id"]]
    by_hand = [row for row in mine if row["control_mode"] == ControlMode.CORRECTING]
    assert len(by_hand) == corrected[0]["num_correction_steps"]
    assert ids(by_hand, "intervention_id") <= ids(spans, "intervention_id")
    assert ids(by_hand, "operator_id") <= ids(spans, "operator_id")


def test_nothing_lost_nothing_doubled_though_an_actor_was_killed(run: Run) -> None:
    """Hops 7 to 9."""
    assert any(f"{KILLED} died with SIGKILL" in event for event in run.events)
    boots = {counts.boot_id for counts in run.counts if counts.robot_id == f"{KILLED}-0"}
    assert len(boots) == 2
    assert sum(counts.num_dropped + counts.num_waiting for counts in run.counts) == 0
    for balance in run.balances.values():
        assert balance.is_exact
        assert balance.num_in_lake == balance.num_sent > 0
    rows = run.lake.read(STEPS, ["boot_id", "seq"])
    stored = set(zip(rows.column("boot_id").to_pylist(), rows.column("seq").to_pylist(), strict=True))
    assert len(stored) == rows.num_rows == run.balances[STEPS.name].num_in_lake
    assert stored == run.kafka_steps


def test_a_persons_label_wins(run: Run) -> None:
    """Hop 10."""
    (label,) = run.watch.labels
    assert (label["episode_id"], label["outcome"], label["author"]) == (run.labelled, Outcome.FAILURE, LABELLER)
    index = EpisodeIndex(run.lake)
    index.refresh()
    assert index.outcome(run.labelled) == Outcome.FAILURE


def test_the_candidates_data_can_be_drawn_again(run: Run, tmp_path: Path) -> None:
    """Hop 11: the pin holds the correction, and (pin, seed) is the same batch from another ring."""
    pin = run.pin()
    whole, only = replay_of(run, tmp_path / "whole"), replay_of(run, tmp_path / "only", pin)
    views = [whole.view(pin), only.view()]
    assert [view.pin.num_episodes for view in views] == [pin.num_episodes] * 2
    helped = views[0].episodes[views[0].episodes["num_correction_steps"] > 0]
    assert len(helped)
    assert set(helped["operator_id"]) <= ids(run.watch.interventions, "operator_id")
    assert Source.EVALUATION not in set(views[0].episodes["source"])
    batches = [view.gather(view.draw(np.random.default_rng(7), 32), 8) for view in views]
    for name in ("frames", "state", "tactile", "actions", "action_mask", "is_correction", "episode_row"):
        assert np.array_equal(*(getattr(batch, name) for batch in batches)), name
    for replay in (whole, only):
        replay.close()


def test_the_critic_labelled_steps(run: Run) -> None:
    """Hop 12."""
    rows = run.lake.read(VALUES)
    assert set(rows.column("critic_version").to_pylist()) == {run.candidate.tags[TRAIN_ID_TAG]}
    assert set(rows.column("episode_id").to_pylist()) <= ids(run.watch.episodes)
    for name in ("value", "return_to_go"):
        values = rows.column(name).to_numpy()
        assert ((values >= -1) & (values <= 0)).all()
    assert np.isfinite(rows.column("advantage").to_numpy()).all()


def test_the_update_moved_the_weights_and_says_what_it_used(run: Run) -> None:
    """Hop 13, and hop 2 with it: the recorded observation goes through the same transform."""
    record = json.loads((run.checkpoints / run.candidate.version / RECORD_FILE).read_text())
    assert record["algorithm"] == run.candidate.tags["algorithm"] == FLEET.algorithm
    assert record["data_pin"] == run.candidate.tags["data_pin"]
    assert record["steps"]["correction"] > 0
    assert record["steps"]["demonstration"] > 0
    assert record["mix"]
    assert record["critic"]["reason"]
    assert record["config"]["learner"]["seed"] == FLEET.seed
    before, after = (
        checkpoint.load(run.checkpoints / version.version, spec=run.spec) for version in (run.base, run.candidate)
    )
    theirs = before.network.state_dict()
    assert any(not torch.equal(weight, theirs[name]) for name, weight in after.network.state_dict().items())
    rows = run.steps(Source.ROLLOUT).slice(0, 4)
    seen = decode_steps(rows, run.spec)
    batch = ObservationBatch(
        frames=seen.frames,
        state=seen.state,
        tactile=seen.tactile,
        instructions=rows.column("instruction").to_pylist(),
    )
    chunks = after.sample_chunks(batch, guidance=Guidance(), generator=torch.Generator())
    assert chunks.shape == (4, after.config.horizon, len(run.spec.action))
    assert np.isfinite(chunks).all()


def test_the_candidate_was_tried_without_help_and_released_by_a_person(run: Run) -> None:
    """Hop 14."""
    for version in (run.base.version, run.candidate.version):
        tried = run.episodes(Source.EVALUATION, version)
        assert tried
        assert all(row["scene_seed"] in SceneSplit.GATE.value and not row["num_interventions"] for row in tried)
    (trial,) = run.ledger("canary")
    assert (trial["policy_version"], trial["author"]) == (run.candidate.version, "judge")
    promoted = run.ledger("promote")[-1]
    assert (promoted["policy_version"], promoted["previous_version"]) == (run.candidate.version, run.base.version)
    assert promoted["author"] == RELEASER
    (back,) = run.ledger("rollback")
    assert (back["policy_version"], back["previous_version"]) == (run.base.version, run.candidate.version)
    assert (run.base.tags["status"], run.candidate.tags["status"]) == ("champion", "rejected")


def test_steps_carry_the_new_version_and_swap_between_episodes_only(run: Run) -> None:
    """Hop 15."""
    trial, promoted, back = (run.ledger(event)[-1]["time_ns"] for event in ("canary", "promote", "rollback"))
    own = run.episodes(Source.ROLLOUT, run.candidate.version)
    assert {row["release_role"] for row in own} == {"canary", "champion"}
    assert all(row["started_ns"] > (trial if row["release_role"] == "canary" else promoted) for row in own)
    assert {row["robot_id"] for row in own if row["release_role"] == "canary"} == {"actor-0-0"}
    again = [row for row in run.episodes(Source.ROLLOUT, run.base.version) if row["started_ns"] > back]
    assert again
    rows = run.steps(Source.ROLLOUT)
    acted = dict(zip(rows.column("episode_id").to_pylist(), rows.column("policy_version").to_pylist(), strict=True))
    pairs = set(zip(rows.column("episode_id").to_pylist(), rows.column("policy_version").to_pylist(), strict=True))
    assert len(pairs) == len(acted)
    assert {acted[row["episode_id"]] for row in own} == {run.candidate.version}
