"""The policy: numpy observations in, action chunks in the robot's units out.

The actor calls `sample_chunks`, the learner `training_loss`; both go through the same transforms and the
same network, so that there is no difference between training and serving.

One policy may drive several bodies. It is then the policy of its first body, and of each other body it has a
policy that shares its trunk: `policy.of(spec_id)` acts, is measured and is saved like any other.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from policy.batch import ChunkBatch, Indicator, MixedBatch, ObservationBatch
from policy.errors import ConfigError, SchemaError
from policy.expert import Context
from policy.flow import Guidance, integrate, interpolate, masked_error
from policy.network import PolicyConfig, PolicyNetwork, Words
from policy.schema import Float32
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from policy.word_pieces import installed

_GOAL_BETA = 0.05
"""Model units (about 2 mm of a plug): below it misses of a goal count squared, above it by their size."""
_MAX_TOUCH = 5.0
"""Model units; contact forces have long tails, and a spike must not drown the other inputs."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """A body as a policy knows it."""

    spec: EmbodimentSpec
    normaliser: Normaliser
    """Statistics of this body's data alone."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """Weights and all that is needed to use them: what a checkpoint holds."""

    config: PolicyConfig
    spec: EmbodimentSpec
    vocabulary: Vocabulary
    """Words that it was trained on."""
    normaliser: Normaliser
    network: PolicyNetwork
    others: "tuple[Policy, ...]" = ()
    """Of the other bodies; they share this one's trunk, and their networks are part of its network."""

    @classmethod
    def create(
        cls,
        config: PolicyConfig,
        spec: EmbodimentSpec,
        vocabulary: Vocabulary,
        normaliser: Normaliser,
        others: Sequence[Body] = (),
    ) -> "Policy":
        """Untrained weights, from torch's global generator.

        Raises:
            ConfigError: a body comes twice.
        """
        ids = [spec.spec_id, *(body.spec.spec_id for body in others)]
        if len(set(ids)) < len(ids):
            raise ConfigError("a policy drives each body once", specs=ids)
        network = PolicyNetwork(config, spec, vocabulary.num_tokens)
        members = tuple(cls.create(config, body.spec, vocabulary, body.normaliser) for body in others)
        for member in members:
            network.adopt(member.network)
        return cls(
            config=config, spec=spec, vocabulary=vocabulary, normaliser=normaliser, network=network, others=members
        )

    def untrained(self) -> "Policy":
        """The same policy with fresh weights, from torch's global generator."""
        others = [Body(spec=other.spec, normaliser=other.normaliser) for other in self.others]
        return Policy.create(self.config, self.spec, self.vocabulary, self.normaliser, others)

    def of(self, spec_id: str) -> "Policy":
        """The policy of one of its bodies.

        Raises:
            SchemaError: it was not trained for such a body.
        """
        members = (self, *self.others)
        for member in members:
            if member.spec.spec_id == spec_id:
                return member
        known = ", ".join(f"{member.spec.name} ({member.spec.spec_id})" for member in members)
        raise SchemaError(f"no policy for this embodiment; there is one for {known}", spec_id=spec_id)

    @property
    def device(self) -> torch.device:
        """Where the weights are; move them with `policy.network.to(device)`."""
        return next(self.network.parameters()).device

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def encode(self, observations: ObservationBatch) -> Context:
        """What the action expert reads, once per observation."""
        touch = np.clip(self.normaliser.tactile.forward(observations.tactile), -_MAX_TOUCH, _MAX_TOUCH)
        tokens = installed() if self.config.words is Words.PRETRAINED else self.vocabulary
        return self.network.encode(
            self._tensor(observations.frames),
            self._tensor(tokens.encode(observations.instructions, self.config.max_tokens)),
            self._tensor(_with_channel(self.normaliser.state.forward(observations.state))),
            self._tensor(_with_channel(touch)),
        )

    @torch.no_grad()
    def sample_chunks(
        self,
        observations: ObservationBatch,
        *,
        guidance: Guidance,
        generator: torch.Generator | None = None,
        noise: Float32 | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> Float32:
        """float32[B, H, A] in the spec's units, within its limits.

        `generator` lives on the policy's device; the same generator state gives the same chunks.
        Who wants each row's chunk to depend on that row alone gives the `noise`, float32[B, H, A].
        Who wants several chunks of one observation names the observation of each, `rows` int64[R], and gets R
        chunks; each observation is encoded once.
        """
        context = self.encode(observations)
        if rows is not None:
            context = context.take(self._tensor(rows))
        shape = (len(observations) if rows is None else len(rows), self.config.horizon, len(self.spec.action))
        start = torch.randn(shape, generator=generator, device=self.device) if noise is None else self._tensor(noise)

        def conditioned(chunk: Tensor, time: Tensor, indicator: Indicator) -> Tensor:
            column = torch.full((len(chunk),), int(indicator), device=chunk.device)
            return self.network.velocity(context, chunk, time, column)

        def velocity(chunk: Tensor, time: Tensor) -> Tensor:
            return guidance.velocity(conditioned, chunk, time)

        chunk = integrate(velocity, start, self.config.num_flow_steps)
        actions = self.normaliser.action.inverse(chunk.cpu().numpy())
        return np.clip(actions, self.spec.action_low, self.spec.action_high)

    def flow_loss(self, batch: ChunkBatch | MixedBatch, *, generator: torch.Generator) -> Tensor:
        """Flow-matching loss per sample, [B]; several flow times share one encoding.

        The caller weighs and averages; RECAP's first term, the unconditional one, enters as samples
        whose indicator was dropped to NULL. Samples of several bodies go through the trunk body by body.

        Raises:
            SchemaError: samples of a body that this policy does not drive.
        """
        if isinstance(batch, MixedBatch):
            return self._by_body(batch, lambda policy, part: policy.flow_loss(part, generator=generator))
        return self._flow_loss(batch, self.encode(batch.observations), generator)

    def training_loss(self, batch: ChunkBatch | MixedBatch, *, generator: torch.Generator) -> Tensor:
        """What training lowers, per sample, [B]: the flow loss, and how far the goal misses where the work ended.

        The second is hindsight (as in HER, arXiv 1707.01495, but the policy is not told the goal: it has to see it):
        where the robot had to go is known once it has been there, whoever drove. Samples may have the one without the
        other: no goal is known, or the action is not to be imitated.

        Raises:
            SchemaError: samples of a body that this policy does not drive.
        """
        if isinstance(batch, MixedBatch):
            return self._by_body(batch, lambda policy, part: policy.training_loss(part, generator=generator))
        context = self.encode(batch.observations)
        return self._flow_loss(batch, context, generator) + self._goal_loss(batch, context)

    def _by_body(self, batch: MixedBatch, loss: Callable[["Policy", ChunkBatch], Tensor]) -> Tensor:
        losses = [loss(self.of(spec_id), part) for spec_id, part in batch.parts.items()]
        return torch.cat(losses)[self._tensor(batch.order)]

    def _flow_loss(self, batch: ChunkBatch, context: Context, generator: torch.Generator) -> Tensor:
        copies = self.config.num_flow_samples
        actions = self._tensor(self.normaliser.action.forward(batch.actions)).repeat_interleave(copies, dim=0)
        noise = torch.randn(actions.shape, generator=generator, device=self.device)
        time = torch.rand(len(actions), generator=generator, device=self.device)
        chunk, target = interpolate(noise, actions, time)
        indicator = self._tensor(batch.indicator).repeat_interleave(copies)
        velocity = self.network.velocity(context, chunk, time, indicator)
        mask = self._tensor(batch.action_mask).repeat_interleave(copies, dim=0)
        return masked_error(velocity, target, mask).view(-1, copies).mean(dim=1)

    def _goal_loss(self, batch: ChunkBatch, context: Context) -> Tensor:
        state = self.normaliser.state
        ahead = state.forward(batch.goal) - state.forward(batch.observations.state)
        missed = functional.smooth_l1_loss(
            context.ahead_BS, self._tensor(_with_channel(ahead)), beta=_GOAL_BETA, reduction="none"
        )
        return missed.mean(dim=1) * self._tensor(batch.goal_mask)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def _with_channel(values: Float32) -> Float32:
    """A zero column for a body without that sense, because a layer needs an input."""
    return values if values.shape[1] else np.zeros((len(values), 1), np.float32)
