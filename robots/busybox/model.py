"""The box, the gripper and the wire in MuJoCo: geometry, and how an episode changes it.

The gripper moves on five joints (x, y, z, twist, opening), each pulled by a spring towards its command.
Its two fingers are the only things that touch the parts; the wire's plug also touches sockets and
panel. Knob and plug are held by friction alone.
"""

import math

from robots import simulation
from robots.busybox.layout import DOCK_M, PARTS, SOCKETS
from robots.busybox.modules import FLOOR_HALF_M, modules_mjcf
from robots.busybox.scene import Scene
from robots.simulation import mujoco

CAMERAS = ("wrist", "scene")
STIFFNESS_N_PER_M = (800.0, 800.0, 1500.0)
"""Of the arm: a millimetre of unmet command is 1.5 N along z."""
TWIST_N_M_PER_RAD = 0.25
"""Of the wrist: a tenth of a radian of unmet command is 0.025 N m."""
MAX_OPENING_M = 0.014
"""Of each finger from the middle."""
GRASP_M = 0.020
"""Height of the fingers' tips over the plug's lowest point when they hold it."""
OVERTRAVEL_M = 0.0015
"""A button goes this far past its click, to its end stop."""
SOCKET_TRAVEL_M = 0.002
"""The plug goes this far past the latch, to the socket's floor."""

_GRIP_N = 6.0
_LAMPS = ((0.10, 0.14, 0.10), (0.30, 1.0, 0.35))
"""Of the display: dark and lit."""


def new_model() -> mujoco.MjModel:
    """A model of its own for each robot."""
    return simulation.new_model(_mjcf)


def arrange(model: mujoco.MjModel, scene: Scene) -> None:
    """Place the modules and give their parts what the scene decides."""
    feel = scene.feel
    for module, place in scene.places.items():
        body = model.body(f"{module} module")
        body.pos[:2] = place.x_m, place.y_m
        half_rad = place.num_quarter_turns * math.pi / 4
        body.quat[:] = math.cos(half_rad), 0, 0, math.sin(half_rad)
    for part, cap_m, depth_m in zip(PARTS[:3], feel.cap_m, feel.click_depth_m, strict=True):
        model.body(part.name).pos[2] = cap_m
        model.joint(part.name).range[1] = depth_m + OVERTRAVEL_M
    for part, friction_n in zip((p for p in PARTS if p.module == "sliders"), feel.slider_friction_n, strict=True):
        model.joint(part.name).frictionloss[:] = friction_n
    for colour, rim_m, latch_m in zip(SOCKETS, feel.rim_m, feel.latch_depth_m, strict=True):
        model.body(f"{colour} socket").pos[2] = rim_m
        model.body(f"{colour} floor").pos[2] = rim_m - latch_m - SOCKET_TRAVEL_M - FLOOR_HALF_M
    for axis, dock_m in zip("xy", scene.places["wire"].point(DOCK_M), strict=True):
        model.joint(f"plug_{axis}").qpos_spring[:] = dock_m


def light(model: mujoco.MjModel, position: int) -> None:
    """Show a position of the knob on the display."""
    for index in range(len(PARTS[-1].positions)):
        model.geom(f"lamp{index}").rgba[:3] = _LAMPS[index == position]


def _gripper() -> str:
    fingers = "".join(
        f'<body name="{side} finger"><site name="{side}" pos="0 0 .045"/>'
        f'<joint name="{side} finger" type="slide" axis="{sign} 0 0" range="0 {MAX_OPENING_M}" armature=".02"/>'
        f'<geom class="finger" type="box" size=".003 .006 .022" pos="{sign * 0.003} 0 .022"/></body>'
        for side, sign in (("left", -1), ("right", 1))
    )
    slides = "".join(
        f'<joint name="{axis}" type="slide" axis="{direction}"/>'
        for axis, direction in (("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1"))
    )
    return f"""
    <body name="carriage">{slides}
      <geom class="skin" type="cylinder" size=".010 .006" pos="0 0 .062" rgba=".25 .25 .28 1" mass="0.1"/>
      <camera name="wrist" pos="0 -.060 .075" xyaxes="1 0 0 0 .80 .60" fovy="75"/>
      <body name="hand">
        <joint name="twist" type="hinge" axis="0 0 1" armature=".0005"/>
        <site name="wrist"/>
        <geom class="skin" type="box" size=".018 .006 .004" pos="0 0 .050" rgba=".25 .25 .28 1" mass="0.05"/>
        {fingers}
      </body>
    </body>"""


