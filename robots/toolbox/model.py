"""Geometry of toolbox packing (MJCF), and how a scene is laid out in it.

    lid, hinged at the back ->  .------------.        y
    knob in its front corner -> o  |     |   |   tools ^   two hands: six joints each,
                                |  slots     |   | /   |   and two fingers along x
                                '------------'         +--> x

Tools are capsules along y, so that they have a lead-in; what is painted around them touches nothing. The
last of a tool's six joints, about its long axis, is sprung as if it had a flat side. Hands meet tools,
knob, lid and table; the tray has notches for fingers, and hands pass each other.
"""

import dataclasses

from robots import simulation
from robots.scene import COLOURS
from robots.simulation import mujoco
from robots.toolbox.scene import KINDS, NOMINAL_RIM_M, SLOTS, Scene

CAMERAS = ("wrist", "scene")
HANDS = ("left", "right")
TOOL_HALF_LENGTH_M = 0.040
MAX_HALF_THICKNESS_M = 0.0075
SLOT_X_M = (-0.027, 0.027)
"""Axes of the slots in the tray's frame."""
HINGE_M = (0.058, 0.020)
"""The lid's axis in the tray's frame: y, and height above the rim."""
LID_M = 0.118
"""From the hinge to the knob, along the lid."""
KNOB_M = (-0.042, 0.014)
"""The knob's centre: x in the tray's frame, and height above the lid."""
KNOB_RADIUS_M = 0.008
MOVE_STIFFNESS_N_PER_M = (500.0, 500.0, 700.0)
TURN_STIFFNESS_N_M_PER_RAD = 3.0
FINGER_STIFFNESS_N_PER_M = 400.0
MAX_OPENING_M = 0.016
"""Of each finger, from the middle."""
TOOL_WEIGHT_N = 0.5

_TRAY_HALF_M = (0.060, 0.055)
_SLOT_HALF_M = (0.0082, 0.0418)
_WALL_HALF_M = 0.010
_FLOOR_HALF_M = 0.004


def new_model() -> mujoco.MjModel:
    """A model of its own for each robot."""
    return simulation.new_model(_mjcf)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stops:
    """Where things end: behind every catch."""

    slots_m: tuple[float, float]
    """Depth of each slot's floor below the rim."""
    lid_rad: float
    """Lowest angle of the lid, below 0."""


def arrange(model: mujoco.MjModel, data: mujoco.MjData, scene: Scene, stops: Stops) -> None:
    """Place and paint everything but the hands; `data` is in its initial state."""
    tray = scene.tray
    body = model.body("tray")
    body.pos[:] = (tray.x_m, tray.y_m, tray.rim_m)
    mujoco.mju_axisAngle2Quat(body.quat, (0.0, 0.0, 1.0), tray.yaw_rad)
    for slot, x_m, depth_m in zip(SLOTS, SLOT_X_M, stops.slots_m, strict=True):
        model.body(f"floor_{slot}").pos[:] = (x_m, 0, -depth_m - _FLOOR_HALF_M)
    model.joint("lid").range[0] = stops.lid_rad
    for tool in scene.tools:
        radius = tool.half_thickness_m
        model.geom(tool.kind).size[:2] = (radius, TOOL_HALF_LENGTH_M - radius)
        for part in range(3):
            if model.geom(f"{tool.kind}_skin{part}").rgba[3] == 1.0:
                model.geom(f"{tool.kind}_skin{part}").rgba[:3] = COLOURS[tool.colour]
        start = model.joint(f"{tool.kind}_x").qposadr[0]
        data.qpos[start : start + 6] = (tool.x_m, tool.y_m, radius, tool.yaw_rad, 0, 0)


def _joints(name: str, hinge: str, roll: str) -> str:
    """Six joints of one body: three slides, then yaw about z, pitch about x, roll about y.

    `hinge` and `roll` are what the first two turns, and the last, have of their own.
    """
    axes = (("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1"))
    turns = (("yaw", "0 0 1", hinge), ("pitch", "1 0 0", hinge), ("roll", "0 1 0", roll))
    return "".join(f'<joint name="{name}_{axis}" type="slide" axis="{way}"/>' for axis, way in axes) + "".join(
        f'<joint name="{name}_{turn}" type="hinge" axis="{way}" {extra}/>' for turn, way, extra in turns
    )


