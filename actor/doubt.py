"""Does the policy disagree with itself? Several chunks drawn for one observation, and how far they spread.

The measure is the standard deviation over the samples, averaged over horizon and action channels and
divided by each channel's range. What is much depends on task and weights, so the threshold is calibrated as
that of a falling value is: the conformal quantile of the largest spread in each of the latest autonomous
successes. As long as those are alike, one in twenty asks without need; until there are enough, nobody is asked.
"""

import collections

from policy.schema import Float32
from policy.spec import EmbodimentSpec
from policy.statistics import conformal_quantile


def spread(samples: Float32, spec: EmbodimentSpec) -> float:
    """How far float32[K, H, A] chunks of one observation lie apart, as a share of the action's range."""
    width = spec.action_high - spec.action_low
    return float((samples.std(axis=0) / width).mean())


class Calibration:
    """What the robots of a process have measured in autonomous successes; one control thread uses it."""

    def __init__(self, *, coverage: float, min_episodes: int, max_episodes: int) -> None:
        self._coverage, self._min_episodes = coverage, min_episodes
        self._largest: collections.deque[float] = collections.deque(maxlen=max_episodes)
        self.threshold = float("inf")
        """Above this the policy is unusually unsure; infinite until enough was seen."""

    def learn(self, spreads: list[float]) -> None:
        """Take one autonomous success."""
        if spreads:
            self._largest.append(max(spreads))
        if len(self._largest) >= self._min_episodes:
            self.threshold = conformal_quantile(list(self._largest), self._coverage)


class Doubt:
    """One robot's measurements over its episode."""

    def __init__(self, spec: EmbodimentSpec, calibration: Calibration) -> None:
        self._spec, self._calibration = spec, calibration
        self._spreads: list[float] = []
        self._latest = 0.0

    def begin(self) -> None:
        """A new episode."""
        self._spreads = []
        self.calm()

    def calm(self) -> None:
        """A person moved the robot: the last measurement is of another situation."""
        self._latest = 0.0

    def look(self, samples: Float32 | None) -> None:
        """Take float32[K, H, A] chunks of one observation, where some were drawn."""
        if samples is not None:
            self._latest = spread(samples, self._spec)
            self._spreads.append(self._latest)

    def end(self, *, is_autonomous_success: bool) -> None:
        """The episode is over."""
        if is_autonomous_success:
            self._calibration.learn(self._spreads)

    def reason(self) -> str:
        """Why a person should look, in words; empty if nobody need to."""
        threshold = self._calibration.threshold
        if self._latest <= threshold:
            return ""
        return f"its plans disagree: spread {self._latest:.2f}, usually at most {threshold:.2f}"
