"""Three tasks, three bodies, one policy: it learns from all, acts on each, and is kept to the bit."""

from pathlib import Path

import numpy as np
import pytest

from learner.data import ArrayData
from learner.joint_data import JointData
from learner.synthetic import toy_data
from policy import checkpoint
from policy.batch import Indicator, ObservationBatch
from policy.errors import ConfigError, SchemaError
from policy.flow import Guidance
from policy.policy import Policy
from robots import tasks
from robots.robot import Robot
from study import episode
from study.learning import Learning, new_policy, train
from study.rollout import RolloutConfig, demonstrate, roll_out

FEW_TICKS = {"plug_insertion": 6, "busybox": 6, "toolbox": 6}


def demonstrations(name: str, folder: Path) -> ArrayData:
    robot = tasks.make(name)
    path = folder / f"{name}.npz"
    episode.save(path, list(demonstrate(tasks.find(name), robot, range(2))))
    return episode.load([path], robot.spec)


@pytest.fixture(scope="module")
def joint(tmp_path_factory: pytest.TempPathFactory) -> JointData:
    folder = tmp_path_factory.mktemp("demonstrations")
    return JointData([demonstrations(name, folder) for name in FEW_TICKS])


@pytest.fixture(scope="module")
def policy(joint: JointData) -> Policy:
    imitation = Learning.of("hg_dagger", {})
    return train(new_policy(joint, 0), joint, imitation, num_updates=4, seed=0).policy


def test_it_acts_on_each_body_and_so_does_what_was_kept(policy: Policy, tmp_path: Path) -> None:
    checkpoint.save(tmp_path, policy)
    for name, max_steps in FEW_TICKS.items():
        robot = tasks.make(name, {"max_steps": max_steps})
        ours = work(policy.of(robot.spec.spec_id), robot)
        assert len(ours) == max_steps
        np.testing.assert_array_equal(work(checkpoint.load(tmp_path, spec=robot.spec), robot), ours)


def work(policy: Policy, robot: Robot) -> np.ndarray:
    (done,) = roll_out(policy, [robot], [7], guidance=Guidance(), config=RolloutConfig(), seed=0)
    return np.stack(done.actions)


def test_statistics_are_each_bodys_own(policy: Policy, joint: JointData) -> None:
    for part in joint.parts:
        found = policy.of(part.spec.spec_id).normaliser
        np.testing.assert_allclose(found.action.centre, part.action.mean(axis=0), atol=1e-6)


def test_it_learns_from_all_bodies_at_once(joint: JointData) -> None:
    start = new_policy(joint, 1)
    before = {name: value.clone() for name, value in start.network.named_parameters()}
    trained = train(start, joint, Learning.of("hg_dagger", {}), num_updates=3, seed=1)
    assert np.isfinite(trained.loss)
    moved = {name for name, value in start.network.named_parameters() if not value.equal(before[name])}
    doors = [f"{prefix}expert.action_out.weight" for prefix in ("", "others.0.", "others.1.")]
    assert moved.issuperset(doors)
    assert any(name.startswith("encoder.blocks") for name in moved)


def test_a_batch_is_dealt_out_by_body_and_put_together_again(joint: JointData) -> None:
    lengths = [part.experience.num_steps for part in joint.parts]
    steps = np.array([lengths[0] + 1, 0, lengths[0] + lengths[1], 2, lengths[0]])
    batch = joint.chunks(steps, 8, np.full(5, int(Indicator.POSITIVE)))
    assert [len(part) for part in batch.parts.values()] == [2, 2, 1]
    asked = [text for part in batch.parts.values() for text in part.observations.instructions]
    own = [joint.observations(np.array([step])).instructions[0] for step in steps]
    assert [asked[place] for place in batch.order] == own
    for part, spec in zip(batch.parts.values(), (part.spec for part in joint.parts), strict=True):
        part.observations.check(spec)


def test_what_has_no_common_shape_is_refused(joint: JointData) -> None:
    assert isinstance(joint.observations(np.array([0, 1])), ObservationBatch)
    with pytest.raises(SchemaError, match="several bodies"):
        joint.observations(np.array([0, joint.experience.num_steps - 1]))
    with pytest.raises(ConfigError, match="one training set per body"):
        JointData([toy_data(), toy_data(seed=1)])
