"""What the box is made of: its parts, their names, and where modules and parts are.

Six modules sit in a grid of two rows and three columns. A module may be in any cell and turned by
quarter turns; a white mark at its upper edge says which way is up. Places of parts are in the module's own frame.
"""

import dataclasses
import math

MODULES = ("buttons", "switches", "sliders", "knob", "wire")
"""Modules that an instruction may ask for; a sixth, the display, only shows the knob's position."""
DISPLAY = "display"
CANONICAL = ("buttons", "knob", DISPLAY, "switches", "sliders", "wire")
"""Modules in the order of the cells: upper row, then lower row, from the left."""
PITCH_M = 0.075
"""From cell to cell."""
CELLS_M = tuple((x * PITCH_M, y * PITCH_M) for y in (0.5, -0.5) for x in (-1, 0, 1))
"""Centres of the cells."""

SWING_RAD = 0.45
"""A switch's lever leans this far to either side."""
TRAVEL_M = 0.014
"""A slider's handle goes this far up and down from the middle."""
NOTCH_RAD = math.pi / 6
"""From one position of the knob to the next."""
SOCKETS = ("blue", "yellow")
"""Colours of the wire's two sockets."""
SOCKETS_M = ((-0.018, 0.016), (0.018, 0.016))
"""Where they are in the module."""
DOCK_M = (0.0, -0.018)
"""Where in its module the wire's plug stands; a wire that is let go springs back to it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that moves: one joint."""

    module: str
    name: str
    """Of its body and its joint, and as a failure's reason says it."""
    place_m: tuple[float, float]
    """In the module's frame."""
    positions: tuple[float, ...]
    """Joint values at which it rests, metres or radians; the order is that of `position_names`."""
    position_names: tuple[str, ...]
    """What instructions call them; a button has only one: pressed."""
    direction: tuple[float, float] = (0.0, 0.0)
    """In which its handle moves as the joint's value grows; zero for a part that does not move sideways."""


PARTS = (
    *(
        Part(module="buttons", name=f"{name} button", place_m=(x, 0.0), positions=(0.0,), position_names=("pressed",))
        for name, x in (("first", -0.021), ("second", 0.0), ("third", 0.021))
    ),
    *(
        Part(
            module="switches",
            name=f"{name} switch",
            place_m=(x, 0.0),
            positions=(-SWING_RAD, SWING_RAD),
            position_names=("off", "on"),
            direction=(0.0, 1.0),
        )
        for name, x in (("red", -0.018), ("green", 0.018))
    ),
    *(
        Part(
            module="sliders",
            name=f"{name} slider",
            place_m=(x, 0.0),
            positions=(-TRAVEL_M, 0.0, TRAVEL_M),
            position_names=("bottom", "middle", "top"),
            direction=(0.0, 1.0),
        )
        for name, x in (("left", -0.018), ("right", 0.018))
    ),
    Part(
        module="knob",
        name="knob",
        place_m=(0.0, 0.0),
        positions=tuple(-NOTCH_RAD * k for k in (-2, -1, 0, 1, 2)),
        position_names=("one", "two", "three", "four", "five"),
    ),
)
"""In the order of the joints. The wire's plug is not among them: it moves freely."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where one module is in an episode."""

    x_m: float
    y_m: float
    num_quarter_turns: int
    """Anticlockwise, seen from above."""

    def direction(self, local: tuple[float, float]) -> tuple[float, float]:
        """A vector of the module's frame in the world's."""
        x, y = local
        for _ in range(self.num_quarter_turns):
            x, y = -y, x
        return x, y

    def point(self, local: tuple[float, float]) -> tuple[float, float]:
        """A point of the module's frame in the world's, metres."""
        x, y = self.direction(local)
        return self.x_m + x, self.y_m + y
