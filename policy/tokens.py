"""Instructions as token ids, from a word list that the checkpoint carries.

A word that the list does not hold becomes `UNKNOWN`: a policy never guesses a meaning from a hash
collision. Numbers and words are tokens, case and punctuation are not.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

PAD = 0
UNKNOWN = 1
_NUM_RESERVED = 2
_WORD = re.compile(r"\w+")


class Vocabulary:
    """Words that a policy knows, in a fixed order."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: index + _NUM_RESERVED for index, word in enumerate(self.words)}
        if len(self._ids) != len(self.words):
            raise ValueError("a vocabulary holds each word once")

    @classmethod
    def of(cls, instructions: Iterable[str]) -> "Vocabulary":
        """All words of some instructions, sorted, so that the same data gives the same ids."""
        return cls(sorted({word for text in instructions for word in split(text)}))

    @property
    def num_tokens(self) -> int:
        """Number of distinct ids, padding and unknown included."""
        return len(self.words) + _NUM_RESERVED

    def encode(self, instructions: Sequence[str], max_tokens: int) -> NDArray[np.int64]:
        """int64[B, max_tokens], padded at the end; words past `max_tokens` are not read."""
        ids = np.full((len(instructions), max_tokens), PAD, np.int64)
        for row, text in enumerate(instructions):
            known = [self._ids.get(word, UNKNOWN) for word in split(text)[:max_tokens]]
            ids[row, : len(known)] = known
        return ids


def split(instruction: str) -> list[str]:
    """Lower-case words of an instruction."""
    return _WORD.findall(instruction.lower())
