"""What plugs and sockets are shaped like: the geometry (MJCF) of both.

    square   four rounded corners in a square hole
    round    eight rounded edges in a hole of eight sides
    keyed    square, but every socket stands turned: the plug has to be turned to fit

A plug's rounded edges are the lead-in that a real plug has.
"""

import math
from typing import Literal

Shape = Literal["square", "round", "keyed"]
SHAPES: tuple[Shape, ...] = ("square", "round", "keyed")

PLUG_HALF_M = 0.008
STOP_HALF_M = 0.005
"""Half the height of the floor of a hole."""
MAX_TURN_RAD = 0.4
"""Of a keyed socket, either way: less than half of the quarter turn after which a square fits again."""

_CORNER_RADIUS_M = 0.0022
_OUTER_HALF_M = 0.024
_NUM_SIDES = 8


def num_walls(shape: Shape) -> int:
    """How many geoms, `wall_{socket}{number}`, a socket has."""
    return _NUM_SIDES if shape == "round" else 4


def walls(name: str, shape: Shape, clearance_m: float) -> str:
    """Around the hole of one socket, from its rim down to below the table."""
    return "".join(
        f'<geom name="wall_{name}{i}" class="part" type="box" {place}/>'
        for i, place in enumerate(_sides(shape, round(PLUG_HALF_M + clearance_m, 9)))
    )


def _sides(shape: Shape, hole_half_m: float) -> list[str]:
    wall = (_OUTER_HALF_M - hole_half_m) / 2
    middle = hole_half_m + wall
    if shape == "round":
        # Each is beyond its own side of the hole, so that they may overlap farther out.
        along = _OUTER_HALF_M * math.tan(math.pi / _NUM_SIDES)
        angles = [2 * math.pi * side / _NUM_SIDES for side in range(_NUM_SIDES)]
        return [
            f'pos="{middle * math.cos(angle)} {middle * math.sin(angle)} -0.02" size="{wall} {along} 0.02"'
            f' quat="{math.cos(angle / 2)} 0 0 {math.sin(angle / 2)}"'
            for angle in angles
        ]
    # Two walls run the full width, two fill in between.
    boxes = [
        (middle, 0, wall, _OUTER_HALF_M),
        (-middle, 0, wall, _OUTER_HALF_M),
        (0, middle, hole_half_m, wall),
        (0, -middle, hole_half_m, wall),
    ]
    return [f'pos="{x} {y} -0.02" size="{sx} {sy} 0.02"' for x, y, sx, sy in boxes]


def stop(shape: Shape, clearance_m: float) -> str:
    """The floor of a hole."""
    half_m = round(PLUG_HALF_M + clearance_m, 9)
    kind, size = ("cylinder", f"{half_m}") if shape == "round" else ("box", f"{half_m} {half_m}")
    return f'<geom class="part" type="{kind}" rgba=".1 .1 .1 1" size="{size} {STOP_HALF_M}"/>'


def plug(shape: Shape) -> str:
    """Rounded edges that touch, and a skin that is seen."""
    corner, radius = PLUG_HALF_M - _CORNER_RADIUS_M, _CORNER_RADIUS_M
    places = [(x, y) for x in (-corner, corner) for y in (-corner, corner)]
    skin = f'type="box" size="{PLUG_HALF_M} {PLUG_HALF_M} .02"'
    if shape == "round":
        angles = [2 * math.pi * side / _NUM_SIDES for side in range(_NUM_SIDES)]
        places = [(corner * math.cos(angle), corner * math.sin(angle)) for angle in angles]
        skin = f'type="cylinder" size="{PLUG_HALF_M} .02"'
    edges = "".join(
        f'<geom class="part" type="capsule" size="{radius}" fromto="{x} {y} {radius} {x} {y} 0.04"/>' for x, y in places
    )
    return f'{edges}<geom class="skin" {skin} pos="0 0 .02" rgba=".92 .92 .9 1" mass="0.05"/>'
