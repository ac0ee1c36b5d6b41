"""From frames, words, state and touch to tokens: the prefix, and the grounding vector.

What a small network needs to find a named thing to a fraction of a millimetre (measured, see
design.md section 7): the instruction modulates the image stems (FiLM, arXiv 1709.07871), spatial
softmax (arXiv 1504.00702) turns feature maps into coordinates, and one vector fuses the coordinates
with state and touch. A stem starts with a patchify convolution, which costs little on a CPU.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from policy.errors import SchemaError

_PATCH = 4
"""Pixels per side of a stem patch."""
_POOL = 2
"""Stem patches per side that are averaged before image tokens are made of them: keypoints carry the
precise places, tokens the rest, so few will do."""
_TOKEN_PIXELS = _PATCH * _POOL * 4
"""Pixels per side of an image token."""


class Block(nn.Module):
    """Pre-norm transformer block: self-attention, then cross-attention if there is a memory, then MLP."""

    def __init__(self, width: int, num_heads: int, hidden: int, *, reads_memory: bool = False) -> None:
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(width), Attention(width, num_heads)
        self.reads_memory = reads_memory
        if reads_memory:
            self.memory_norm, self.memory_attention = nn.LayerNorm(width), Attention(width, num_heads)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` takes as memory: keys and values of a source [B, N, D]."""
        return self.memory_attention.keys_values(source)

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """[B, N, D] to [B, N, D]; or [B * copies, N, D], copies adjacent, reading the memory of B rows."""
        normed = self.self_norm(x)
        x = x + self.self_attention(normed, self.self_attention.keys_values(normed))
        if self.reads_memory:
            assert memory is not None
            # Copies of one observation lie next to each other and read its memory as one long row,
            # which costs nothing; repeating the memory doubled the time of an update.
            rows = self.memory_norm(x).reshape(len(memory[0]), -1, x.shape[-1])
            x = x + self.memory_attention(rows, memory).view_as(x)
        changed: Tensor = x + self.mlp(x)
        return changed


class Attention(nn.Module):
    """Multi-head attention whose keys and values can be computed once and read many times."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, N, D / heads] of a source [B, N, D]."""
        return self._heads(self.key(source)), self._heads(self.value(source))

    def forward(self, x: Tensor, keys_values: tuple[Tensor, Tensor]) -> Tensor:
        """[B, N, D] to [B, N, D]."""
        mixed = functional.scaled_dot_product_attention(self._heads(self.query(x)), *keys_values)
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.num_heads, -1).transpose(1, 2)


