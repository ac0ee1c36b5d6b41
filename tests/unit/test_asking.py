"""When a robot asks by itself, what it makes of the answers, and what it does when nobody answers."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actor.asking import Asker, HelpConfig
from actor.doubt import Calibration, Doubt, spread
from actor.needs import Need
from actor.stuck import StuckConfig
from actor.watchdog import Watchdog
from corrections.protocol import Help
from policy.errors import ConfigError
from policy.schema import Episode, Fallback, HelpKind, HelpRequest, HelpResult, Outcome, Severity
from robots.robot import TaskStatus
from tests.actor_rig import SPEC, FakeSampler, Rig, TinyRobot

S = 1_000_000_000
STUCK = Need(trigger="no_progress", reason="no progress for 2.0 s")


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A robot that is stuck after four ticks."""
    rig = Rig(stuck=StuckConfig(after_s=0.2, min_motion=0.05))
    yield rig
    rig.inference.close()


def holds(rig: Rig) -> list[bool]:
    return [action is None for action in rig.robot.applied]


def test_a_stuck_robot_asks_to_choose_and_goes_on_meanwhile(rig: Rig) -> None:
    rig.tick(6)
    (request,) = rig.shelf.of(HelpRequest)
    assert (request.kind, request.trigger, request.severity) == ("choose", "no_progress", "warning")
    assert json.loads(request.options) == ["take over", "try again", "go on"]
    assert (request.deadline_s, request.fallback) == (60.0, "continue")
    told = rig.link.reports[-1].help
    assert (told.request_id, told.kind, told.options) == (request.request_id, HelpKind.CHOOSE, (*told.options,))
    assert holds(rig) == [False] * 6, "it copes while it waits"


def test_try_again_ends_the_episode_as_timed_out_and_says_who(rig: Rig) -> None:
    rig.tick(4)
    rig.answer("try again")
    rig.tick(2)
    (episode,) = rig.shelf.of(Episode)
    assert (episode.outcome, episode.outcome_reason, episode.num_steps) == (Outcome.TIMED_OUT, "ann: try again", 5)
    assert rig.steps[4].is_truncated
    assert rig.steps[5].episode_id != episode.episode_id
    assert rig.link.reports[-1].help == Help()
    rig.tick(2)
    assert rig.steps[-1].episode_id == rig.steps[5].episode_id, "the old answer does not end the new episode"


def test_go_on_closes_the_request_and_mutes_its_trigger_for_a_while(rig: Rig) -> None:
    rig.tick(4)
    rig.answer("go on")
    rig.tick(3)
    assert rig.link.reports[-1].help == Help()
    rig.now_ns += 10 * S
    rig.tick()
    assert [request.request_id[-2:] for request in rig.shelf.of(HelpRequest)] == ["h1", "h2"]


@pytest.mark.parametrize("fallback", list(Fallback))
def test_at_the_deadline_a_robot_does_what_it_said(fallback: Fallback) -> None:
    rig = Rig(stuck=StuckConfig(after_s=0.2, min_motion=0.05), asking=HelpConfig(deadline_s=0.1, fallback=fallback))
    rig.tick(6)
    rig.tick(2)
    if fallback is Fallback.CONTINUE:
        assert rig.link.reports[-1].help == Help()
        assert holds(rig)[-2:] == [False, False]
    elif fallback is Fallback.HOLD:
        assert holds(rig)[-2:] == [True, True]
        told = rig.link.reports[-1].help
        assert (told.kind, told.deadline_s) == (HelpKind.TAKE_OVER, 0.0)
        rig.hold(command=(1.0, 0.0))
        rig.tick()
        rig.hand_back()
        rig.tick()
        assert rig.robot.applied[-1] is not None, "a person was here"
    else:
        assert rig.shelf.of(Episode)[0].outcome_reason == "nobody answered in time"
    rig.inference.close()


def test_a_deadline_that_only_the_gateway_knows_counts_too(rig: Rig) -> None:
    rig.tick(2)
    rig.answer(request_id="raised", trigger="value_drop", result=HelpResult.EXPIRED, fallback=Fallback.HOLD)
    rig.tick(2)
    assert rig.robot.applied[-1] is None, "a watcher's request expired, and it said: hold"
    assert rig.link.reports[-1].help.reason == "nobody answered in time; it holds still"


