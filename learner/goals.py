"""Goals in hindsight: where the body was when a piece of work had ended well.

From every step of it one knows then where the robot had to go, whoever drove it there: demonstrations, people's
corrections, and the policy itself. So autonomous successes teach the encoder to find what an instruction names
without anybody imitating how a weak policy went there.
"""

import dataclasses
from typing import Final

from learner.advantage import AdvantageConfig, split
from learner.experience import Bool, Experience, Int64

GOAL_ONLY: Final = -1
"""In place of an indicator: a sample whose action is no target, drawn to learn its goal."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Goals:
    """Of N steps."""

    step: Int64
    """int64[N], the last step of the segment that each is part of: its observation shows the goal."""
    is_known: Bool
    """bool[N]; False where the segment did not end well, or nobody has said."""

    @classmethod
    def of(cls, experience: Experience) -> "Goals":
        """Segments end at takeovers, as for advantages: what a person had to break off had no goal worth knowing."""
        segments = split(experience, AdvantageConfig())
        return cls(step=segments.end_of_step - 1, is_known=segments.is_success[segments.of_step])
