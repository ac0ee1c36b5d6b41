"""The tick: who moves the robot, what is recorded, when an episode begins and ends."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import pytest

from actor.control_loop import Progress
from actor.safety import LimitsConfig
from actor.stuck import StuckConfig
from actor.work import CUT_REASON
from corrections.intervention import NOBODY, SafetyConfig
from corrections.protocol import Stop
from policy.schema import ControlMode, Episode, HelpRequest, Intervention, Observation, Outcome, Source, Telemetry
from tests.actor_rig import NUM_STEPS, Rig, TinyRobot, wait_for


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.inference.close()


def modes(rig: Rig) -> list[str]:
    return [step.control_mode for step in rig.steps]


def test_an_episode_is_recorded_tick_by_tick_and_then_as_a_whole(rig: Rig) -> None:
    rig.tick(NUM_STEPS + 1)
    steps, (episode,) = rig.steps[:NUM_STEPS], rig.shelf.of(Episode)
    assert [step.step_index for step in steps] == list(range(NUM_STEPS))
    assert [step.seq for step in rig.steps] == list(range(NUM_STEPS + 1))
    assert [step.chunk_index for step in steps] == [0, 1, 2, 3] * 3
    assert [step.is_truncated for step in steps] == [False] * (NUM_STEPS - 1) + [True]
    for step, action in zip(steps, rig.robot.applied, strict=False):
        np.testing.assert_array_equal(step.executed_action, action)
        np.testing.assert_array_equal(step.proposed_action, action)
    assert {step.policy_version for step in steps} == {"1"}
    assert (episode.num_steps, episode.first_seq, episode.outcome) == (NUM_STEPS, 0, Outcome.TIMED_OUT)
    assert (episode.release_role, episode.outcome_author, episode.num_interventions) == ("champion", "simulator", 0)
    assert episode.episode_id == steps[0].episode_id != rig.steps[-1].episode_id


def test_the_observation_recorded_is_the_one_the_action_was_for(rig: Rig) -> None:
    rig.tick(3)
    position = np.zeros(2, np.float32)
    for step in rig.steps:
        np.testing.assert_allclose(step.state, position, atol=1e-6)
        position = position + np.float32(0.1) * step.executed_action


def test_on_its_own_clock_a_robot_stands_still_until_its_chunk_is_there(rig: Rig) -> None:
    rig.sampler.may_answer.clear()
    assert rig.loop.tick() is Progress.WAITING
    rig.inference.flush()
    assert rig.loop.tick() is Progress.WAITING
    assert rig.robot.applied == []
    rig.sampler.may_answer.set()
    wait_for(lambda: not rig.loop.is_waiting)
    assert rig.loop.tick() is Progress.TICKED
    assert rig.sampler.batches == [[(rig.robot.scenes[0], 0)]]


def test_in_real_time_a_robot_holds_until_its_chunk_is_there() -> None:
    rig = Rig(robot=TinyRobot(is_simulated=False))
    rig.sampler.may_answer.clear()
    rig.tick()
    assert rig.robot.applied == [None]
    assert (rig.steps[0].chunk_index, rig.steps[0].scene_seed) == (-1, -1)
    rig.sampler.may_answer.set()
    wait_for(lambda: rig.sampler.batches)
    rig.inference.close()
    rig.tick()
    assert rig.steps[1].chunk_index == 1
    assert rig.metrics.value("touchline_chunks_late_total", robot="r-0") == 1


def test_a_person_takes_over_and_hands_back_and_stale_chunks_are_dropped(rig: Rig) -> None:
    rig.tick(2)
    rig.hold(command=(1.0, -0.5))
    rig.tick(2)
    rig.hold(command=None)
    rig.tick()
    rig.hand_back()
    rig.tick(2)
    assert modes(rig) == ["autonomous"] * 2 + ["correcting"] * 2 + ["paused"] + ["autonomous"] * 2
    np.testing.assert_array_equal(rig.steps[3].executed_action, np.array([1.0, -0.5], np.float32))
    assert rig.robot.applied[4] is None
    # The chunk after the hand-back was computed for the observation after the hand-back.
    assert [step.chunk_index for step in rig.steps[5:]] == [0, 1]
    assert round(float(rig.steps[5].proposed_action[0]) * 100) == 5
    assert [math.isnan(step.command_delay_ms) for step in rig.steps] == [True, True, False, False, True, True, True]
    (span,) = rig.shelf.of(Intervention)
    assert (span.first_step_index, span.last_step_index, span.num_correction_steps) == (2, 4, 2)
    assert (span.operator_id, span.lease_epoch) == ("ann", 1)
    assert [step.intervention_id for step in rig.steps] == ["", "", *[span.intervention_id] * 3, "", ""]


def test_an_episode_is_longer_by_the_ticks_in_which_a_person_has_the_robot(rig: Rig) -> None:
    rig.tick(NUM_STEPS - 1)
    rig.hold(command=(0.0, 0.0))
    rig.tick(3)
    rig.hand_back()
    rig.tick()
    (episode,) = rig.shelf.of(Episode)
    assert (episode.num_steps, episode.outcome) == (NUM_STEPS + 3, Outcome.TIMED_OUT)
    assert [step.is_truncated for step in rig.steps] == [False] * (NUM_STEPS + 2) + [True]


def test_the_policy_proposes_while_a_person_corrects(rig: Rig) -> None:
    rig.tick()
    rig.hold(command=(1.0, 0.0))
    rig.tick()
    wait_for(lambda: len(rig.sampler.batches) == 2)
    rig.hold(command=(1.0, 0.0), seq=2)
    rig.tick()
    correction = rig.steps[2]
    assert (correction.control_mode, correction.chunk_index) == (ControlMode.CORRECTING, 1)
    assert correction.proposed_action[0] != correction.executed_action[0]


def test_a_command_that_goes_stale_while_the_robot_senses_is_not_executed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.tick()
    rig.hold(command=(1.0, 0.0))
    rig.tick()
    observe = rig.robot.observe

    def observe_slowly() -> Observation:
        rig.now_ns += int(SafetyConfig().hold_after_ms * 1e6) + 1
        return observe()

    monkeypatch.setattr(rig.robot, "observe", observe_slowly)
    rig.hold(command=(1.0, 0.0), seq=2)
    rig.tick()
    assert modes(rig) == ["autonomous", "correcting", "paused"]
    assert rig.robot.applied[-1] is None


def test_a_held_robot_is_in_real_time(rig: Rig) -> None:
    rig.tick()
    assert rig.loop.is_virtual
    rig.hold(command=(0.0, 0.0))
    rig.tick()
    assert not rig.loop.is_virtual


def test_no_episode_begins_while_a_person_holds_the_robot(rig: Rig) -> None:
    rig.tick(NUM_STEPS - 1)
    rig.hold(command=(0.0, 0.0))
    rig.tick(NUM_STEPS + 1)
    rig.work.version = "2"
    assert rig.loop.tick() is Progress.IDLE
    assert len(rig.robot.scenes) == 1
    assert rig.link.reports[-1].episode_id == ""
    rig.hand_back()
    rig.tick()
    assert len(rig.robot.scenes) == 2
    assert rig.steps[-1].policy_version == "2"
    assert rig.shelf.of(Episode)[0].num_interventions == 1


def test_new_weights_wait_for_the_next_episode(rig: Rig) -> None:
    rig.tick(3)
    rig.work.version = "2"
    rig.tick(NUM_STEPS)
    assert [step.policy_version for step in rig.steps] == ["1"] * NUM_STEPS + ["2"] * 3


def test_a_robot_says_which_weights_it_refuses(rig: Rig) -> None:
    rig.tick()
    assert rig.link.reports[-1].weights_refusal == ""
    rig.work.refused = "version 2: cut short"
    rig.tick()
    assert rig.link.reports[-1].weights_refusal == "version 2: cut short"


def test_a_lost_person_leaves_the_robot_holding_and_asking_for_help(rig: Rig) -> None:
    rig.tick()
    rig.hold(command=(1.0, 0.0))
    rig.tick()
    rig.now_ns += 4_000_000_000
    rig.tick(2 * NUM_STEPS - 2)
    assert set(modes(rig)[2:]) == {"lost"}
    assert rig.robot.applied[2:] == [None] * (2 * NUM_STEPS - 2)
    (request,) = rig.shelf.of(HelpRequest)
    assert request.reason == "the link to its operator was lost"
    assert rig.loop.tick() is Progress.IDLE
    assert rig.metrics.value("touchline_watchdog_trips_total") == 1


def test_a_stop_holds_at_once(rig: Rig) -> None:
    rig.tick()
    rig.link.now = dataclasses.replace(NOBODY, stop=Stop(robot_id="r-0", reason="smoke", author="bob"))
    rig.tick()
    assert modes(rig) == ["autonomous", "stopped"]
    assert rig.robot.applied[1] is None
    assert rig.shelf.of(HelpRequest)[0].reason == "stopped: smoke"
    assert rig.link.reports[-1].help.reason == "stopped: smoke"


def test_limits_come_last_for_people_too_and_are_reported() -> None:
    rig = Rig(limits=LimitsConfig(max_change=0.1))
    rig.tick()
    rig.hold(command=(1.0, 0.0))
    rig.tick()
    assert rig.steps[1].executed_action[0] == pytest.approx(0.2)
    assert rig.link.reports[-1].limit_hits == ("move0",)
    rig.inference.close()


def test_a_frozen_camera_in_real_time_means_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(limits=LimitsConfig(max_change=1.0, max_observation_age_s=0.12))
    rig.tick()
    frozen = rig.robot.observe()
    monkeypatch.setattr(rig.robot, "observe", lambda: frozen)
    for seq in range(1, 6):
        rig.hold(command=(0.1, 0.0), seq=seq)
        rig.tick()
    executed = [action is not None for action in rig.robot.applied]
    assert executed == [True, True, True, True, False, False]
    rig.inference.close()


def test_no_progress_asks_for_help_and_motion_closes_the_request() -> None:
    rig = Rig(stuck=StuckConfig(after_s=0.2, min_motion=0.05))
    rig.tick(4)
    (request,) = rig.shelf.of(HelpRequest)
    assert request.reason == "no progress for 0.2 s"
    assert rig.link.reports[-1].help.request_id == request.request_id
    rig.hold(command=(1.0, 0.0))
    rig.tick()
    assert rig.link.reports[-1].help.request_id == ""
    rig.inference.close()


def test_evaluation_never_asks_for_help() -> None:
    rig = Rig(stuck=StuckConfig(after_s=0.2, min_motion=0.05), source=Source.EVALUATION)
    rig.tick(6)
    assert rig.shelf.of(HelpRequest) == []
    assert {step.source for step in rig.steps} == {"evaluation"}
    rig.inference.close()


def test_a_holders_words_replace_the_instruction_until_the_episode_ends(rig: Rig) -> None:
    rig.tick()
    rig.hold(command=(0.0, 0.0))
    rig.link.now = dataclasses.replace(rig.link.now, instruction="go left")
    rig.tick()
    rig.hand_back()
    rig.tick(NUM_STEPS)
    assert [step.instruction for step in rig.steps] == ["go right", *["go left"] * NUM_STEPS, "go right"]


def test_anybodys_words_to_a_free_robot_last_for_the_episode_in_which_they_came(rig: Rig) -> None:
    rig.link.now = dataclasses.replace(NOBODY, instruction="an old one", num_instructions=1)
    rig.tick(2)
    rig.link.now = dataclasses.replace(rig.link.now, instruction="go left", num_instructions=2)
    rig.tick(NUM_STEPS - 1)
    said = [step.instruction for step in rig.steps]
    assert said == [*["go right"] * 2, *["go left"] * (NUM_STEPS - 2), "go right"]
    assert {step.control_mode for step in rig.steps} == {ControlMode.AUTONOMOUS}
    assert rig.shelf.of(Intervention) == []
    assert [report.instruction for report in rig.link.reports[1:3]] == ["go right", "go left"]


def test_pictures_are_offered_only_while_somebody_watches(rig: Rig) -> None:
    rig.tick()
    assert rig.link.pictures == []
    rig.link.now = dataclasses.replace(NOBODY, is_watched=True)
    rig.tick()
    assert len(rig.link.pictures) == 1


def test_a_robot_at_rest_is_seen_too(rig: Rig) -> None:
    """Nobody should clear a stop without having looked."""
    rig.tick(NUM_STEPS - 1)
    rig.hold(command=(0.0, 0.0))
    rig.tick(NUM_STEPS + 1)
    rig.link.now = dataclasses.replace(rig.link.now, is_watched=True)
    before = len(rig.link.pictures)
    assert rig.loop.tick() is Progress.IDLE
    assert rig.loop.tick() is Progress.IDLE
    assert len(rig.link.pictures) == before + 1  # a few a second are enough


def test_the_end_of_the_process_cuts_the_episode(rig: Rig) -> None:
    rig.tick(3)
    rig.loop.finish()
    (episode,) = rig.shelf.of(Episode)
    assert (episode.num_steps, episode.outcome, episode.outcome_reason) == (4, Outcome.UNLABELLED, CUT_REASON)
    assert rig.steps[-1].is_truncated
    assert rig.robot.applied[-1] is None


def test_the_hold_that_cuts_a_corrected_episode_is_no_correction(rig: Rig) -> None:
    rig.tick()
    rig.hold(command=(1.0, 0.0))
    rig.tick(2)
    rig.loop.finish()
    assert modes(rig)[-2:] == ["correcting", "paused"]
    (span,) = rig.shelf.of(Intervention)
    assert span.num_correction_steps == 2
    assert math.isfinite(span.mean_command_delay_ms)


def test_telemetry_goes_out_about_once_a_second(rig: Rig) -> None:
    rig.tick(45)
    assert len(rig.shelf.of(Telemetry)) == 3
    assert rig.link.reports[-1].privileged.keys() == {"x"}


def test_a_policy_that_fails_ends_the_loop(rig: Rig) -> None:
    rig.sampler.error = RuntimeError("no memory")
    with pytest.raises(RuntimeError, match="no memory"):
        rig.tick()
