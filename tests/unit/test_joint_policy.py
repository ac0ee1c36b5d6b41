"""One policy for several bodies: what they share, what is their own, and how it is kept."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from policy.batch import ChunkBatch, Indicator, MixedBatch, ObservationBatch
from policy.checkpoint import DESCRIPTION_FILE, load, save
from policy.errors import ConfigError, SchemaError, WeightsRejected
from policy.flow import Guidance
from policy.network import PolicyConfig
from policy.policy import Body, Policy
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser

CONFIG = PolicyConfig(width=16, num_heads=2, stem_channels=4, num_keypoints=2, horizon=3, num_flow_steps=2)
ObservationsOf = Callable[[EmbodimentSpec, int], ObservationBatch]


def body(spec: EmbodimentSpec, centre: float = 0.0) -> Body:
    def rows(channels: tuple[ChannelSpec, ...]) -> np.ndarray:
        return np.random.default_rng(len(channels)).normal(centre, 1, (16, len(channels))).astype(np.float32)

    return Body(
        spec=spec,
        normaliser=Normaliser.fit(state=rows(spec.state), tactile=rows(spec.tactile), action=rows(spec.action)),
    )


@pytest.fixture
def numb_spec(small_spec: EmbodimentSpec) -> EmbodimentSpec:
    """Five actions, no touch, one camera less."""
    return dataclasses.replace(
        small_spec,
        name="numb",
        tactile=(),
        action=tuple(ChannelSpec(name=f"joint{i}", unit="1", low=-1.0, high=1.0) for i in range(5)),
        cameras=small_spec.cameras[:1],
    )


@pytest.fixture
def wide_spec(small_spec: EmbodimentSpec) -> EmbodimentSpec:
    """One state channel and one larger camera."""
    cameras = (CameraSpec(name="wrist", height=64, width=64),)
    return dataclasses.replace(small_spec, name="wide", state=small_spec.state[:1], cameras=cameras)


@pytest.fixture
def joint(small_spec: EmbodimentSpec, numb_spec: EmbodimentSpec, wide_spec: EmbodimentSpec) -> Policy:
    torch.manual_seed(0)
    first, *others = body(small_spec), body(numb_spec, 3.0), body(wide_spec, -2.0)
    return Policy.create(CONFIG, small_spec, Vocabulary.of(["insert the plug"]), first.normaliser, others)


@pytest.fixture
def chunks_of(observations_of: ObservationsOf) -> Callable[[EmbodimentSpec, int], ChunkBatch]:
    def make(spec: EmbodimentSpec, count: int) -> ChunkBatch:
        rng = np.random.default_rng(count)
        return ChunkBatch(
            observations=observations_of(spec, count),
            actions=rng.uniform(-1, 1, (count, CONFIG.horizon, len(spec.action))).astype(np.float32),
            action_mask=np.ones((count, CONFIG.horizon), np.bool_),
            indicator=np.full(count, int(Indicator.POSITIVE)),
            goal=rng.normal(size=(count, len(spec.state))).astype(np.float32),
            goal_mask=np.ones(count, np.bool_),
        )

    return make


def act(policy: Policy, observations: ObservationBatch) -> np.ndarray:
    return policy.sample_chunks(observations, guidance=Guidance(), generator=torch.Generator().manual_seed(1))


def test_each_body_acts_in_its_own_shape_and_units(joint: Policy, observations_of: ObservationsOf) -> None:
    for member in (joint, *joint.others):
        chunks = act(joint.of(member.spec.spec_id), observations_of(member.spec, 2))
        assert chunks.shape == (2, CONFIG.horizon, len(member.spec.action))
        assert (chunks >= member.spec.action_low).all()
        assert (chunks <= member.spec.action_high).all()


def test_an_unknown_body_is_told_which_are_known(joint: Policy, small_spec: EmbodimentSpec) -> None:
    other = dataclasses.replace(small_spec, control_rate_hz=10.0)
    with pytest.raises(SchemaError, match=r"small.*numb.*wide"):
        joint.of(other.spec_id)


def test_a_body_that_comes_twice_is_refused(small_spec: EmbodimentSpec) -> None:
    one = body(small_spec)
    with pytest.raises(ConfigError, match="once"):
        Policy.create(CONFIG, small_spec, Vocabulary.of(["go"]), one.normaliser, [one])


def test_bodies_share_the_trunk_and_stems_of_cameras_of_one_size(joint: Policy) -> None:
    numb, wide = (other.network for other in joint.others)
    first = joint.network
    assert numb.encoder.blocks is wide.encoder.blocks is first.encoder.blocks
    assert numb.expert.blocks is first.expert.blocks
    assert numb.encoder.stems[0] is first.encoder.stems[0]
    assert wide.encoder.stems[0] is not first.encoder.stems[0]
    assert numb.expert.action_in is not first.expert.action_in
    alone = sum(sum(p.numel() for p in n.parameters()) for n in (numb, wide)) + joint.num_parameters
    assert joint.num_parameters < 0.6 * alone


def test_a_mixed_batch_has_the_losses_of_its_parts_in_the_order_of_its_samples(
    joint: Policy, chunks_of: Callable[[EmbodimentSpec, int], ChunkBatch]
) -> None:
    members = (joint, joint.others[0])
    parts = {member.spec.spec_id: chunks_of(member.spec, 2 + n) for n, member in enumerate(members)}
    order = np.array([4, 0, 2, 1, 3])
    mixed = MixedBatch(parts=parts, order=order)
    generator = torch.Generator().manual_seed(3)
    apart = [joint.of(spec_id).training_loss(part, generator=generator) for spec_id, part in parts.items()]
    together = joint.training_loss(mixed, generator=torch.Generator().manual_seed(3))
    assert len(mixed) == len(together) == 5
    torch.testing.assert_close(together, torch.cat(apart)[torch.from_numpy(order)], rtol=0, atol=0)


def test_one_body_teaches_the_trunk_and_leaves_the_others_doors_alone(
    joint: Policy, chunks_of: Callable[[EmbodimentSpec, int], ChunkBatch]
) -> None:
    numb = joint.others[0]
    batch = MixedBatch(parts={numb.spec.spec_id: chunks_of(numb.spec, 3)}, order=np.arange(3))
    joint.training_loss(batch, generator=torch.Generator().manual_seed(0)).mean().backward()  # type: ignore[no-untyped-call]
    learned = {name for name, parameter in joint.network.named_parameters() if parameter.grad is not None}
    assert any(name.startswith("expert.blocks") for name in learned)
    assert "others.0.expert.action_out.weight" in learned
    assert "expert.action_out.weight" not in learned
    assert "others.1.expert.action_out.weight" not in learned


def test_it_is_kept_to_the_bit_and_each_robot_gets_its_own(
    joint: Policy, tmp_path: Path, observations_of: ObservationsOf
) -> None:
    save(tmp_path, joint)
    whole = load(tmp_path)
    assert [other.spec for other in whole.others] == [other.spec for other in joint.others]
    for member in (joint, *joint.others):
        observations = observations_of(member.spec, 2)
        ours = act(member, observations)
        for loaded in (whole.of(member.spec.spec_id), load(tmp_path, spec=member.spec)):
            np.testing.assert_array_equal(act(loaded, observations), ours)
            assert loaded.spec == member.spec
            assert not loaded.network.training
    save(tmp_path / "again", whole)
    for name in ("weights.safetensors", DESCRIPTION_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_member_is_kept_as_a_policy_of_one_body(
    joint: Policy, tmp_path: Path, observations_of: ObservationsOf
) -> None:
    member = joint.others[1]
    save(tmp_path, member)
    alone = load(tmp_path, spec=member.spec)
    assert alone.others == ()
    assert json.loads((tmp_path / DESCRIPTION_FILE).read_text())["others"] == []
    observations = observations_of(member.spec, 2)
    np.testing.assert_array_equal(act(alone, observations), act(member, observations))


def test_a_robot_of_an_unknown_body_refuses_it(joint: Policy, tmp_path: Path, small_spec: EmbodimentSpec) -> None:
    save(tmp_path, joint)
    with pytest.raises(WeightsRejected, match=r"embodiment.*numb"):
        load(tmp_path, spec=dataclasses.replace(small_spec, control_rate_hz=10.0))


def test_weights_of_fewer_bodies_are_refused(joint: Policy, tmp_path: Path) -> None:
    save(tmp_path, joint)
    path = tmp_path / DESCRIPTION_FILE
    description = json.loads(path.read_text())
    path.write_text(json.dumps(description | {"others": description["others"][:1]}))
    with pytest.raises(WeightsRejected, match="not this network"):
        load(tmp_path)


def test_fresh_weights_are_for_the_same_bodies(joint: Policy) -> None:
    fresh = joint.untrained()
    assert [other.spec for other in fresh.others] == [other.spec for other in joint.others]
    fresh.network.load_state_dict(joint.network.state_dict())
    for name, parameter in joint.network.named_parameters():
        assert torch.equal(dict(fresh.network.named_parameters())[name], parameter)
    assert fresh.others[0].network.expert.blocks is fresh.network.expert.blocks
