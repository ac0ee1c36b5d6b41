"""The distributional value function V(o, l) of RECAP (arXiv 2511.14759, section IV-A).

    min_phi E[ H(R_t, p_phi(V | o_t, l)) ],   V(o, l) = sum_b p(b) v(b),   201 bins over [-1, 0]

The target for a Monte-Carlo return R_t is a narrow Gaussian over the bins (HL-Gauss, arXiv 2403.03950):
our deviation, as the paper's hard bins learn slowly from few episodes (held-out ranking on the toy task
after 150 updates: .21 with the return on its nearest two bins, .40 smoothed). Its backbone is its own and small:
the policy's stem design with a few channels. The robot never carries it.
"""

import dataclasses
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from learner.advantage import Float64
from learner.experience import Int64
from policy.batch import ObservationBatch, frame_shape
from policy.encoder import Stem
from policy.errors import ConfigError
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Affine

LOWEST, HIGHEST = -1.0, 0.0
_SCORING_BATCH = 512
_MAX_TOKENS = 12
_MAX_TOUCH = 5.0


class Observations(Protocol):
    """Where the learner looks up what was seen; `learner/data.py` has the one over the replay buffer."""

    @property
    def spec(self) -> EmbodimentSpec:
        """The body all of it came from."""

    def observations(self, steps: Int64) -> ObservationBatch:
        """The observations of steps of the experience, in the order asked for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValueConfig:
    """Size and training of one value function."""

    num_bins: int = 201
    """Bins over [-1, 0]."""
    smoothing_bins: float = 4.0
    """Standard deviation of the target around the return, in bins."""
    width: int = 64
    """Hidden width."""
    stem_channels: int = 16
    """Feature channels of a camera stem."""
    num_keypoints: int = 8
    """Spatial-softmax keypoints per camera."""
    num_updates: int = 300
    """Gradient steps of one fit."""
    batch_size: int = 128
    """Steps per update."""
    learning_rate: float = 1e-3
    """Peak of a cosine schedule."""
    weight_decay: float = 1e-2
    """AdamW's; few episodes overfit quickly."""

    def __post_init__(self) -> None:
        for name in ("num_bins", "width", "stem_channels", "num_keypoints", "num_updates", "batch_size"):
            if getattr(self, name) < 2:
                raise ConfigError(f"{name} must be at least 2", value=getattr(self, name))
        if not self.smoothing_bins > 0:
            raise ConfigError("smoothing_bins must be above 0", value=self.smoothing_bins)


class ValueNetwork(nn.Module):
    """Observation and instruction to logits over return bins; carries its own input statistics."""

    def __init__(
        self, config: ValueConfig, spec: EmbodimentSpec, vocabulary: Vocabulary, state: Affine, tactile: Affine
    ) -> None:
        super().__init__()
        num_cameras, height, width, _ = frame_shape(spec)
        self.vocabulary, self.state, self.tactile = vocabulary, state, tactile
        self.words = nn.Embedding(vocabulary.num_tokens, config.width)
        self.stems = nn.ModuleList(
            Stem(height, width, config.stem_channels, config.num_keypoints, config.width) for _ in range(num_cameras)
        )
        num_seen = num_cameras * (2 * config.num_keypoints + config.width)
        num_inputs = num_seen + config.width + len(spec.state) + len(spec.tactile)
        self.head = nn.Sequential(
            nn.Linear(num_inputs, 2 * config.width),
            nn.LayerNorm(2 * config.width),
            nn.GELU(),
            nn.Linear(2 * config.width, config.width),
            nn.GELU(),
            nn.Linear(config.width, config.num_bins),
        )
        self.register_buffer("bins", torch.linspace(LOWEST, HIGHEST, config.num_bins), persistent=False)

    def forward(self, batch: ObservationBatch) -> Tensor:
        """Logits, float32[B, V]."""
        device = self.words.weight.device
        touch = np.clip(self.tactile.forward(batch.tactile), -_MAX_TOUCH, _MAX_TOUCH)
        tokens = self.vocabulary.encode(batch.instructions, _MAX_TOKENS)
        sentence = self.words(torch.from_numpy(tokens).to(device)).mean(dim=1)
        frames = torch.from_numpy(np.ascontiguousarray(batch.frames)).to(device)
        felt = [torch.from_numpy(part).to(device) for part in (self.state.forward(batch.state), touch)]
        seen = []
        for camera, stem in enumerate(self.stems):
            image_tokens, keypoints = stem(frames[:, camera], sentence)
            seen += [image_tokens.mean(dim=1), keypoints]
        logits: Tensor = self.head(torch.cat([*seen, sentence, *felt], dim=1))
        return logits

    def expectation(self, logits: Tensor) -> Tensor:
        """V = sum_b p(b) v(b), float32[B]."""
        return logits.softmax(dim=-1) @ self.get_buffer("bins")


def smoothed_bins(returns: Tensor, num_bins: int, smoothing_bins: float) -> Tensor:
    """Returns in [-1, 0] as distributions over bins, float32[B, V]: a Gaussian's mass in each bin."""
    width = (HIGHEST - LOWEST) / (num_bins - 1)
    edges = torch.linspace(LOWEST - width / 2, HIGHEST + width / 2, num_bins + 1, device=returns.device)
    below = torch.special.ndtr((edges - returns[:, None]) / (smoothing_bins * width))
    mass: Tensor = below[:, 1:] - below[:, :-1]
    return mass / mass.sum(dim=1, keepdim=True)


def fit(
    data: Observations, steps: Int64, return_to_go: Float64, config: ValueConfig, *, device: torch.device, seed: int
) -> tuple[ValueNetwork, float]:
    """Train a fresh value function on some steps; (network, mean loss of the last tenth of updates).

    Args:
        data: where the observations are.
        steps: int64[n], steps to learn from.
        return_to_go: float64[n], their normalised returns.
        config: size and training.
        device: where to train.
        seed: of weights and batches.
    """
    rng = np.random.default_rng(seed)
    sample = data.observations(rng.choice(steps, size=min(2048, len(steps)), replace=False))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ValueNetwork(
            config,
            data.spec,
            Vocabulary.of(set(sample.instructions)),
            Affine.fit(sample.state),
            Affine.fit(sample.tactile),
        ).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    losses = []
    for update in range(config.num_updates):
        decay = 0.5 * (1 + np.cos(np.pi * update / config.num_updates))
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * decay
        drawn = rng.integers(len(steps), size=config.batch_size)
        drawn_returns = torch.from_numpy(return_to_go[drawn]).float().to(device)
        target = smoothed_bins(drawn_returns, config.num_bins, config.smoothing_bins)
        loss = functional.cross_entropy(network(data.observations(steps[drawn])), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    network.eval()
    return network, float(np.mean(losses[-max(1, config.num_updates // 10) :]))


@torch.no_grad()
def score(network: ValueNetwork, data: Observations, steps: Int64) -> Float64:
    """V of some steps, float64[n], in their order."""
    parts = [np.zeros(0)]
    for first in range(0, len(steps), _SCORING_BATCH):
        logits = network(data.observations(steps[first : first + _SCORING_BATCH]))
        parts.append(network.expectation(logits).double().cpu().numpy())
    return np.concatenate(parts)
