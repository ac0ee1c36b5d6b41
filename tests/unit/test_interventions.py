"""People are judged by what their interventions left behind."""

import dataclasses

import numpy as np

from learner.advantage import AdvantageConfig, returns, split
from learner.experience import Bool, Experience
from learner.interventions import find, unhelpful

_TRUSTED = np.array([True])
_UNTRUSTED = np.array([False])


def _episodes(*drawn: str) -> Experience:
    """Episodes as letters: p policy, c correction, h held; the last one says success, failure or unknown: + - ?"""
    steps = [letter for episode in drawn for letter in episode[:-1]]
    length = np.array([len(episode) - 1 for episode in drawn])
    return Experience(
        start=np.cumsum(length) - length,
        length=length,
        is_success=np.array([episode[-1] == "+" for episode in drawn]),
        is_failure=np.array([episode[-1] == "-" for episode in drawn]),
        task=np.zeros(len(drawn), np.int64),
        is_demonstration=np.zeros(len(drawn), np.bool_),
        is_held_out=np.zeros(len(drawn), np.bool_),
        is_correction=np.array([letter == "c" for letter in steps]),
        is_held=np.array([letter == "h" for letter in steps]),
        row=np.arange(len(steps)),
    )


def _judged(experience: Experience, value: list[float], is_trusted: Bool) -> str:
    """A cross at each correction step that did not help."""
    segments = split(experience, AdvantageConfig())
    outcome = returns(experience, segments, AdvantageConfig())
    judged = unhelpful(experience, outcome, np.array(value), is_trusted, AdvantageConfig(believed_success_rate=1))
    return "".join("x" if step else "." for step in judged)


def test_an_intervention_runs_from_takeover_to_hand_back_over_pauses_and_not_over_episodes() -> None:
    found = find(_episodes("pphcchccp+", "c+", "cch-", "pp+"))
    assert found.start.tolist() == [3, 9, 10]
    assert found.stop.tolist() == [8, 10, 12]
    assert found.ends_episode.tolist() == [False, True, True]


def test_nobody_intervened() -> None:
    found = find(_episodes("pp+"))
    assert len(found.start) == 0
    assert _judged(_episodes("pp+"), [0.0, 0.0], _TRUSTED) == ".."


def test_an_intervention_that_ends_the_episode_is_judged_by_its_end() -> None:
    episodes = _episodes("pcc+", "pcch-", "pcc?")
    assert _judged(episodes, [np.nan] * 10, _UNTRUSTED) == "....xx...."


def test_an_intervention_with_a_hand_back_is_judged_by_what_it_left_behind() -> None:
    # Both episodes fail in the policy's hands: that says nothing of the person.
    episodes = _episodes("pccpp-", "pccpp-")
    value = [-0.5, -0.8, -0.8, -0.3, -0.3, -0.5, -0.4, -0.8, -0.9, -0.9]
    assert _judged(episodes, value, _TRUSTED) == "......xx.."


def test_a_better_place_must_be_worth_the_time_it_took() -> None:
    # Longest episode and cost of failure are 5 each, so two steps cost .2.
    assert _judged(_episodes("pccpp-"), [-0.5, -0.8, -0.8, -0.65, -0.6], _TRUSTED) == ".xx.."


def test_people_are_believed_where_the_critic_has_no_say() -> None:
    assert _judged(_episodes("pccpp-"), [-0.5, -0.4, -0.8, -0.9, -0.9], _UNTRUSTED) == "....."
    assert _judged(_episodes("pccpp-"), [np.nan] * 5, _TRUSTED) == "....."


def test_two_interventions_of_one_episode_are_judged_apart() -> None:
    value = [-0.5, -0.8, -0.3, -0.5, -0.9, -0.9]
    assert _judged(_episodes("pcpcpp-"), value, _TRUSTED) == "...x.."


def test_people_are_learned_from_whole_until_their_episodes_speak_against_it() -> None:
    episodes = _episodes("pc-", "pc+", "pc+", "pc-")
    segments = split(episodes, AdvantageConfig())
    outcome = returns(episodes, segments, AdvantageConfig())

    def left_out(rate: float) -> list[int]:
        config = AdvantageConfig(believed_success_rate=rate)
        return np.flatnonzero(unhelpful(episodes, outcome, np.full(8, np.nan), _TRUSTED, config)).tolist()

    # Two of four: by Wilson's interval .15 to .85 of them end well.
    assert left_out(0.8) == []
    assert left_out(0.9) == [1, 7]


def test_a_critic_that_sees_no_gain_overrules_nobody_whose_episodes_end_well() -> None:
    episodes = _episodes("pccp+", "pccp+", "pccp-")
    assert _judged(episodes, [-0.1, -0.1, -0.1, -0.9] * 3, _TRUSTED) == ".xx..xx..xx."
    segments = split(episodes, AdvantageConfig())
    outcome = returns(episodes, segments, AdvantageConfig())
    value = np.array([-0.1, -0.1, -0.1, -0.9] * 3)
    assert not unhelpful(episodes, outcome, value, _TRUSTED, AdvantageConfig()).any()


def test_one_tasks_people_do_not_speak_for_anothers() -> None:
    episodes = _episodes("pc+", "pc+", "pc-", "pc-")
    episodes = dataclasses.replace(episodes, task=np.array([0, 0, 1, 1]))
    segments = split(episodes, AdvantageConfig())
    outcome = returns(episodes, segments, AdvantageConfig())
    trusted = np.array([True, True])
    left_out = unhelpful(episodes, outcome, np.full(8, np.nan), trusted, AdvantageConfig())
    assert np.flatnonzero(left_out).tolist() == [5, 7]
