"""A toy task in arrays, for the learner's tests and for the RLlib parity check; no simulator, no lake.

A point in a square goes left or right, as the instruction says. Experts go straight; the policy's
episodes either go straight too, or wander and fail; in helped ones a person takes over half-way.
"""

import numpy as np
from numpy.typing import NDArray

from learner.data import ArrayData
from learner.experience import Experience, hold_out
from policy.errors import LakeError
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec

INSTRUCTIONS = ("go to the left", "go to the right")
_SIDE_PX = 32
_SPEED = 0.15
_MAX_STEPS = 16


def toy_spec() -> EmbodimentSpec:
    """Two state channels, one touch channel, two action channels, one 32 x 32 camera."""
    axis = [ChannelSpec(name=name, unit="1", low=-1.0, high=1.0) for name in ("x", "y")]
    return EmbodimentSpec(
        name="toy-point",
        control_rate_hz=20.0,
        state=tuple(axis),
        tactile=(ChannelSpec(name="wall", unit="1"),),
        action=tuple(axis),
        cameras=(CameraSpec(name="top", height=_SIDE_PX, width=_SIDE_PX),),
    )


class ToySource:
    """Toy data as the training loop asks for it: all of it at once, named by its pin."""

    def __init__(self, data: ArrayData) -> None:
        self._data = data

    def freshness_s(self) -> dict[str, float]:
        """Nothing travels here."""
        return {}

    def keep(self) -> None:
        """It is the same in every process."""

    def follow(self) -> None:
        """Nothing comes."""

    def newest(self) -> ArrayData:
        """All of it."""
        return self._data

    def pinned(self, pin: str) -> ArrayData:
        """All of it, if that is what the pin names.

        Raises:
            LakeError: another pin.
        """
        if pin != self._data.pin:
            raise LakeError("the pinned set is not here", pin=pin)
        return self._data


def toy_data(
    *,
    num_demonstrations: int = 8,
    num_rollouts: int = 24,
    num_helped: int = 8,
    success_rate: float = 0.5,
    seed: int = 0,
) -> ArrayData:
    """Experience of the three kinds, in this order; the same arguments give the same data."""
    rng = np.random.default_rng(seed)
    kinds = ["demonstration"] * num_demonstrations + ["helped"] * num_helped
    kinds += ["good" if rng.random() < success_rate else "bad" for _ in range(num_rollouts)]
    side = np.arange(len(kinds)) % 2
    paths = [_path(kind, -1.0 if left else 1.0, rng) for kind, left in zip(kinds, side == 0, strict=True)]
    length = np.array([len(action) for _, action, _ in paths])
    kind_of = np.array(kinds)
    num_steps = int(length.sum())
    state = np.concatenate([position for position, _, _ in paths]).astype(np.float32)
    experience = Experience(
        start=np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64),
        length=length.astype(np.int64),
        is_success=kind_of != "bad",
        is_failure=kind_of == "bad",
        task=np.zeros(len(kinds), np.int64),
        is_demonstration=kind_of == "demonstration",
        is_held_out=hold_out(kind_of == "demonstration"),
        is_correction=np.concatenate([corrected for _, _, corrected in paths]),
        is_held=np.zeros(num_steps, np.bool_),
        row=np.arange(num_steps),
    )
    return ArrayData(
        spec=toy_spec(),
        experience=experience,
        pin=f'{{"toy": {seed}, "episodes": {len(kinds)}}}',
        frames=_draw(state),
        state=state,
        tactile=(np.abs(state).max(axis=1, keepdims=True) > 1).astype(np.float32),
        action=np.concatenate([action for _, action, _ in paths]).astype(np.float32),
        instruction=side[experience.episode].astype(np.int64),
        instructions=INSTRUCTIONS,
        episode_ids=[f"toy-{seed}-{index}" for index in range(len(kinds))],
        tasks=("go",),
    )


def _path(
    kind: str, target_x: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    position = np.array([0.0, rng.uniform(-0.8, 0.8)])
    positions, actions, corrected = [], [], []
    for step in range(_MAX_STEPS):
        is_corrected = kind == "helped" and step >= _MAX_STEPS // 2
        to_target = np.array([target_x, 0.0]) - position
        straight = to_target / max(np.linalg.norm(to_target), 1e-6)
        wanders = kind == "bad" or (kind == "helped" and not is_corrected)
        action = np.clip((rng.normal(0, 0.7, 2) if wanders else straight) + rng.normal(0, 0.05, 2), -1, 1)
        positions.append(position)
        actions.append(action)
        corrected.append(is_corrected)
        position = position + _SPEED * action
        if np.linalg.norm(position - np.array([target_x, 0.0])) < _SPEED:
            break
    return np.array(positions), np.array(actions), np.array(corrected)


def _draw(state: NDArray[np.float32]) -> NDArray[np.uint8]:
    pixel = np.clip((state + 1.2) / 2.4 * (_SIDE_PX - 1), 0, _SIDE_PX - 1).round().astype(np.int64)
    frames = np.zeros((len(state), 1, _SIDE_PX, _SIDE_PX, 3), np.uint8)
    frames[np.arange(len(state)), 0, pixel[:, 1], pixel[:, 0]] = 255
    return frames
