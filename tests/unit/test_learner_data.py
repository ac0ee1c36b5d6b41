import numpy as np

from learner.data import action_mask
from learner.experience import Experience
from learner.goals import GOAL_ONLY
from learner.synthetic import toy_data, toy_spec
from policy.batch import Indicator


def test_chunks_hold_what_was_executed_from_there_on() -> None:
    data = toy_data(num_demonstrations=2, num_rollouts=1, num_helped=1)
    steps = np.array([0, int(data.experience.start[1]) - 1])
    batch = data.chunks(steps, 4, np.full(2, Indicator.POSITIVE))
    batch.observations.check(toy_spec())
    assert np.array_equal(batch.actions[0], data.action[:4])
    assert batch.action_mask.tolist() == [[True] * 4, [True, False, False, False]]
    assert batch.observations.instructions[0] == "go to the left"


def test_goals_are_where_a_piece_of_work_ended_well() -> None:
    data = toy_data(num_demonstrations=1, num_rollouts=6, num_helped=1)
    experience = data.experience
    helped = int(np.flatnonzero(experience.is_helped)[0])
    first, end = int(experience.start[helped]), int(experience.start[helped] + experience.length[helped])
    takeover = first + int(np.flatnonzero(experience.is_correction[first:end])[0])
    failed = int(experience.start[np.flatnonzero(experience.is_failure)[0]])
    batch = data.chunks(np.array([first, takeover, failed]), 4, np.full(3, Indicator.POSITIVE))
    assert batch.goal_mask.tolist() == [False, True, False], "the policy's part ended in somebody's taking over"
    assert np.array_equal(batch.goal[1], data.state[end - 1])


def test_a_sample_for_its_goal_alone_has_no_action_to_imitate() -> None:
    data = toy_data(num_demonstrations=1, num_rollouts=4)
    batch = data.chunks(np.array([0, 1]), 4, np.array([GOAL_ONLY, int(Indicator.NEGATIVE)]))
    assert batch.action_mask.any(axis=1).tolist() == [False, True]
    assert batch.goal_mask.tolist() == [True, True]
    assert batch.indicator.tolist() == [Indicator.POSITIVE, Indicator.NEGATIVE]


def test_a_chunk_ends_where_the_behaviour_changes() -> None:
    experience = Experience(
        start=np.array([0, 6]),
        length=np.array([6, 2]),
        is_success=np.array([True, True]),
        is_failure=np.array([False, False]),
        task=np.zeros(2, np.int64),
        is_demonstration=np.zeros(2, np.bool_),
        is_held_out=np.zeros(2, np.bool_),
        is_correction=np.array([0, 0, 0, 1, 1, 0, 0, 0], np.bool_),
        is_held=np.array([0, 0, 1, 0, 0, 0, 0, 0], np.bool_),
        row=np.arange(8),
    )
    mask = action_mask(experience, np.arange(8), 3)
    assert mask.sum(axis=1).tolist() == [2, 1, 1, 2, 1, 1, 2, 1]


def test_synthetic_data_repeats() -> None:
    first, second = toy_data(seed=1), toy_data(seed=1)
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.action, second.action)
    assert first.experience.is_correction.any()
