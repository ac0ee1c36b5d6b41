"""The loop closes, on the real parts: robots try, a person corrects, the correction becomes weights, and the
robots act on them. One short run of the whole fleet; then a test for each hop of the README's table."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.topics import STEPS, VALUES
from learner.candidate import RECORD_FILE, TRAIN_ID_TAG
from policy import checkpoint
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.schema import ControlMode, Outcome, SceneSplit, Source
from storage.episode_index import EpisodeIndex
from storage.frames import decode_steps
from storage.pin import DataPin
from storage.replay import Replay
from tests.loop_rig import FLEET, ids
from tests.loop_run import LABELLER, RELEASER, Run, process_of, run_once

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    torch.set_num_threads(1)
    return run_once(tmp_path_factory.mktemp("loop"))


def replay_of(run: Run, directory: Path, pin: DataPin | None = None) -> Replay:
    replay = Replay(run.lake, directory, run.spec, 50_000, pin=pin)
    replay.refresh()
    return replay


def test_demonstrations_made_the_base_and_the_judge_released_it(run: Run) -> None:
    demonstrations = run.episodes(Source.DEMONSTRATION)
    assert len(demonstrations) == FLEET.demonstrations
    first = run.watch.releases[0]
    assert (first["event"], first["policy_version"], first["author"]) == ("candidate", run.base.version, "learner")
    released = run.ledger("promote")[0]
    assert (released["policy_version"], released["author"]) == (run.base.version, "judge")


def test_robots_record_what_they_saw_felt_wanted_and_did(run: Run) -> None:
    """Hops 1 to 6."""
    episode = next(row for row in run.episodes(Source.ROLLOUT) if row["num_correction_steps"])
    rows = run.steps(Source.ROLLOUT, episode_id=episode["episode_id"]).sort_by("step_index")
    assert rows.column("step_index").to_pylist() == list(range(episode["num_steps"]))
    assert set(rows.column("policy_version").to_pylist()) == {run.base.version}
    arrays = decode_steps(rows, run.spec)  # refuses sizes that do not fit the spec and numbers that are not finite
    limits = np.array([max(abs(axis.low), abs(axis.high)) for axis in run.spec.action])
    assert (np.abs(arrays.executed_action) <= limits + 1e-6).all()
    for camera in range(len(run.spec.cameras)):
        assert np.ptp(arrays.frames[:, camera], axis=0).max() > 50
    assert np.ptp(arrays.tactile, axis=0).max() > 0
    modes = np.array(rows.column("control_mode").to_pylist())
    is_policy, is_person = modes == ControlMode.AUTONOMOUS, modes == ControlMode.CORRECTING
    assert len(set(rows.column("chunk_index").to_numpy()[is_policy].tolist())) > 1
    assert np.abs(arrays.proposed_action[is_policy]).max() > 0
    assert np.abs(arrays.executed_action - arrays.proposed_action)[is_person].max() > 0


def test_a_person_corrected_robots(run: Run) -> None:
    """Hop 4, and its records."""
    spans = run.watch.interventions
    assert all(row["operator_id"].startswith("operator-") for row in spans)
    corrected = [row for row in run.episodes(Source.ROLLOUT) if row["num_correction_steps"]]
    assert ids(corrected) <= ids(spans)
    columns = ["episode_id", "control_mode", "operator_id", "intervention_id", "command_delay_ms"]
    by_hand = [
        row for row in run.steps(Source.ROLLOUT, columns).to_pylist() if row["control_mode"] == ControlMode.CORRECTING
    ]
    counted = Counter(row["episode_id"] for row in by_hand)
    assert {row["episode_id"]: row["num_correction_steps"] for row in corrected}.items() <= counted.items()
    assert ids(by_hand, "operator_id") <= ids(spans, "operator_id")
    # A person's step carries the age of the command that it executed.
    assert all(math.isfinite(row["command_delay_ms"]) for row in by_hand)


def test_nothing_lost_nothing_doubled_though_an_actor_was_killed(run: Run) -> None:
    """Hops 7 to 9."""
    (death,) = (event for event in run.events if "died" in event)
    assert death.startswith(f"{process_of(run.killed)} died with SIGKILL")
    assert len({counts.boot_id for counts in run.counts if counts.robot_id == run.killed}) == 2
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
    rows = run.steps(Source.ROLLOUT, episode_id=run.labelled).slice(0, 4)
    seen = decode_steps(rows, run.spec)
    batch = ObservationBatch(
        frames=seen.frames,
        state=seen.state,
        tactile=seen.tactile,
        instructions=[str(text) for text in rows.column("instruction").to_pylist()],
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
    rows = run.steps(Source.ROLLOUT, ["episode_id", "policy_version"])
    acted = dict(zip(rows.column("episode_id").to_pylist(), rows.column("policy_version").to_pylist(), strict=True))
    pairs = set(zip(rows.column("episode_id").to_pylist(), rows.column("policy_version").to_pylist(), strict=True))
    assert len(pairs) == len(acted)
    assert {acted[row["episode_id"]] for row in own} == {run.candidate.version}
