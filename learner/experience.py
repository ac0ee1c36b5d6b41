"""Experience: what the learner knows of every step, as flat arrays in episode order.

The replay buffer holds the heavy columns (frames, state, touch, actions); this is the light index over
them that labelling and sampling work on. `learner/data.py` makes one from a pinned replay view; a
bench may fill one by hand.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from policy.errors import SchemaError

Bool = NDArray[np.bool_]
Int64 = NDArray[np.int64]

_HELD_OUT_EVERY = 10


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Experience:
    """E complete episodes with N steps in all; episode e owns steps [start[e], start[e] + length[e])."""

    start: Int64
    """int64[E], first step of the episode; episodes lie one after the other, so start[0] is 0."""
    length: Int64
    """int64[E], at least 1."""
    is_success: Bool
    """bool[E], the latest outcome label says success."""
    is_failure: Bool
    """bool[E], it says failure or timed out; an episode that is neither is unlabelled."""
    task: Int64
    """int64[E], task code."""
    is_demonstration: Bool
    """bool[E], done by an expert from start to end."""
    is_held_out: Bool
    """bool[E], demonstrations that only measure: the held-out error of every candidate."""
    is_correction: Bool
    """bool[N], a person's command was executed."""
    is_held: Bool
    """bool[N], nobody moved the robot (paused, lost or stopped), or weights of long ago did: never trained on."""
    row: Int64
    """int64[N], the step's row in the replay buffer."""

    @property
    def held_out_steps(self) -> Int64:
        """int64[n], steps of held-out demonstrations."""
        return np.flatnonzero(self.is_held_out[self.episode])

    def __post_init__(self) -> None:
        ends = self.start + self.length
        if len(self.start) and (self.start[0] != 0 or (self.start[1:] != ends[:-1]).any() or (self.length < 1).any()):
            raise SchemaError("episodes must lie one after the other and hold a step each")
        if self.num_steps != len(self.is_correction):
            raise SchemaError("steps do not match episodes", steps=len(self.is_correction), of=self.num_steps)

    @property
    def num_steps(self) -> int:
        """N."""
        return int(self.length.sum())

    @property
    def num_episodes(self) -> int:
        """E."""
        return len(self.start)

    @property
    def num_rollouts(self) -> int:
        """Episodes of robots at work."""
        return int((~self.is_demonstration).sum())

    @property
    def episode(self) -> Int64:
        """int64[N], the episode each step belongs to."""
        return np.repeat(np.arange(self.num_episodes), self.length)

    @property
    def is_helped(self) -> Bool:
        """bool[E], a person's command was executed in it."""
        helped = np.zeros(self.num_episodes, np.bool_)
        helped[self.episode[self.is_correction]] = True
        return helped

    @property
    def is_autonomous(self) -> Bool:
        """bool[N], the policy itself moved the robot."""
        return ~(self.is_correction | self.is_held | self.is_demonstration[self.episode])


def hold_out(is_demonstration: Bool) -> Bool:
    """Every tenth demonstration, in their order: the choice stays the same as more of them come."""
    order = np.cumsum(is_demonstration)
    return np.asarray(is_demonstration & (order % _HELD_OUT_EVERY == 0), np.bool_)
