r"""The VLA+ network: prefix encoder and action expert, sized by one config.

Model units everywhere; `policy.py` converts.

    frames ---> stems <--- FiLM --- words
                  |                   |
                  +--> prefix tokens <+-- state
                  |        |
        keypoints, state,  | read by cross-attention
        touch = grounding  v
           |      +----> action expert <---- touch, indicator, noisy chunk, time
           |               ^       |
           +--> goal ------+       v velocity

Several bodies: what takes in state and touch, and actions in and out, is each body's own; words, stems of cameras
that see as many pixels, and all transformer blocks are one for all.
"""

import dataclasses
import enum

from torch import Tensor, nn

from policy.batch import frame_shape
from policy.encoder import PrefixEncoder, PretrainedWords
from policy.errors import ConfigError
from policy.expert import ActionExpert, Context
from policy.spec import EmbodimentSpec
from policy.word_pieces import installed

_GOAL_GAIN = 4.0
"""On the distance to the goal: the last centimetre moves the expert too."""


class Words(enum.StrEnum):
    """How a policy comes to know what words mean."""

    PRETRAINED = "pretrained"
    """From a table made of much text; words that were in no instruction so far have a meaning too."""
    LEARNED = "learned"
    """From the fleet's own instructions alone; other words are all alike."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """Sizes of a policy; the defaults train on one CPU core."""

    horizon: int = 8
    """Actions predicted together."""
    width: int = 96
    """Token width D; a multiple of `num_heads` and of 2."""
    num_heads: int = 4
    """Attention heads."""
    num_prefix_layers: int = 1
    """Transformer blocks over the prefix."""
    num_expert_layers: int = 2
    """Transformer blocks of the action expert."""
    mlp_factor: int = 2
    """Hidden width of a block's MLP over its token width."""
    stem_channels: int = 24
    """Feature channels of a camera stem."""
    num_keypoints: int = 16
    """Spatial-softmax keypoints per camera."""
    words: Words = Words.PRETRAINED
    """pretrained or learned."""
    max_tokens: int = 16
    """Words read of an instruction; a rare word counts as two or three pretrained ones."""
    num_flow_steps: int = 5
    """Euler steps from noise to a chunk."""
    num_flow_samples: int = 2
    """Flow times drawn per observation in training; the prefix is encoded once for all of them."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name != "words" and getattr(self, field.name) < 1:
                raise ConfigError("a size must be at least 1", field=field.name)
        if self.width % self.num_heads or self.width % 2:
            raise ConfigError("width must be even and a multiple of num_heads", width=self.width)


class PolicyNetwork(nn.Module):
    """All weights of a policy; inputs and outputs in model units."""

    def __init__(self, config: PolicyConfig, spec: EmbodimentSpec, num_words: int) -> None:
        super().__init__()
        sizes = {"width": config.width, "num_heads": config.num_heads}
        hidden, num_state = config.width * config.mlp_factor, max(1, len(spec.state))
        self.encoder = PrefixEncoder(
            frame_shape=frame_shape(spec),
            num_state=num_state,
            num_tactile=max(1, len(spec.tactile)),
            words=PretrainedWords(installed().vectors, config.width)
            if config.words is Words.PRETRAINED
            else nn.Embedding(num_words, config.width),
            max_tokens=config.max_tokens,
            num_layers=config.num_prefix_layers,
            hidden=hidden,
            stem_channels=config.stem_channels,
            num_keypoints=config.num_keypoints,
            **sizes,
        )
        self.expert = ActionExpert(
            horizon=config.horizon,
            num_actions=len(spec.action),
            num_tactile=max(1, len(spec.tactile)),
            num_layers=config.num_expert_layers,
            hidden=hidden,
            **sizes,
        )
        self.goal = nn.Sequential(nn.Linear(config.width, config.width), nn.ReLU(), nn.Linear(config.width, num_state))
        self.goal_in = nn.Linear(num_state, config.width)
        self.others = nn.ModuleList()

    def adopt(self, other: "PolicyNetwork") -> None:
        """Give another body's network this one's trunk; it is trained, moved and kept with this one from now on."""
        other.encoder.share(self.encoder)
        other.expert.share(self.expert)
        self.others.append(other)

    def encode(self, frames: Tensor, tokens_BL: Tensor, state_BS: Tensor, tactile_BT: Tensor) -> Context:
        """Everything seen, read and felt, once per observation."""
        prefix_BND, grounding_BD = self.encoder(frames, tokens_BL, state_BS, tactile_BT)
        ahead_BS = self.goal(grounding_BD)
        return self.expert.read(prefix_BND, grounding_BD + self.goal_in(_GOAL_GAIN * ahead_BS), tactile_BT, ahead_BS)

    def velocity(self, context: Context, chunk_BHA: Tensor, time_B: Tensor, indicator_B: Tensor) -> Tensor:
        """Flow velocity [B, H, A] at a noisy chunk and time."""
        velocity: Tensor = self.expert(context, chunk_BHA, time_B, indicator_B)
        return velocity
