"""What can be asked, in words of training and in words that are held out."""

import itertools

import pytest

from policy.tokens import split
from robots.busybox.goals import Goal, all_goals, held_out_instructions, trained_instructions
from robots.busybox.layout import MODULES
from robots.busybox.robot import BusyBox, BusyBoxConfig

NUM_WORDS_READ = 12
"""By the default policy."""
GOALS = all_goals()
TRAINED_WORDS = {word for goal in GOALS for text in trained_instructions(goal) for word in split(text)}


def test_every_module_has_goals_and_the_choice_narrows_them() -> None:
    assert len(GOALS) == 3 + 2 * 2 + 2 * 3 + 5 + 2
    assert {goal.module for goal in GOALS} == set(MODULES)
    assert {goal.module for goal in all_goals(["knob"])} == {"knob"}


def test_a_wording_means_one_goal() -> None:
    texts = [text for goal in GOALS for text in (*trained_instructions(goal), *held_out_instructions(goal))]
    assert len(set(texts)) == len(texts)
    assert all(len(split(text)) <= NUM_WORDS_READ for text in texts)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: trained_instructions(goal)[0])
def test_held_out_wordings_use_words_that_training_lacks(goal: Goal) -> None:
    for text in held_out_instructions(goal):
        assert set(split(text)) - TRAINED_WORDS, text


def test_the_robot_says_what_its_configuration_allows() -> None:
    trained = BusyBox(BusyBoxConfig(wording="trained"))
    held_out = BusyBox(BusyBoxConfig(wording="held_out"))
    heard = set()
    for seed in range(30):
        words = []
        for robot in (trained, held_out):
            robot.restart(seed)
            words.append(robot.instruction)
        assert trained.scene.goal == held_out.scene.goal
        assert words[0] in trained_instructions(trained.scene.goal)
        assert words[1] in held_out_instructions(trained.scene.goal)
        heard |= set(words)
    assert len(heard) > 30


def test_wordings_of_a_goal_take_turns() -> None:
    robot = BusyBox(BusyBoxConfig(modules=("wire",)))
    heard = set()
    for seed in itertools.count():
        robot.restart(seed)
        heard.add(robot.instruction)
        if len(heard) == 6 or seed > 200:
            break
    assert len(heard) == 6
