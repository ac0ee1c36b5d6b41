"""How a shadow's proposals compare with the champion's, as people see it on the weights page."""

import dataclasses
import json
import math
from collections.abc import Mapping

_MAX_ROBOTS = 16
"""In the tag, those that differ most: a tag of the registry holds some thousand characters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gaps:
    """Sums over n compared steps of mean squares over the action's channels, in the shadow's units of action."""

    num_steps: int = 0
    action: float = 0.0
    """Between the champion's proposal and the shadow's, mean of two of the shadow's samples."""
    noise: float = 0.0
    """Between those two samples: what a policy differs from itself."""

    def __add__(self, other: "Gaps") -> "Gaps":
        return Gaps(
            num_steps=self.num_steps + other.num_steps,
            action=self.action + other.action,
            noise=self.noise + other.noise,
        )

    @property
    def mean_action(self) -> float:
        """Mean square of the action gap; 0 of nothing."""
        return self.action / self.num_steps if self.num_steps else 0.0

    @property
    def ratio(self) -> float:
        """Root mean squares, action over noise: 1 for a policy compared with itself; NaN without noise."""
        return math.sqrt(self.action / self.noise) if self.noise > 0 else math.nan


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShadowReport:
    """Everything that was compared since this shadow met this champion."""

    version: str
    champion: str
    at_ns: int
    robots: Mapping[str, Gaps]

    def to_json(self) -> str:
        """Strict JSON for the version's tag."""
        total = sum(self.robots.values(), start=Gaps())
        apart = sorted(self.robots.items(), key=lambda item: item[1].mean_action, reverse=True)[:_MAX_ROBOTS]
        return json.dumps(
            {
                "version": self.version,
                "champion": self.champion,
                "at_ns": self.at_ns,
                "num_robots": len(self.robots),
                **_figures(total),
                "robots": {robot_id: _figures(gaps) for robot_id, gaps in apart},
            },
            allow_nan=False,
        )


def _figures(gaps: Gaps) -> dict[str, float | None]:
    mean = (math.sqrt(total / gaps.num_steps) if gaps.num_steps else 0.0 for total in (gaps.action, gaps.noise))
    action_gap, noise_gap = (round(value, 4) for value in mean)
    ratio = None if math.isnan(gaps.ratio) else round(gaps.ratio, 3)
    return {"num_steps": gaps.num_steps, "ratio": ratio, "action_gap": action_gap, "noise_gap": noise_gap}
