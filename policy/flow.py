"""Flow matching: the training target, the sampler, and guidance.

Time runs from 0 (noise) to 1 (action); pi0's paper does the same, its code the reverse. The path is
straight, x_t = (1 - t) noise + t action, so the velocity to learn is action - noise
(arXiv 2210.02747, with sigma_min = 0).
"""

import dataclasses
import enum
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from policy.batch import Indicator
from policy.errors import ConfigError

Velocity = Callable[[Tensor, Tensor, Indicator], Tensor]
"""(chunk [B, H, A], time [B], indicator) -> velocity [B, H, A]."""


class Reference(enum.StrEnum):
    """What guidance moves away from."""

    NONE = "none"
    """Act on the positive indicator alone."""
    NULL = "null"
    """Published: away from the policy that is not told."""
    NEGATIVE = "negative"
    """Away from what the critic found worse; ours, see learner/README.md."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guidance:
    """How the improvement indicator is used when acting."""

    reference: Reference = Reference.NONE
    """none, null or negative."""
    scale: float = 1.0
    """w in v_ref + w (v_pos - v_ref); 1 is the positive policy itself, 1.5 to 2.5 are usual."""

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> "Guidance":
        """A version's own, as its learner wrote it; the plain positive policy where it wrote none."""
        return cls(
            reference=Reference(tags.get("guidance_reference", cls.reference)),
            scale=float(tags.get("guidance_scale", cls.scale)),
        )

    def __post_init__(self) -> None:
        if not 0 <= self.scale <= 10:
            raise ConfigError("guidance scale must lie in [0, 10]", scale=self.scale)

    def velocity(self, velocity: Velocity, chunk: Tensor, time: Tensor) -> Tensor:
        """v_ref + w (v_pos - v_ref): equation of section V-C in arXiv 2511.14759, on velocities.

        Our deviation: the reference may be the negative condition in place of the unconditional one.
        """
        positive = velocity(chunk, time, Indicator.POSITIVE)
        if self.reference is Reference.NONE or self.scale == 1:
            return positive
        apart = Indicator.NULL if self.reference is Reference.NULL else Indicator.NEGATIVE
        reference = velocity(chunk, time, apart)
        return reference + self.scale * (positive - reference)


def interpolate(noise: Tensor, actions: Tensor, time_B: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy chunk x_t and the velocity target, both [B, H, A]."""
    time = time_B[:, None, None]
    return (1 - time) * noise + time * actions, actions - noise


def masked_error(velocity: Tensor, target: Tensor, action_mask_BH: Tensor) -> Tensor:
    """Mean squared error per sample [B] over the actions that count; 0 where none does."""
    error_BH = (velocity - target).square().mean(dim=-1)
    mask = action_mask_BH.to(error_BH.dtype)
    return (error_BH * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def integrate(velocity: Callable[[Tensor, Tensor], Tensor], noise: Tensor, num_steps: int) -> Tensor:
    """Euler from noise at time 0 to actions at time 1."""
    chunk = noise
    for step in range(num_steps):
        time = torch.full((len(noise),), step / num_steps, device=noise.device)
        chunk = chunk + velocity(chunk, time) / num_steps
    return chunk
