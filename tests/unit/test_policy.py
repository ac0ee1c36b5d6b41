import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from policy.batch import ChunkBatch, Indicator, ObservationBatch
from policy.errors import ConfigError
from policy.flow import Guidance, Reference
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.spec import EmbodimentSpec

ObservationsOf = Callable[[EmbodimentSpec, int], ObservationBatch]


def sample(policy: Policy, observations: ObservationBatch, guidance: Guidance | None = None) -> np.ndarray:
    generator = torch.Generator().manual_seed(7)
    return policy.sample_chunks(observations, guidance=guidance or Guidance(), generator=generator)


def rows(batch: ObservationBatch, index: slice) -> ObservationBatch:
    return ObservationBatch(
        frames=batch.frames[index],
        state=batch.state[index],
        tactile=batch.tactile[index],
        instructions=batch.instructions[index],
    )


def chunks(policy: Policy, observations: ObservationBatch, indicator: Indicator) -> ChunkBatch:
    shape = (len(observations), policy.config.horizon)
    actions = np.random.default_rng(1).normal(size=(*shape, len(policy.spec.action))).astype(np.float32)
    return ChunkBatch(
        observations=observations,
        actions=actions,
        action_mask=np.ones(shape, np.bool_),
        indicator=np.full(shape[0], int(indicator)),
        goal=observations.state + 1,
        goal_mask=np.ones(shape[0], np.bool_),
    )


def loss(policy: Policy, batch: ChunkBatch) -> torch.Tensor:
    return policy.training_loss(batch, generator=torch.Generator().manual_seed(3))


def test_chunks_are_in_robot_units_and_within_limits(small_policy: Policy, observations_of: ObservationsOf) -> None:
    spec = small_policy.spec
    sampled = sample(small_policy, observations_of(spec, 5))
    assert sampled.shape == (5, 4, 2)
    assert sampled.dtype == np.float32
    assert (sampled >= spec.action_low).all()
    assert (sampled <= spec.action_high).all()


def test_the_same_generator_state_gives_the_same_chunks(small_policy: Policy, observations_of: ObservationsOf) -> None:
    observations = observations_of(small_policy.spec, 3)
    np.testing.assert_array_equal(sample(small_policy, observations), sample(small_policy, observations))


def test_a_robot_is_not_moved_by_its_neighbours(small_policy: Policy, observations_of: ObservationsOf) -> None:
    observations = observations_of(small_policy.spec, 6)
    alone = sample(small_policy, rows(observations, slice(0, 2)))
    together = sample(small_policy, observations)
    np.testing.assert_allclose(together[:2], alone, atol=1e-5)


def test_guidance_of_one_is_the_positive_policy(small_policy: Policy, observations_of: ObservationsOf) -> None:
    observations = observations_of(small_policy.spec, 3)
    plain = sample(small_policy, observations)
    for reference in (Reference.NULL, Reference.NEGATIVE):
        np.testing.assert_array_equal(
            sample(small_policy, observations, Guidance(reference=reference, scale=1.0)), plain
        )
    guided = sample(small_policy, observations, Guidance(reference=Reference.NEGATIVE, scale=2.0))
    assert not np.array_equal(guided, plain)


@pytest.mark.parametrize("sense", ["frames", "state", "tactile", "instructions"])
def test_every_sense_moves_the_chunk(small_policy: Policy, observations_of: ObservationsOf, sense: str) -> None:
    observations = observations_of(small_policy.spec, 2)
    # A fresh FiLM layer is the identity; a trained one is not.
    torch.manual_seed(1)
    for name, parameter in small_policy.network.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(parameter)
    changed = {
        "frames": dataclasses.replace(observations, frames=255 - observations.frames),
        "state": dataclasses.replace(observations, state=observations.state + 1),
        "tactile": dataclasses.replace(observations, tactile=observations.tactile + 1),
        "instructions": dataclasses.replace(observations, instructions=["plug the red"] * 2),
    }
    other = changed[sense]
    assert np.abs(sample(small_policy, other) - sample(small_policy, observations)).max() > 1e-4


