import pytest
import torch
from torch import Tensor

from policy.batch import Indicator
from policy.errors import ConfigError
from policy.flow import Guidance, Reference, integrate, interpolate, masked_error


def conditioned(chunk: Tensor, time: Tensor, indicator: Indicator) -> Tensor:
    return torch.full_like(chunk, {0: -1.0, 1: 2.0, 2: 0.5}[int(indicator)])


def velocity(guidance: Guidance) -> float:
    return float(guidance.velocity(conditioned, torch.zeros(1, 2, 1), torch.zeros(1)).mean())


def test_path_runs_from_noise_to_action() -> None:
    noise, actions = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    chunk, target = interpolate(noise, actions, torch.tensor([0.0, 1.0, 0.25]))
    torch.testing.assert_close(chunk[0], noise[0])
    torch.testing.assert_close(chunk[1], actions[1])
    torch.testing.assert_close(chunk[2] + 0.75 * target[2], actions[2])


def test_the_true_velocity_has_no_error_and_leads_to_the_action() -> None:
    noise, actions = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    _, target = interpolate(noise, actions, torch.rand(3))
    assert masked_error(target, target, torch.ones(3, 4, dtype=torch.bool)).tolist() == [0, 0, 0]
    torch.testing.assert_close(integrate(lambda chunk, time: target, noise, 5), actions)


def test_the_sampler_starts_at_time_zero() -> None:
    times: list[float] = []

    def watched(chunk: Tensor, time: Tensor) -> Tensor:
        times.append(float(time[0]))
        return chunk

    integrate(watched, torch.zeros(1, 1, 1), 4)
    assert times == [0, 0.25, 0.5, 0.75]


def test_masked_actions_are_no_targets() -> None:
    target = torch.zeros(2, 3, 1)
    wrong = torch.tensor([[[0.0], [2.0], [9.0]], [[9.0], [9.0], [9.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_error(wrong, target, mask).tolist() == [2.0, 0.0]


def test_guidance_moves_away_from_its_reference() -> None:
    assert velocity(Guidance()) == 2.0
    assert velocity(Guidance(reference=Reference.NULL, scale=2.0)) == 0.5 + 2 * 1.5
    assert velocity(Guidance(reference=Reference.NEGATIVE, scale=2.0)) == -1 + 2 * 3.0
    assert velocity(Guidance(reference=Reference.NEGATIVE, scale=0.0)) == -1.0


@pytest.mark.parametrize("reference", list(Reference))
def test_guidance_of_one_is_the_positive_policy(reference: Reference) -> None:
    assert velocity(Guidance(reference=reference, scale=1.0)) == 2.0


def test_a_scale_out_of_range_is_a_setting_to_mend() -> None:
    with pytest.raises(ConfigError, match="scale"):
        Guidance(scale=-1.0)
