"""Does the policy disagree with itself? Several chunks drawn for one observation, and how far they spread.

The measure is the standard deviation over the samples, averaged over horizon and action channels and
divided by each channel's range. What is much depends on task and weights, so the threshold is
calibrated as in conformal prediction: the quantile of what was measured in the latest autonomous
successes; until there are enough of those, nobody is asked.
"""

import collections

import numpy as np

from policy.schema import Float32
from policy.spec import EmbodimentSpec


def spread(samples: Float32, spec: EmbodimentSpec) -> float:
    """How far float32[K, H, A] chunks of one observation lie apart, as a share of the action's range."""
    width = spec.action_high - spec.action_low
    return float((samples.std(axis=0) / width).mean())


class Calibration:
    """What the robots of a process have measured in autonomous successes; one control thread uses it."""

    def __init__(self, *, quantile: float, min_episodes: int, max_episodes: int) -> None:
        self._quantile, self._min_episodes = quantile, min_episodes
        self._episodes: collections.deque[list[float]] = collections.deque(maxlen=max_episodes)
        self.threshold = float("inf")
        """Above this the policy is unusually unsure; infinite until enough was seen."""

    def learn(self, spreads: list[float]) -> None:
        """Take one autonomous success."""
        if spreads:
            self._episodes.append(spreads)
        if len(self._episodes) >= self._min_episodes:
            seen = np.concatenate([np.asarray(episode) for episode in self._episodes])
            self.threshold = float(np.quantile(seen, self._quantile, method="higher"))


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