class Stem(nn.Module):
    """One camera: frames and a sentence vector to image tokens and keypoints."""

    def __init__(self, height: int, width: int, channels: int, num_keypoints: int, token_width: int) -> None:
        super().__init__()
        if min(height, width) < _TOKEN_PIXELS:
            raise SchemaError("frames are too small", height=height, width=width, smallest=_TOKEN_PIXELS)
        self.size = height, width
        rows, columns = height // _PATCH, width // _PATCH
        self.patches = nn.Conv2d(3, channels, _PATCH, stride=_PATCH)
        self.mix = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = nn.Linear(token_width, 4 * channels)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.heat = nn.Conv2d(channels, num_keypoints, 1)
        self.tokens = nn.Sequential(nn.AvgPool2d(_POOL), nn.Conv2d(channels, token_width, 4, stride=4))
        num_tokens = (height // _TOKEN_PIXELS) * (width // _TOKEN_PIXELS)
        self.position = nn.Parameter(0.02 * torch.randn(num_tokens, token_width))
        grid = torch.meshgrid(torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij")
        self.register_buffer("grid_2HW", torch.stack(grid).flatten(1), persistent=False)

    def forward(self, frames: Tensor, sentence_BD: Tensor) -> tuple[Tensor, Tensor]:
        """uint8[B, height, width, 3] to tokens [B, n, D] and keypoints [B, 2 K] in [-1, 1]."""
        scale_1, shift_1, scale_2, shift_2 = self.film(sentence_BD)[:, :, None, None].chunk(4, dim=1)
        x = frames.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        x = functional.relu(self.patches(x) * (1 + scale_1) + shift_1)
        x = functional.relu(self.mix(x) * (1 + scale_2) + shift_2)
        heat_BKP = self.heat(x).flatten(2).softmax(dim=-1)
        grid_2P = self.get_buffer("grid_2HW")
        keypoints = (heat_BKP @ grid_2P.T).flatten(1)
        return self.tokens(x).flatten(2).transpose(1, 2) + self.position, keypoints


def num_stem_weights(
    frame_shape: tuple[int, int, int, int], channels: int, num_keypoints: int, token_width: int
) -> int:
    """How many weights the stems of a body's cameras have at least, its number and size of pictures included."""
    num_cameras, height, width, _ = frame_shape
    num_tokens = (height // _TOKEN_PIXELS) * (width // _TOKEN_PIXELS)
    # Convolutions of 3 x 3, 1 x 1 and 4 x 4 pixels, FiLM's two scales and shifts, and a position for each token.
    return num_cameras * (channels * (9 * channels + num_keypoints + 20 * token_width) + num_tokens * token_width)


class PretrainedWords(nn.Module):
    """A frozen vector per token, projected: of language itself nothing is learned, so that new words fit in."""

    def __init__(self, vectors: NDArray[np.float16], width: int) -> None:
        super().__init__()
        # Not in the checkpoint, which names the table instead; one copy serves all policies of a process.
        self.register_buffer("vectors_VE", torch.from_numpy(vectors), persistent=False)
        self.project = nn.Linear(vectors.shape[1], width)

    def forward(self, tokens_BL: Tensor) -> Tensor:
        """Ids [B, L] to [B, L, D]."""
        projected: Tensor = self.project(self.get_buffer("vectors_VE")[tokens_BL].float())
        return projected


class PrefixEncoder(nn.Module):
    """Frames, words and state to the prefix; touch joins in the grounding vector only.

    The grounding vector and touch go to the action expert directly (as touch does in Rho-alpha); the
    prefix is the vision-language-state context that the expert reads.
    """

    def __init__(
        self,
        *,
        frame_shape: tuple[int, int, int, int],
        num_state: int,
        num_tactile: int,
        words: nn.Module,
        max_tokens: int,
        width: int,
        num_heads: int,
        num_layers: int,
        hidden: int,
        stem_channels: int,
        num_keypoints: int,
    ) -> None:
        super().__init__()
        num_cameras, height, frame_width, _ = frame_shape
        self.words = words
        self.word_position = nn.Parameter(0.02 * torch.randn(max_tokens, width))
        self.stems = nn.ModuleList(
            Stem(height, frame_width, stem_channels, num_keypoints, width) for _ in range(num_cameras)
        )
        num_fused = num_cameras * 2 * num_keypoints + num_state + num_tactile
        self.state = nn.Linear(num_state, width)
        self.ground = nn.Sequential(nn.Linear(num_fused + width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.blocks = nn.ModuleList(Block(width, num_heads, hidden) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)

    def share(self, trunk: "PrefixEncoder") -> None:
        """Use another body's words and blocks, and its stems where a camera of the same number sees as many pixels."""
        self.words, self.word_position = trunk.words, trunk.word_position
        self.blocks, self.norm = trunk.blocks, trunk.norm
        for index, (own, theirs) in enumerate(zip(self.stems, trunk.stems, strict=False)):
            if own.size == theirs.size:
                self.stems[index] = theirs

    def forward(self, frames: Tensor, tokens_BL: Tensor, state_BS: Tensor, tactile_BT: Tensor) -> tuple[Tensor, Tensor]:
        """uint8[B, C, height, width, 3], ids, model units -> prefix [B, N, D], grounding [B, D]."""
        words_BLD = self.words(tokens_BL) + self.word_position
        sentence_BD = words_BLD.mean(dim=1)
        parts, keypoints = [words_BLD, self.state(state_BS)[:, None]], []
        for index, stem in enumerate(self.stems):
            image_tokens, points = stem(frames[:, index], sentence_BD)
            parts.append(image_tokens)
            keypoints.append(points)
        grounding_BD = self.ground(torch.cat([*keypoints, state_BS, tactile_BT, sentence_BD], dim=1))
        x = torch.cat([*parts, grounding_BD[:, None]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x), grounding_BD
