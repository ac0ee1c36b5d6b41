"""The scene of plug insertion: geometry (MJCF) and what differs between episodes.

A gripper holds a plug on three slide joints, and on a fourth that turns it where sockets stand turned; its tip is
the point that all heights are measured at. Two sockets of different colours stand on the table. What the cameras
cannot tell is drawn anew for every episode: how high a socket's rim is (a pixel is worth about as much as the whole
range), how deep inside the latch sits, and how hard it resists.
"""

import dataclasses
import math

import numpy as np

from robots import connector_shape, simulation
from robots.connector_shape import MAX_TURN_RAD, STOP_HALF_M, Shape
from robots.simulation import mujoco

COLOURS = {
    "red": (0.85, 0.15, 0.15),
    "green": (0.15, 0.65, 0.25),
    "blue": (0.15, 0.35, 0.90),
    "yellow": (0.90, 0.80, 0.15),
}
CAMERAS = ("wrist", "scene")
NOMINAL_RIM_M = 0.025
"""Rim height of the average socket above the table."""
STIFFNESS_N_PER_M = (500.0, 500.0, 700.0)
"""Of the position actuators: along z, 1 mm of unmet command is 0.7 N of force. Softer to the sides, as
compliant wrists are, so that a plug finds its way in and only pressing breaks it."""
TURN_STIFFNESS_N_M_PER_RAD = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Socket:
    """One socket of one episode."""

    colour: str
    x_m: float
    y_m: float
    rim_m: float
    """Height of its rim above the table."""
    latch_depth_m: float
    """Depth below the rim at which the latch resists most."""
    latch_force_n: float
    """How much it resists there."""
    yaw_rad: float = 0.0
    """How it stands turned."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that a scene seed decides."""

    sockets: tuple[Socket, Socket]
    target: int
    """Index of the socket that the instruction names."""
    tip_m: tuple[float, float, float]
    """Where the plug's tip starts."""

    @classmethod
    def draw(
        cls, rng: np.random.Generator, shape: Shape = "square", shift_m: tuple[float, float] = (0.0, 0.0)
    ) -> "Scene":
        """A random scene with the sockets at least 62 mm apart, all of them `shift_m` from where they usually are."""
        while True:
            places = rng.uniform((-0.065, -0.045), (0.065, 0.045), (2, 2))
            if np.linalg.norm(places[0] - places[1]) > 0.062:
                break
        colours = rng.choice(list(COLOURS), 2, replace=False)
        first, second = (
            Socket(
                colour=str(colour),
                x_m=float(place[0]) + shift_m[0],
                y_m=float(place[1]) + shift_m[1],
                rim_m=NOMINAL_RIM_M + float(rng.uniform(-0.004, 0.004)),
                latch_depth_m=float(rng.uniform(0.006, 0.014)),
                latch_force_n=float(rng.uniform(5.5, 7.0)),
            )
            for colour, place in zip(colours, places, strict=True)
        )
        tip = rng.uniform((-0.05, -0.04, 0.055), (0.05, 0.04, 0.080))
        target = int(rng.integers(2))
        if shape == "keyed":
            turns = rng.uniform(-MAX_TURN_RAD, MAX_TURN_RAD, 2)
            first, second = (
                dataclasses.replace(socket, yaw_rad=float(turn))
                for socket, turn in zip((first, second), turns, strict=True)
            )
        return cls(
            sockets=(first, second),
            target=target,
            tip_m=(float(tip[0]), float(tip[1]), float(tip[2])),
        )


def new_model(shape: Shape, clearance_m: float, friction: float) -> mujoco.MjModel:
    """A model of its own for each robot; `clearance_m` is on each side."""
    return simulation.new_model(_mjcf, shape, clearance_m, friction)


def arrange(model: mujoco.MjModel, scene: Scene, shape: Shape, stop_depths_m: tuple[float, float]) -> None:
    """Place and paint the sockets; `stop_depths_m` is the depth of each hole's floor below its rim."""
    for name, socket, depth in zip("ab", scene.sockets, stop_depths_m, strict=True):
        model.body(f"socket_{name}").pos[:] = (socket.x_m, socket.y_m, socket.rim_m)
        model.body(f"stop_{name}").pos[:] = (socket.x_m, socket.y_m, socket.rim_m - depth - STOP_HALF_M)
        for body in (f"socket_{name}", f"stop_{name}"):
            model.body(body).quat[:] = (math.cos(socket.yaw_rad / 2), 0, 0, math.sin(socket.yaw_rad / 2))
        for part in range(connector_shape.num_walls(shape)):
            model.geom(f"wall_{name}{part}").rgba[:3] = COLOURS[socket.colour]


def _mjcf(shape: Shape, clearance_m: float, friction: float) -> str:
    # The floor of a hole is a body of its own: MuJoCo finds contacts by bounds that it compiles per body.
    sockets = "".join(
        f'<body name="socket_{name}" pos="0 {y} {NOMINAL_RIM_M}">'
        f"{connector_shape.walls(name, shape, clearance_m)}</body>"
        f'<body name="stop_{name}">{connector_shape.stop(shape, clearance_m)}</body>'
        for name, y in (("a", -0.04), ("b", 0.04))
    )
    slides = "".join(
        f'<joint name="{axis}" type="slide" axis="{x} {y} {z}"/>'
        for axis, x, y, z in (("x", 1, 0, 0), ("y", 0, 1, 0), ("z", 0, 0, 1))
    )
    actuators = "".join(
        f'<position joint="{axis}" kp="{stiffness}" kv="{0.04 * stiffness}"/>'
        for axis, stiffness in zip("xyz", STIFFNESS_N_PER_M, strict=True)
    )
    turn = ""
    if shape == "keyed":
        turn = '<joint name="yaw" type="hinge" axis="0 0 1" armature="1e-4"/>'
        stiffness = TURN_STIFFNESS_N_M_PER_RAD
        actuators += f'<position joint="yaw" kp="{stiffness}" kv="{0.04 * stiffness}"/>'
    return f"""
<mujoco model="plug_insertion">
  <option timestep="0.002" gravity="0 0 0" integrator="implicitfast"/>
  <visual>
    <quality offsamples="0" shadowsize="0"/>
    <headlight ambient=".45 .45 .45" diffuse=".5 .5 .5" specular="0 0 0"/>
  </visual>
  <default>
    <default class="part">
      <geom friction="{friction} 0.005 0.0001" solref="0.006 1" solimp="0.95 0.99 0.0005" mass="0.001"/>
    </default>
    <default class="skin"><geom contype="0" conaffinity="0"/></default>
  </default>
  <worldbody>
    <geom name="table" class="part" type="plane" size=".25 .25 .1" rgba=".55 .53 .5 1"/>
    <camera name="scene" pos="0 -0.30 0.20" xyaxes="1 0 0 0 .53 .85" fovy="39"/>
    {sockets}
    <body name="carriage">
      {slides}
      <geom class="skin" type="box" size=".022 .010 .008" pos="0 .006 .062" rgba=".25 .25 .28 1" mass="0.1"/>
      <camera name="wrist" pos="0 -0.050 0.055" xyaxes="1 0 0 0 .81 .58" fovy="70"/>
      <body name="plug">
        {turn}
        <site name="sensor" pos="0 0 0.045"/>
        {connector_shape.plug(shape)}
      </body>
    </body>
  </worldbody>
  <actuator>{actuators}</actuator>
  <sensor><force site="sensor"/><torque site="sensor"/></sensor>
</mujoco>"""
