"""Pieces of words with pretrained vectors, so that words which no policy was trained on mean something.

"rotate the dial" comes to lie near "turn the knob", because the vectors were trained on much text.
They are those that the package `wordllama` ships inside its wheel. Its files are read as files: its own
loader would look for the tokenizer in the wrong folder, and then download it.
"""

import functools
import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors

from policy.errors import ConfigError
from policy.tokens import PAD, split

PACKAGE = "wordllama"
_TABLE = "wordllama/weights/l2_supercat_256.safetensors"
_TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"


class WordPieces:
    """A tokenizer and the vector of each of its tokens; the same files give the same meaning."""

    def __init__(self, table: bytes, tokenizer: bytes) -> None:
        from tokenizers import Tokenizer

        self.sha256 = hashlib.sha256(table + tokenizer).hexdigest()
        (vectors,) = load_tensors(table).values()
        vectors[PAD] = 0  # the id of "unknown", which this tokenizer never gives
        self.vectors: NDArray[np.float16] = vectors
        """float16[V, E]; frequent words that say little have short ones."""
        self._tokenizer = Tokenizer.from_buffer(tokenizer)
        self._ids = functools.lru_cache(maxsize=10_000)(self._encode)

    def encode(self, instructions: Sequence[str], max_tokens: int) -> NDArray[np.int64]:
        """int64[B, max_tokens], padded at the end; pieces past `max_tokens` are not read."""
        ids = np.full((len(instructions), max_tokens), PAD, np.int64)
        for row, text in enumerate(instructions):
            pieces = self._ids(text)[:max_tokens]
            ids[row, : len(pieces)] = pieces
        return ids

    def _encode(self, instruction: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(" ".join(split(instruction)), add_special_tokens=False).ids)


@functools.cache
def installed() -> WordPieces:
    """Those of the installed package, read once.

    Raises:
        ConfigError: it is not installed, or another release of it that holds other files.
    """
    try:
        table, tokenizer = (
            Path(str(metadata.distribution(PACKAGE).locate_file(name))).read_bytes() for name in (_TABLE, _TOKENIZER)
        )
    except (metadata.PackageNotFoundError, OSError) as error:
        raise ConfigError(
            f"pretrained words need the package {PACKAGE}; install it, or train with policy.words = learned",
            cause=str(error),
        ) from error
    return WordPieces(table, tokenizer)
