import pytest

from policy.tokens import PAD, UNKNOWN, Vocabulary


def test_words_have_ids_of_their_own() -> None:
    vocabulary = Vocabulary.of(["insert the plug", "The red socket, please"])
    red, blue = vocabulary.encode(["Red plug", "blue plug!"], 4)
    assert red[0] >= 2
    assert blue[0] == UNKNOWN
    assert red[1] == blue[1]
    assert list(red[2:]) == [PAD, PAD]
    assert len({int(i) for i in vocabulary.encode([" ".join(vocabulary.words)], 9)[0]} - {PAD}) == 6


def test_same_data_gives_the_same_ids() -> None:
    texts = ["insert the plug", "open the drawer"]
    assert Vocabulary.of(texts).words == Vocabulary.of(reversed(texts)).words


def test_words_past_the_limit_are_not_read() -> None:
    vocabulary = Vocabulary(["a", "b"])
    assert vocabulary.encode(["a b b"], 2).tolist() == [[2, 3]]


def test_a_vocabulary_holds_each_word_once() -> None:
    with pytest.raises(ValueError, match="once"):
        Vocabulary(["a", "a"])
