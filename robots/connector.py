"""What happens inside a socket, where no camera looks: the latch, and what breaks.

Along the plug's way in (depth below the rim, force against the motion):

    force
      |              peak: latch_force_n
      |             /|
      |            / |
      |           /  |                 | end stop (a contact of the scene)
    0 |__________/   |                 |
      |              |_________________|      the latch pulls in: the click
      +----------+---+--+--------------+--> depth
            ramp ^   ^  ^ latched      ^ + travel
                     latch_depth_m

Pulled back, a latched plug is held until `retention_n` is overcome.
"""

import dataclasses
from typing import Protocol


class Catch(Protocol):
    """What differs from one latch to the next; a `robots.scene.Socket` has it."""

    @property
    def latch_depth_m(self) -> float:
        """Depth at which the latch resists most."""

    @property
    def latch_force_n(self) -> float:
        """How much it resists there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectorConfig:
    """How every connector of the task behaves."""

    ramp_m: float = 0.002
    """Length of the way on which the latch's resistance rises."""
    latched_m: float = 0.0008
    """A plug this far past the peak has clicked."""
    travel_m: float = 0.004
    """From the peak to the end stop."""
    pull_in_n: float = 1.5
    """With which the latch draws the plug in after the click."""
    retention_n: float = 5.0
    """Needed to pull a latched plug out again."""
    break_n: float = 11.0
    """A larger force on the plug, in any direction, breaks the connector."""
    relaxed_n: float = 2.0
    """With less along the axis the plug counts as let go."""
    relaxed_ticks: int = 3
    """Control ticks that a latched plug has to be left alone for success."""


class Latch:
    """One latch, stepped with the physics."""

    def __init__(self, config: ConnectorConfig, catch: Catch) -> None:
        self._config = config
        self._peak_m = catch.latch_depth_m
        self._force_n = catch.latch_force_n
        self.is_latched = False

    @property
    def stop_depth_m(self) -> float:
        """Depth of the hole's floor below the rim."""
        return self._peak_m + self._config.travel_m

    def force(self, depth_m: float) -> float:
        """Force on the plug along +z (out of the socket), N, at a depth below the rim; may latch."""
        config = self._config
        past_m = depth_m - self._peak_m
        if self.is_latched:
            if past_m < 0:
                self.is_latched = False
            elif past_m < config.latched_m:
                return -config.retention_n
            return -config.pull_in_n
        if past_m > config.latched_m:
            self.is_latched = True
            return -config.pull_in_n
        if past_m > 0:
            return -config.pull_in_n
        return self._force_n * max(0.0, 1 + past_m / config.ramp_m)
