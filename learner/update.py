"""One optimizer step on the policy: the update that the plain loop and the RLlib learner share."""

import dataclasses
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpdateConfig:
    """How weights are updated."""

    batch_size: int = 64
    """Samples per update."""
    num_shards: int = 1
    """Equal parts that a batch is dealt into, each with noise of its own: one per learner under RLlib;
    in the plain loop, gradient accumulation."""
    learning_rate: float = 3e-3
    """Peak, for the default small policy."""
    min_learning_rate_share: float = 0.05
    """Where the cosine schedule ends, of the peak."""
    warmup_updates: int = 30
    """Updates from zero to the peak."""
    weight_decay: float = 1e-4
    """AdamW's."""
    max_gradient_norm: float = 1.0
    """Gradients are clipped to it."""
    ema_decay: float = 0.99
    """Of the averaged weights, which are what is published; 0 publishes the last ones."""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or not self.learning_rate > 0 or not self.max_gradient_norm > 0:
            raise ConfigError("batch_size, learning_rate and max_gradient_norm must be above 0")
        if self.num_shards < 1 or self.batch_size % self.num_shards:
            raise ConfigError(
                "batch_size must be a multiple of num_shards", batch_size=self.batch_size, num_shards=self.num_shards
            )
        if not 0 <= self.ema_decay < 1:
            raise ConfigError("ema_decay must lie in [0, 1)", value=self.ema_decay)


def make_optimizer(parameters: Iterable[nn.Parameter], config: UpdateConfig) -> torch.optim.AdamW:
    """AdamW; its learning rate is set before every step."""
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def learning_rate(config: UpdateConfig, update: int, num_updates: int) -> float:
    """Warm-up, then a cosine to the minimum; `num_updates` 0 stays at the peak (continual training)."""
    warmup = min(1.0, (update + 1) / max(1, config.warmup_updates))
    if num_updates == 0:
        return config.learning_rate * warmup
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, update / num_updates)))
    floor = config.min_learning_rate_share
    return config.learning_rate * warmup * (floor + (1 - floor) * cosine)


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """For all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = value


def apply_gradients(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], config: UpdateConfig
) -> float:
    """Clip and step; returns the gradients' norm. A norm that is not finite changes nothing."""
    norm = float(nn.utils.clip_grad_norm_(parameters, config.max_gradient_norm))
    if math.isfinite(norm):
        optimizer.step()
    return norm


@torch.no_grad()
def average(ema: dict[str, Tensor], network: nn.Module, decay: float, num_updates: int) -> None:
    """Move averaged weights towards the network's, faster in the beginning."""
    early = min(decay, (1 + num_updates) / (10 + num_updates))
    for name, value in network.state_dict().items():
        ema[name].lerp_(value, 1 - early)
