"""What a scene seed decides in toolbox packing: what is asked, where things are, and what no camera shows.

Not seen, only felt: how thick a handle is, how high the tray stands, how deep in a slot its clip sits and
how hard it resists, and the same of the lid's latch.
"""

import dataclasses

import numpy as np

from robots.scene import COLOURS

KINDS = ("screwdriver", "wrench")
SLOTS = ("left", "right")
NOMINAL_RIM_M = 0.028
"""Height of the average tray above the table."""
_SPOTS_M = ((0.075, 0.0), (0.130, 0.0))
"""Where tools lie, right of the tray: the screwdriver next to it, unless they swap places."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool of one episode, lying on the table."""

    kind: str
    colour: str
    x_m: float
    y_m: float
    yaw_rad: float
    half_thickness_m: float
    """Of its handle."""

    @property
    def name(self) -> str:
        """As in the instruction."""
        return f"{self.colour} {self.kind}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catch:
    """A clip or a latch: what has to be overcome before it clicks."""

    latch_depth_m: float
    """Way to where it resists most."""
    latch_force_n: float
    """How much it resists there."""

    @classmethod
    def draw(cls, rng: np.random.Generator, depth_m: tuple[float, float], force_n: tuple[float, float]) -> "Catch":
        """One within these ranges."""
        return cls(latch_depth_m=float(rng.uniform(*depth_m)), latch_force_n=float(rng.uniform(*force_n)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tray:
    """The tray of one episode."""

    x_m: float
    y_m: float
    yaw_rad: float
    rim_m: float
    """Height of its rim above the table."""
    clips: tuple[Catch, Catch]
    """In the left and in the right slot; depth below the rim."""
    latch: Catch
    """Of the lid; depth of its knob below where a loose lid would be level."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """Where a hand starts: position and how it is turned."""

    position_m: tuple[float, float, float]
    turn_rad: tuple[float, float, float]
    """Roll, pitch, yaw."""

    @classmethod
    def draw(cls, rng: np.random.Generator, low_m: tuple[float, ...], high_m: tuple[float, ...]) -> "Start":
        """A place in this box, tilted as hands are."""
        x, y, z = rng.uniform(low_m, high_m)
        roll, pitch, yaw = rng.uniform((-0.12, -0.12, -0.20), (0.12, 0.12, 0.20))
        return cls(position_m=(float(x), float(y), float(z)), turn_rad=(float(roll), float(pitch), float(yaw)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that a scene seed decides."""

    tools: tuple[Tool, Tool]
    tray: Tray
    target_tool: int
    target_slot: int
    closes: bool
    """Whether the lid is to be closed in the end."""
    left: Start
    right: Start

    @property
    def instruction(self) -> str:
        """The goal in words."""
        end = "close the lid" if self.closes else "leave it open"
        return f"pack the {self.tools[self.target_tool].name} into the {SLOTS[self.target_slot]} slot and {end}"

    @classmethod
    def draw(cls, rng: np.random.Generator, *, swaps_tools: bool = False) -> "Scene":
        """A random scene; whether tools may swap their places changes nothing else in it."""
        colours = rng.choice(list(COLOURS), 2, replace=False)
        order = rng.permutation(2)
        spots = np.array(_SPOTS_M)[order if swaps_tools else [0, 1]] + rng.uniform(
            (-0.007, -0.020), (0.007, 0.020), (2, 2)
        )
        first, second = (
            Tool(
                kind=kind,
                colour=str(colour),
                x_m=float(spot[0]),
                y_m=float(spot[1]),
                yaw_rad=float(rng.uniform(-0.30, 0.30)),
                half_thickness_m=float(rng.uniform(0.0055, 0.0075)),
            )
            for kind, colour, spot in zip(KINDS, colours, spots, strict=True)
        )
        clip = ((0.006, 0.011), (4.5, 6.0))
        tray = Tray(
            x_m=-0.045 + float(rng.uniform(-0.010, 0.010)),
            y_m=0.020 + float(rng.uniform(-0.010, 0.010)),
            yaw_rad=float(rng.uniform(-0.10, 0.10)),
            rim_m=NOMINAL_RIM_M + float(rng.uniform(-0.003, 0.003)),
            clips=(Catch.draw(rng, *clip), Catch.draw(rng, *clip)),
            latch=Catch.draw(rng, (0.003, 0.007), (4.5, 6.5)),
        )
        return cls(
            tools=(first, second),
            tray=tray,
            target_tool=int(rng.integers(2)),
            target_slot=int(rng.integers(2)),
            closes=bool(rng.random() < 0.7),
            left=Start.draw(rng, (-0.12, -0.07, 0.090), (-0.07, -0.03, 0.115)),
            right=Start.draw(rng, (0.080, -0.03, 0.070), (0.130, 0.03, 0.095)),
        )