def test_loss_is_per_sample_and_knows_the_indicator(small_policy: Policy, observations_of: ObservationsOf) -> None:
    observations = observations_of(small_policy.spec, 5)
    losses = [loss(small_policy, chunks(small_policy, observations, i)) for i in Indicator]
    assert losses[0].shape == (5,)
    assert len({each.sum().item() for each in losses}) == 3


def test_a_sample_without_targets_teaches_nothing(small_policy: Policy, observations_of: ObservationsOf) -> None:
    batch = chunks(small_policy, observations_of(small_policy.spec, 3), Indicator.POSITIVE)
    batch.action_mask[1] = batch.goal_mask[1] = False
    assert loss(small_policy, batch)[1] == 0


def test_a_goal_alone_teaches_the_encoder_and_imitates_nothing(
    small_policy: Policy, observations_of: ObservationsOf
) -> None:
    batch = chunks(small_policy, observations_of(small_policy.spec, 3), Indicator.POSITIVE)
    batch.action_mask[:] = False
    loss(small_policy, batch).mean().backward()  # type: ignore[no-untyped-call]
    moved = {n for n, p in small_policy.network.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert {name.partition(".")[0] for name in moved} == {"encoder", "goal"}


def test_a_goal_that_nobody_knows_changes_nothing(small_policy: Policy, observations_of: ObservationsOf) -> None:
    batch = chunks(small_policy, observations_of(small_policy.spec, 3), Indicator.POSITIVE)
    batch.goal_mask[:] = False
    flow = small_policy.flow_loss(batch, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(loss(small_policy, batch), flow, rtol=0, atol=0)


def test_the_chunk_goes_by_the_goal(small_policy: Policy, observations_of: ObservationsOf) -> None:
    observations = observations_of(small_policy.spec, 2)
    before = sample(small_policy, observations)
    with torch.no_grad():
        dict(small_policy.network.named_parameters())["goal.2.bias"].add_(1)
    assert np.abs(sample(small_policy, observations) - before).max() > 1e-4


def test_loss_falls_and_every_weight_is_trained(small_policy: Policy, observations_of: ObservationsOf) -> None:
    batch = chunks(small_policy, observations_of(small_policy.spec, 8), Indicator.POSITIVE)
    batch.indicator[:3] = np.arange(3)
    optimizer = torch.optim.Adam(small_policy.network.parameters(), lr=1e-2)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        value = loss(small_policy, batch).mean()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.7 * values[0]
    # `key` biases shift all attention logits alike, so they have no gradient.
    untrained = [
        name
        for name, parameter in small_policy.network.named_parameters()
        if (parameter.grad is None or not parameter.grad.abs().max() > 0) and not name.endswith("key.bias")
    ]
    assert untrained == []


def test_a_body_without_cameras_touch_or_state_is_driven(
    small_spec: EmbodimentSpec,
    policy_of: Callable[[EmbodimentSpec], Policy],
    observations_of: ObservationsOf,
) -> None:
    blind = dataclasses.replace(small_spec, cameras=(), tactile=(), state=())
    policy = policy_of(blind)
    observations = observations_of(blind, 2)
    observations.check(blind)
    assert sample(policy, observations).shape == (2, 4, 2)


def test_sizes_that_cannot_be_are_settings_to_mend() -> None:
    with pytest.raises(ConfigError, match="num_heads"):
        PolicyConfig(width=128, num_heads=3)
    with pytest.raises(ConfigError, match="at least 1"):
        PolicyConfig(horizon=0)


def test_several_chunks_of_one_observation_are_those_of_the_observation_repeated(
    policy_of: Callable[[EmbodimentSpec], Policy],
    observations_of: Callable[[EmbodimentSpec, int], ObservationBatch],
    small_spec: EmbodimentSpec,
) -> None:
    policy, batch, rows = policy_of(small_spec), observations_of(small_spec, 2), np.array([0, 1, 1, 1])
    repeated = ObservationBatch(
        frames=batch.frames[rows],
        state=batch.state[rows],
        tactile=batch.tactile[rows],
        instructions=[batch.instructions[row] for row in rows],
    )
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((4, policy.config.horizon, len(small_spec.action)), np.float32)
    ours = policy.sample_chunks(batch, guidance=Guidance(), noise=noise, rows=rows)
    theirs = policy.sample_chunks(repeated, guidance=Guidance(), noise=noise)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert not np.allclose(ours[1], ours[2])
