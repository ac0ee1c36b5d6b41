"""Word pieces with pretrained vectors: what is near, what is read, and what is said when they are missing."""

import socket
import sys
from typing import Any

import numpy as np
import pytest

from policy import word_pieces
from policy.errors import ConfigError
from policy.tokens import PAD
from policy.word_pieces import WordPieces, installed


def likeness(pieces: WordPieces, first: str, second: str) -> float:
    a, b = (pieces.vectors[pieces.encode([text], 8)[0]].astype(np.float64).sum(axis=0) for text in (first, second))
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("rotate", "turn", "press"), ("push", "press", "slide"), ("4", "four", "two"), ("azure", "blue", "red")],
)
def test_what_means_the_same_lies_near(word: str, near: str, far: str) -> None:
    assert likeness(installed(), word, near) > likeness(installed(), word, far) + 0.1


def test_case_and_punctuation_are_not_read_and_the_rest_is_padding() -> None:
    ids = installed().encode(["Turn the knob!", "turn the knob"], 8)
    np.testing.assert_array_equal(ids[0], ids[1])
    assert (ids[0, :3] != PAD).all()
    assert ids[0, -1] == PAD
    assert not installed().vectors[PAD].any()
    np.testing.assert_array_equal(installed().encode(["turn the knob"], 2), ids[:1, :2])


def test_they_come_from_the_package_and_from_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("reaches for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    assert installed.__wrapped__().sha256 == installed().sha256
    assert "wordllama" not in sys.modules, "its import takes most of a second"


@pytest.mark.parametrize(("name", "value"), [("PACKAGE", "no-such-package"), ("_TABLE", "no-such-file")])
def test_without_the_package_the_setting_to_change_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(word_pieces, name, value)
    with pytest.raises(ConfigError, match=r"policy\.words = learned"):
        installed.__wrapped__()