def _plug() -> str:
    slides = "".join(
        f'<joint name="plug_{axis}" type="slide" axis="{direction}" stiffness="{stiffness}" damping="{damping}"'
        ' armature=".02"/>'
        for axis, direction, stiffness, damping in (
            ("x", "1 0 0", 4, 1.5),
            ("y", "0 1 0", 4, 1.5),
            ("z", "0 0 1", 10, 1.5),
        )
    )
    return f"""
    <body name="plug">{slides}
      <geom class="wire" type="capsule" size=".005" fromto="0 0 .005 0 0 .020"/>
      <geom class="wire" type="capsule" size=".0065" fromto="0 0 .024 0 0 .034" friction="1.2" rgba=".95 .95 .9 1"/>
      <geom class="skin" type="capsule" size=".0025" fromto="0 0 .040 0 .012 .052" rgba=".95 .95 .9 1"/>
    </body>"""


def _mjcf() -> str:
    actuators = "".join(
        f'<position joint="{axis}" kp="{stiffness}" kv="{0.04 * stiffness}"/>'
        for axis, stiffness in zip("xyz", STIFFNESS_N_PER_M, strict=True)
    )
    # What may touch what: fingers touch parts, walls, plug and panel; the plug touches walls and panel.
    return f"""
<mujoco model="busybox">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.002" gravity="0 0 0" integrator="implicitfast" cone="elliptic" impratio="5"/>
  <visual>
    <quality offsamples="0" shadowsize="0" numslices="10" numstacks="5" numquads="2"/>
    <headlight ambient=".45 .45 .45" diffuse=".5 .5 .5" specular="0 0 0"/>
  </visual>
  <default>
    <geom friction="0.2 0.005 0.0001" solref="0.006 1" solimp="0.95 0.99 0.0005" mass="0.002"/>
    <joint solreflimit="0.006 1" solimplimit="0.95 0.99 0.0005"/>
    <default class="skin"><geom contype="0" conaffinity="0" mass="0.0005"/></default>
    <default class="part"><geom contype="0" conaffinity="1"/></default>
    <default class="wall"><geom contype="0" conaffinity="3"/></default>
    <default class="wire"><geom contype="2" conaffinity="1" rgba=".75 .75 .72 1"/></default>
    <default class="finger"><geom contype="1" conaffinity="0" mass="0.02" rgba=".35 .35 .4 1"/></default>
  </default>
  <worldbody>
    <geom name="panel" class="wall" type="plane" size=".5 .5 .1" rgba=".35 .30 .27 1"/>
    <camera name="scene" pos="0 -.215 .280" xyaxes="1 0 0 0 .79 .62" fovy="44"/>
    {_gripper()}
    {_plug()}
    {modules_mjcf()}
  </worldbody>
  <equality><joint joint1="left finger" joint2="right finger" solref="0.006 1"/></equality>
  <actuator>
    {actuators}
    <position joint="twist" kp="{TWIST_N_M_PER_RAD}" kv="{0.04 * TWIST_N_M_PER_RAD}"/>
    <position joint="left finger" kp="4000" kv="40" forcerange="{-2 * _GRIP_N} {2 * _GRIP_N}"/>
  </actuator>
  <sensor><force site="left"/><force site="right"/><torque site="wrist"/></sensor>
</mujoco>"""


def part_addresses(model: mujoco.MjModel) -> tuple[int, ...]:
    """Index into `qpos` and `qvel` of each part; the gripper's six joints and the plug's three come first."""
    return tuple(int(model.joint(part.name).qposadr[0]) for part in PARTS)
