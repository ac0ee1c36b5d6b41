"""The six modules in MuJoCo: what the parts look like, and what of them can be touched.

Geoms of class "part" can be touched by fingers, those of class "wall" by the wire's plug too, those of class
"skin" are only seen; `model.py` defines the classes.
"""

import math

from robots.busybox.layout import (
    CANONICAL,
    CELLS_M,
    DISPLAY,
    NOTCH_RAD,
    PARTS,
    SOCKETS,
    SOCKETS_M,
    SWING_RAD,
    TRAVEL_M,
)
from robots.busybox.scene import NOMINAL_CAP_M, NOMINAL_RIM_M

FLOOR_HALF_M = 0.004
"""Of the plate at the bottom of a socket."""

_KNOB_RADIUS_M = 0.009
_PIVOT_M = 0.006
"""Height of a switch's hinge above the panel."""
_COLOURS = {
    "red": ".88 .15 .12",
    "green": ".15 .70 .25",
    "blue": ".15 .35 .95",
    "yellow": ".95 .85 .10",
}
_PLATES = {
    "buttons": ".75 .58 .38",
    "switches": ".90 .90 .86",
    "sliders": ".50 .32 .62",
    "knob": ".15 .55 .58",
    "wire": ".45 .47 .50",
    DISPLAY: ".20 .20 .24",
}


def modules_mjcf() -> str:
    """All modules, each a body with its plate, its mark and its parts, in canonical places."""
    inside = {
        "buttons": _buttons(),
        "switches": _switches(),
        "sliders": _sliders(),
        "knob": _knob(),
        "wire": _wire(),
        DISPLAY: _display(),
    }
    return "".join(
        f'<body name="{module} module" pos="{x} {y} 0">'
        f'<geom class="skin" type="box" size=".0355 .0355 .002" pos="0 0 0" rgba="{_PLATES[module]} 1"/>'
        f'<geom class="skin" type="box" size=".010 .0015 .001" pos="0 .033 .002" rgba="1 1 1 1"/>'
        f"{inside[module]}</body>"
        for module, (x, y) in zip(CANONICAL, CELLS_M, strict=True)
    )


def _buttons() -> str:
    return "".join(
        f'<body name="{part.name}" pos="{part.place_m[0]} 0 {NOMINAL_CAP_M}">'
        f'<joint name="{part.name}" type="slide" axis="0 0 -1" range="0 .0125" armature=".04" damping="4"/>'
        f'<geom class="part" type="box" size=".0075 .0075 .006" pos="0 0 -.006" rgba=".95 .45 .10 1"/>'
        f'</body><geom class="skin" type="box" size=".009 .009 .002" pos="{part.place_m[0]} 0 .002" rgba=".3 .2 .1 1"/>'
        for part in PARTS
        if part.module == "buttons"
    )


def _switches() -> str:
    return "".join(
        f'<body name="{part.name}" pos="{part.place_m[0]} 0 {_PIVOT_M}">'
        f'<joint name="{part.name}" type="hinge" axis="-1 0 0" range="{-SWING_RAD} {SWING_RAD}"'
        ' armature=".0001" damping=".006"/>'
        f'<geom class="part" type="capsule" size=".005" fromto="0 0 0 0 0 .026" rgba="{_COLOURS[colour]} 1"/>'
        f'</body><geom class="skin" type="box" size=".009 .018 .003" pos="{part.place_m[0]} 0 .003"'
        f' rgba="{_COLOURS[colour]} 1"/>'
        for part, colour in zip((p for p in PARTS if p.module == "switches"), ("red", "green"), strict=True)
    )


def _sliders() -> str:
    return "".join(
        f'<body name="{part.name}" pos="{part.place_m[0]} 0 .004">'
        f'<joint name="{part.name}" type="slide" axis="0 1 0" range="{-TRAVEL_M - 0.0005} {TRAVEL_M + 0.0005}"'
        ' armature=".06" damping="4"/>'
        '<geom class="part" type="capsule" size=".006" fromto="0 0 .006 0 0 .018" rgba=".98 .98 .95 1"/>'
        '<geom class="skin" type="box" size=".010 .006 .008" pos="0 0 .008" rgba=".98 .98 .95 1"/>'
        f'</body><geom class="skin" type="box" size=".003 .021 .001" pos="{part.place_m[0]} 0 .003" rgba=".1 .1 .1 1"/>'
        for part in PARTS
        if part.module == "sliders"
    )


def _knob() -> str:
    marks = "".join(
        f'<geom class="skin" type="box" size=".0015 .004 .001" euler="0 0 {angle}" rgba="1 1 1 1"'
        f' pos="{-0.027 * math.sin(angle)} {0.027 * math.cos(angle)} .003"/>'
        for angle in PARTS[-1].positions
    )
    limit = 2 * NOTCH_RAD + 0.15
    return (
        f'{marks}<body name="knob" pos="0 0 .002">'
        f'<joint name="knob" type="hinge" axis="0 0 1" range="{-limit} {limit}" armature=".0001" damping=".010"/>'
        f'<geom class="part" type="capsule" size="{_KNOB_RADIUS_M}" fromto="0 0 .009 0 0 .018" friction="1.2"'
        ' rgba=".1 .1 .1 1"/>'
        '<geom class="skin" type="cylinder" size=".018 .003" pos="0 0 .003" rgba=".1 .1 .1 1"/>'
        '<geom class="skin" type="box" size=".003 .010 .002" pos="0 .012 .008" rgba="1 .25 .2 1"/>'
        '<geom class="skin" type="box" size=".0025 .009 .002" pos="0 .004 .0265" rgba="1 .25 .2 1"/></body>'
    )


def _wire() -> str:
    half, outer = 0.0062, 0.011
    wall = (outer - half) / 2
    middle = half + wall
    walls = [(middle, 0, wall, outer), (-middle, 0, wall, outer), (0, middle, half, wall), (0, -middle, half, wall)]
    sockets = "".join(
        f'<body name="{colour} socket" pos="{x} {y} {NOMINAL_RIM_M}">'
        + "".join(
            f'<geom class="wall" type="box" pos="{px} {py} -.012" size="{sx} {sy} .012" rgba="{_COLOURS[colour]} 1"/>'
            for px, py, sx, sy in walls
        )
        + f'</body><body name="{colour} floor" pos="{x} {y} 0"><geom class="wall" type="box"'
        f' size="{half} {half} {FLOOR_HALF_M}" rgba=".05 .05 .05 1"/></body>'
        for colour, (x, y) in zip(SOCKETS, SOCKETS_M, strict=True)
    )
    dock = '<geom class="skin" type="cylinder" size=".011 .001" pos="0 -.018 .003" rgba=".1 .1 .1 1"/>'
    return sockets + dock


def _display() -> str:
    return "".join(
        f'<geom name="lamp{index}" class="skin" type="box" size=".0045 .012 .002" pos="{(index - 2) * 0.0115} 0 .003"/>'
        for index in range(len(PARTS[-1].positions))
    )