def _hand(name: str, rgba: str, camera: str) -> str:
    def pads(sign: int) -> str:
        # Two edges, as wide as a finger is painted: a handle that lies askew turns into line between them.
        x = 0.004 * sign
        return "".join(
            f'<geom class="finger" type="capsule" size=".004" fromto="{x} {y} -.001 {x} {y} .030"/>'
            for y in (-0.007, 0.007)
        )

    fingers = "".join(
        f"""
      <body name="{name}_finger{side}">
        <joint name="{name}_finger{side}" type="slide" axis="{sign} 0 0" range="0 {MAX_OPENING_M + 0.001}"
               limited="true" armature="0.01"/>
        {pads(sign)}
        <geom class="skin" type="box" size=".004 .008 .017" pos="{0.004 * sign} 0 .012" rgba=".75 .75 .78 1"/>
      </body>"""
        for side, sign in enumerate((-1, 1))
    )
    stiff = 'armature="0.0004"'
    return f"""
    <body name="{name}">
      {_joints(name, stiff, stiff)}
      <geom class="skin" type="box" size=".022 .012 .010" pos="0 0 .038" rgba="{rgba}" mass="0.15"/>
      <geom class="skin" type="cylinder" size=".010 .020" pos="0 0 .066" rgba="{rgba}"/>
      {camera}
      <site name="{name}" pos="0 0 0"/>{fingers}
    </body>"""


def _tools() -> str:
    radius, length = MAX_HALF_THICKNESS_M, TOOL_HALF_LENGTH_M
    loose, flat = 'damping="0.0005"', 'damping="0.001" stiffness="0.02"'
    skins = {
        "screwdriver": (
            f'type="capsule" size="{radius + 0.001}" fromto="0 {-length + radius} 0 0 .006 0" rgba="1 1 1 1"',
            'type="capsule" size=".0035" fromto="0 .006 0 0 .038 0" rgba=".35 .35 .38 .99"',
            'type="box" size=".005 .003 .002" pos="0 .039 0" rgba=".35 .35 .38 .99"',
        ),
        "wrench": (
            'type="box" size=".005 .030 .005" rgba="1 1 1 1"',
            'type="cylinder" size=".012 .0055" pos="0 -.030 0" rgba="1 1 1 1"',
            'type="cylinder" size=".012 .0055" pos="0 .030 0" rgba="1 1 1 1"',
        ),
    }
    return "".join(
        f'<body name="{kind}">{_joints(kind, loose, flat)}'
        f'<geom name="{kind}" class="tool" type="capsule" size="{radius} {length - radius}" euler="1.5708 0 0"/>'
        + "".join(f'<geom name="{kind}_skin{i}" class="skin" {skin}/>' for i, skin in enumerate(skins[kind]))
        + "</body>"
        for kind in KINDS
    )


def _tray() -> str:
    half_x, half_y = _TRAY_HALF_M
    wide, long = _SLOT_HALF_M
    inner, outer = SLOT_X_M[1] - wide, SLOT_X_M[1] + wide
    walls = [  # x, y, half x, half y
        (0, 0, inner, long),
        ((outer + half_x) / 2, 0, (half_x - outer) / 2, long),
        (-(outer + half_x) / 2, 0, (half_x - outer) / 2, long),
        (0, (long + half_y) / 2, half_x, (half_y - long) / 2),
        (0, -(long + half_y) / 2, half_x, (half_y - long) / 2),
    ]
    parts = "".join(
        f'<geom class="wall" type="box" pos="{x} {y} {-_WALL_HALF_M}" size="{sx} {sy} {_WALL_HALF_M}"/>'
        for x, y, sx, sy in walls
    )
    skirt = f'<geom class="skin" type="box" pos="0 0 -.024" size="{half_x} {half_y} .004" rgba=".5 .36 .25 1"/>'
    floors = "".join(
        f'<body name="floor_{slot}"><geom class="wall" type="box" rgba=".12 .12 .14 1"'
        f' size="{wide} {long} {_FLOOR_HALF_M}"/></body>'
        for slot in SLOTS
    )
    knob_x, knob_z = KNOB_M
    return f"""
    <body name="tray" pos="0 0 {NOMINAL_RIM_M}">
      {parts}{skirt}{floors}
      <geom class="skin" type="box" pos="-.055 {HINGE_M[0]} .010" size=".004 .003 .010" rgba=".3 .3 .3 1"/>
      <geom class="skin" type="box" pos=".055 {HINGE_M[0]} .010" size=".004 .003 .010" rgba=".3 .3 .3 1"/>
      <body name="lid" pos="0 {HINGE_M[0]} {HINGE_M[1]}">
        <joint name="lid" type="hinge" axis="-1 0 0" range="-.1 1.75" limited="true" damping="0.08"/>
        <geom name="lid" class="wall" type="box" pos="0 {-LID_M / 2} 0" size="{half_x} {LID_M / 2} .002"
              conaffinity="3" rgba=".55 .75 .95 .30" mass="0.05"/>
        <body name="knob" pos="{knob_x} {-LID_M} {knob_z}">
          <geom class="knob" type="sphere" size="{KNOB_RADIUS_M}" rgba=".85 .2 .75 1"/>
          <geom class="skin" type="cylinder" size=".004 .006" pos="0 0 {-knob_z / 2}" rgba=".85 .2 .75 1"/>
        </body>
      </body>
    </body>"""


