"""A policy that learned "turn the knob" is told to "spin the dial": no word is one that it was trained on."""

import dataclasses

import numpy as np
import torch

from learner.synthetic import toy_spec
from policy.batch import ChunkBatch, Indicator, ObservationBatch, frame_shape
from policy.flow import Guidance
from policy.network import PolicyConfig, Words
from policy.policy import Policy
from policy.schema import Float32
from policy.tokens import Vocabulary, split
from policy.transforms import Normaliser

TRAINED = (
    ("turn the knob", "twist the knob to the right", "please turn this knob"),
    ("press the button", "push the button", "push the button once"),
    ("flip the switch", "switch the light on", "switch it off"),
    ("move the slider", "shift the slider up", "pull the slider"),
)
HELD_OUT = (
    ("spin the dial", "rotate the dial", "rotate around"),
    ("hit the key", "tap the key", "click the key"),
    ("flick the lever", "toggle the lever", "set the toggle"),
    ("slide the bar", "slide the handle", "drag the bar"),
)
MOVES = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
"""The move that each of the four goals asks for."""
SPEC = dataclasses.replace(toy_spec(), cameras=())
HORIZON, BATCH, NUM_UPDATES = 4, 24, 90


def observe(rng: np.random.Generator, instructions: list[str]) -> ObservationBatch:
    count = len(instructions)
    return ObservationBatch(
        frames=np.zeros((count, *frame_shape(SPEC)), np.uint8),
        state=rng.normal(0, 0.5, (count, 2)).astype(np.float32),
        tactile=np.zeros((count, 1), np.float32),
        instructions=instructions,
    )


def trained(words: Words, seed: int = 0) -> Policy:
    """A small policy whose move depends on the instruction alone."""
    torch.manual_seed(seed)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    config = PolicyConfig(horizon=HORIZON, width=32, num_heads=2, num_flow_samples=1, words=words)
    normaliser = Normaliser.fit(
        state=rng.normal(0, 0.5, (64, 2)).astype(np.float32), tactile=np.zeros((64, 1), np.float32), action=MOVES
    )
    vocabulary = Vocabulary.of(text for texts in TRAINED for text in texts)
    policy = Policy.create(config, SPEC, vocabulary, normaliser)
    optimizer = torch.optim.AdamW(policy.network.parameters(), lr=2e-3)
    for _ in range(NUM_UPDATES):
        goals = rng.integers(len(TRAINED), size=BATCH)
        batch = ChunkBatch(
            observations=observe(rng, [TRAINED[goal][rng.integers(len(TRAINED[goal]))] for goal in goals]),
            actions=np.repeat(MOVES[goals][:, None], HORIZON, axis=1),
            action_mask=np.ones((BATCH, HORIZON), np.bool_),
            indicator=np.full(BATCH, int(Indicator.POSITIVE)),
            goal=np.zeros((BATCH, 2), np.float32),
            goal_mask=np.zeros(BATCH, np.bool_),
        )
        optimizer.zero_grad()
        policy.flow_loss(batch, generator=generator).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    policy.network.eval()
    return policy


def share_right(policy: Policy, phrases: tuple[tuple[str, ...], ...], num_looks: int = 8) -> float:
    """Share of chunks that move as the instruction asks, over looks at different states."""
    instructions = [text for texts in phrases for text in texts] * num_looks
    wanted = np.array([goal for goal, texts in enumerate(phrases) for _ in texts] * num_looks)
    chunks: Float32 = policy.sample_chunks(
        observe(np.random.default_rng(99), instructions),
        guidance=Guidance(),
        generator=torch.Generator().manual_seed(1),
    )
    return float(((chunks.mean(axis=1) @ MOVES.T).argmax(axis=1) == wanted).mean())


def test_the_held_out_phrases_share_no_word_but_the_with_the_trained_ones() -> None:
    trained_words, held_out = ({w for texts in p for text in texts for w in split(text)} for p in (TRAINED, HELD_OUT))
    assert trained_words & held_out == {"the"}


def test_pretrained_words_carry_over_to_paraphrases_and_learned_ones_do_not() -> None:
    pretrained, learned = trained(Words.PRETRAINED), trained(Words.LEARNED)
    assert share_right(pretrained, TRAINED) > 0.95
    assert share_right(learned, TRAINED) > 0.95
    assert share_right(pretrained, HELD_OUT) > 0.45
    assert share_right(learned, HELD_OUT) < 0.35, "all unknown words are one word: chance is a quarter"
