import numpy as np

from learner.data import action_mask
from learner.experience import Experience
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