def _actuators() -> str:
    axes = dict(zip("xyz", MOVE_STIFFNESS_N_PER_M, strict=True))
    axes |= dict.fromkeys(("roll", "pitch", "yaw"), TURN_STIFFNESS_N_M_PER_RAD)
    return "".join(
        "".join(f'<position joint="{hand}_{axis}" kp="{kp}" kv="{0.04 * kp}"/>' for axis, kp in axes.items())
        + "".join(
            f'<position joint="{hand}_finger{side}" kp="{FINGER_STIFFNESS_N_PER_M}"'
            f' kv="{0.012 * FINGER_STIFFNESS_N_PER_M}"/>'
            for side in range(2)
        )
        for hand in HANDS
    )


def _mjcf() -> str:
    wrist = '<camera name="wrist" pos="0 -.085 .075" xyaxes="1 0 0 0 .80 .60" fovy="64"/>'
    welds = "".join(f'<weld name="{kind}" body1="right" body2="{kind}" active="false"/>' for kind in KINDS)
    sensors = "".join(f'<force site="{hand}"/><torque site="{hand}"/>' for hand in HANDS)
    return f"""
<mujoco model="toolbox">
  <compiler angle="radian"/>
  <option timestep="0.002" gravity="0 0 0" integrator="implicitfast"/>
  <visual>
    <quality offsamples="0" shadowsize="0"/>
    <headlight ambient=".45 .45 .45" diffuse=".5 .5 .5" specular="0 0 0"/>
  </visual>
  <default>
    <geom solref="0.006 1" solimp="0.95 0.99 0.0005" mass="0.001"/>
    <equality solref="0.008 1"/>
    <default class="tool">
      <geom contype="1" conaffinity="3" friction="0.15 0.005 0.0001" mass="0.04" rgba="0 0 0 0"/>
    </default>
    <default class="wall">
      <geom contype="0" conaffinity="1" friction="0.15 0.005 0.0001" rgba=".72 .55 .38 1"/>
    </default>
    <default class="finger"><geom contype="2" conaffinity="0" friction="0.15 0.005 0.0001" rgba="0 0 0 0"/></default>
    <default class="knob"><geom contype="0" conaffinity="2"/></default>
    <default class="skin"><geom contype="0" conaffinity="0"/></default>
  </default>
  <worldbody>
    <geom name="table" type="plane" size=".4 .4 .1" rgba=".60 .60 .58 1" contype="0" conaffinity="3"
          friction="0.3 0.005 0.0001"/>
    <camera name="scene" pos=".01 -.25 .33" xyaxes="1 0 0 0 .75 .66" fovy="46"/>
    {_tray()}{_tools()}
    {_hand("left", ".20 .30 .55 1", "")}
    {_hand("right", ".25 .25 .28 1", wrist)}
  </worldbody>
  <equality>{welds}<connect name="knob" body1="left" body2="knob" anchor="0 0 0" active="false"/></equality>
  <actuator>{_actuators()}</actuator>
  <sensor>{sensors}</sensor>
</mujoco>"""