def test_a_graver_need_replaces_the_request_and_an_equal_one_does_not() -> None:
    asked: list[Help] = []
    asker = Asker(HelpConfig(), asked.append)
    asker.begin("e")
    asker.update([STUCK], 0, is_free=True)
    asker.update([Need(trigger="watchdog", reason="late"), STUCK], 1, is_free=True)
    grave = Need(trigger="lost", reason="lost", kind=HelpKind.TAKE_OVER, severity=Severity.ERROR, options=())
    asker.update([grave], 2, is_free=False)
    asker.update([grave], 1_000 * S, is_free=False)
    assert [(help.request_id, help.trigger, help.deadline_s) for help in asked] == [
        ("e-h1", "no_progress", 60.0),
        ("e-h2", "lost", 0.0),
    ]
    asker.update([], 3, is_free=True)
    assert asker.help == Help()


def test_an_ended_episode_that_nobody_judged_is_told_and_blocks_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.robot, "_move", lambda action: TaskStatus(is_truncated=True))
    rig.tick(2)
    ended = [episode.episode_id for episode in rig.shelf.of(Episode)]
    assert len(ended) == 2
    assert rig.link.reports[-1].unlabelled_episode_id == ended[-1]
    rig.loop.tick()
    rig.loop.finish()


def test_the_watchdog_hears_late_ticks_and_missing_actions() -> None:
    watchdog = Watchdog(0.5, 1.0)
    assert watchdog.tick(0, has_action=True) == ""
    assert watchdog.tick(int(0.4 * S), has_action=True) == ""
    assert watchdog.tick(int(1.2 * S), has_action=True) == "its control loop stood still for 0.8 s"
    assert "stood still" in watchdog.tick(int(1.6 * S), has_action=True)
    assert watchdog.tick(int(2.05 * S), has_action=True) != ""
    assert watchdog.tick(int(2.3 * S), has_action=False) == ""
    assert watchdog.tick(int(2.7 * S), has_action=False) == ""
    assert "gave no action" in watchdog.tick(int(3.1 * S), has_action=False)
    assert watchdog.tick(int(3.2 * S), has_action=True) == ""
    watchdog.reset()
    assert watchdog.tick(9 * S, has_action=False) == "", "who was virtual, or held, had another rhythm"


def test_a_late_tick_in_real_time_holds_the_robot_and_asks_and_virtual_time_does_not() -> None:
    for is_simulated in (False, True):
        rig = Rig(robot=TinyRobot(is_simulated=is_simulated))
        rig.tick(2)
        rig.now_ns += S
        rig.tick()
        reasons = [request.reason for request in rig.shelf.of(HelpRequest)]
        assert reasons == ([] if is_simulated else ["its control loop stood still for 1.1 s"])
        assert holds(rig)[-1] != is_simulated
        rig.inference.close()


def test_spread_is_a_share_of_the_actions_range() -> None:
    samples = np.zeros((2, 8, 2), np.float32)
    samples[1] = 1.0
    assert spread(samples, SPEC) == pytest.approx(0.25), "0.5 apart from the mean, in a range of 2"


def test_doubt_asks_above_what_successes_showed_and_not_before_it_has_seen_enough() -> None:
    calibration = Calibration(coverage=0.6, min_episodes=2, max_episodes=3)
    doubt = Doubt(SPEC, calibration)

    def look(apart: float) -> str:
        samples = np.zeros((2, 4, 2), np.float32)
        samples[1] = apart
        doubt.look(samples)
        return doubt.reason()

    for is_success in (True, False, True):
        doubt.begin()
        assert look(0.4 if is_success else 4.0) == ""
        doubt.end(is_autonomous_success=is_success)
    doubt.begin()
    assert look(0.4) == ""
    assert look(0.8) == "its plans disagree: spread 0.20, usually at most 0.10"
    doubt.look(None)
    assert doubt.reason() != "", "until it is measured again"
    doubt.calm()
    assert doubt.reason() == ""


def test_a_policy_that_disagrees_with_itself_asks_through_the_whole_loop() -> None:
    sampler = FakeSampler()
    asking = HelpConfig(spread_samples=3, spread_every=1, spread_min_episodes=1, spread_coverage=0.5)
    rig = Rig(sampler=sampler, asking=asking, robot=Willing())
    rig.tick(8)
    assert rig.shelf.of(Episode)[0].outcome == Outcome.SUCCESS
    assert rig.shelf.of(HelpRequest) == []
    sampler.doubt = 0.5
    rig.tick(8)
    (request, *_) = rig.shelf.of(HelpRequest)
    assert request.trigger == "spread"
    rig.inference.close()


class Willing(TinyRobot):
    """Succeeds in its sixth step, whatever it does."""

    def _move(self, action: Any) -> TaskStatus:
        self._num_steps += 1
        return TaskStatus(is_terminal=self._num_steps == 6, outcome=Outcome.SUCCESS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline_s": -1.0},
        {"spread_samples": 1},
        {"spread_every": 0},
        {"spread_coverage": 1.0},
        {"spread_min_episodes": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="help"):
        HelpConfig(**wrong)
