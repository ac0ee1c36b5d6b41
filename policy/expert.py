"""The action expert: noisy chunk, time, touch and indicator to a velocity.

Its own sequence is [indicator, touch, grounding, a_1 .. a_H]; it reads the prefix by cross-attention.
Touch enters here directly, not through the vision-language prefix (Rho-alpha), and so does the
improvement indicator, which can therefore move action likelihoods and nothing else (RECAP), and be
changed without encoding the prefix again.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from policy.batch import Indicator
from policy.encoder import Block

_NUM_CONTEXT = 3
_MAX_PERIOD = 4.0
_MIN_PERIOD = 4e-3
"""Periods of the sinusoids that embed flow time in [0, 1]."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What the expert reads: computed once per observation, used in every flow step."""

    memory: tuple[tuple[Tensor, Tensor], ...]
    """Keys and values of the prefix, per layer."""
    touch_BD: Tensor
    grounding_BD: Tensor
    ahead_BS: Tensor
    """How far the state will have moved when the work has ended well, model units: what the encoder believes."""

    def take(self, rows: Tensor) -> "Context":
        """The context of some rows, in this order; a row may come several times."""
        return Context(
            memory=tuple((keys[rows], values[rows]) for keys, values in self.memory),
            touch_BD=self.touch_BD[rows],
            grounding_BD=self.grounding_BD[rows],
            ahead_BS=self.ahead_BS[rows],
        )


class ActionExpert(nn.Module):
    """Velocity of the flow at (chunk, time), given context and indicator."""

    def __init__(
        self,
        *,
        horizon: int,
        num_actions: int,
        num_tactile: int,
        width: int,
        num_heads: int,
        num_layers: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.touch = nn.Sequential(nn.Linear(num_tactile, width), nn.ReLU(), nn.Linear(width, width))
        self.indicator = nn.Embedding(len(Indicator), width)
        self.action_in = nn.Linear(num_actions, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.position = nn.Parameter(0.02 * torch.randn(_NUM_CONTEXT + horizon, width))
        self.blocks = nn.ModuleList(Block(width, num_heads, hidden, reads_memory=True) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.action_out = nn.Linear(width, num_actions)
        self._width = width

    @property
    def _layers(self) -> Iterable[Block]:
        return cast("Iterable[Block]", self.blocks)

    def share(self, trunk: "ActionExpert") -> None:
        """Use another body's parts for all but touch and actions."""
        self.indicator, self.time, self.position = trunk.indicator, trunk.time, trunk.position
        self.blocks, self.norm = trunk.blocks, trunk.norm

    def read(self, prefix_BND: Tensor, grounding_BD: Tensor, tactile_BT: Tensor, ahead_BS: Tensor) -> Context:
        """Everything that does not change from one flow step to the next."""
        memory = tuple(block.read(prefix_BND) for block in self._layers)
        touch_BD = self.touch(tactile_BT)
        return Context(memory=memory, touch_BD=touch_BD, grounding_BD=grounding_BD, ahead_BS=ahead_BS)

    def forward(self, context: Context, chunk_BHA: Tensor, time_B: Tensor, indicator_B: Tensor) -> Tensor:
        """Velocity [B * copies, H, A] in model units; copies of one observation lie next to each other."""
        copies = len(chunk_BHA) // len(context.touch_BD)
        actions_BHD = self.action_in(chunk_BHA) + self.time(_sinusoids(time_B, self._width))[:, None]
        felt_BD, grounding_BD = (
            part.repeat_interleave(copies, dim=0) for part in (context.touch_BD, context.grounding_BD)
        )
        leading = torch.stack([self.indicator(indicator_B), felt_BD, grounding_BD], dim=1)
        x = torch.cat([leading, actions_BHD], dim=1) + self.position
        for block, memory in zip(self._layers, context.memory, strict=True):
            x = block(x, memory)
        velocity: Tensor = self.action_out(self.norm(x[:, _NUM_CONTEXT:]))
        return velocity


def _sinusoids(time_B: Tensor, width: int) -> Tensor:
    periods = torch.logspace(math.log10(_MIN_PERIOD), math.log10(_MAX_PERIOD), width // 2, device=time_B.device)
    angles = 2 * math.pi * time_B[:, None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=1)
