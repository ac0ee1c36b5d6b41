"""Plug insertion: a robot that has to feel what it cannot see.

    insert the plug into the blue socket

The action moves the commanded position; the plug follows like a spring, so a blocked plug presses
harder with every further command, and nothing but the wrench at the wrist says how hard. A good
insertion goes down gently (the rim's height is not known), presses until the latch clicks, and lets
go. Pressing too hard breaks the connector; the other socket is the wrong one. `robots/README.md` has the
physics with its numbers; `robots/connector.py` is the latch, `robots/scene.py` and `robots/connector_shape.py`
the geometry. The configuration's variations make the task another one; a keyed plug also turns, which makes the
robot another embodiment.
"""

import math
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from policy.schema import Float32, Observation, Outcome
from policy.spec import EmbodimentSpec
from robots.connector import Latch
from robots.plug_insertion_config import (
    FORCE_UNIT_N,
    MAX_YAW_RAD,
    SATURATION,
    TORQUE_UNIT_N_M,
    PlugInsertionConfig,
    new_spec,
)
from robots.robot import TaskStatus
from robots.scene import CAMERAS, Scene, arrange, new_model
from robots.simulation import Pictures, mujoco

__all__ = ["PlugInsertion", "PlugInsertionConfig"]

_WORKSPACE_M = ((-0.09, -0.09, -0.02), (0.09, 0.09, 0.10))
"""Of the command; below the table, so that it too can be pressed on."""
_INSIDE_M = 0.0015
"""A tip within this of a socket's axis, and below its rim, is in the hole."""
_SMOOTHING = 0.3
"""Per sub-step, of the wrench: a sensor with about 80 Hz of bandwidth."""


class PlugInsertion:
    """A simulated robot (`robots.robot.Robot`) with this task."""

    task_id = "plug_insertion"
    is_simulated = True

    def __init__(self, config: PlugInsertionConfig | None = None) -> None:
        self._config = config = config or PlugInsertionConfig()
        self._spec = new_spec(config)
        self._model = new_model(config.shape, config.clearance_m, config.friction)
        self._data = mujoco.MjData(self._model)
        self._push = self._data.xfrc_applied[self._model.body("plug").id]
        self._wrench = np.zeros(6)
        turn = [1.0] if config.turns else []
        self._target = np.zeros(3 + len(turn))
        self._steps = np.array([config.step_m] * 3 + [config.step_rad for _ in turn])
        self._leads = np.array([config.lead_m] * 3 + [config.lead_rad for _ in turn])
        self._state_noise = np.array([config.position_noise_m] * 3 + [config.turn_noise_rad for _ in turn])
        self._low = np.array([*_WORKSPACE_M[0], *(-MAX_YAW_RAD * one for one in turn)])
        self._high = np.array([*_WORKSPACE_M[1], *(MAX_YAW_RAD * one for one in turn)])
        self._least = np.array([channel.low for channel in self._spec.state])
        self._most = np.array([channel.high for channel in self._spec.state])
        self._units = np.array([FORCE_UNIT_N] * 3 + [TORQUE_UNIT_N_M] * 3)
        oldest = max(config.reading_ages) + config.touch_delay_ticks
        self._readings = np.zeros((oldest + 1, 6), np.float32)
        self._reading_rows = [-1 - age - config.touch_delay_ticks for age in config.reading_ages]
        kind = self.task_id if config.shape == "square" else f"{self.task_id}/{config.shape}"
        self._pictures = Pictures(kind, self._model, self._data, CAMERAS, config.image_size)
        self._start(0)

    @property
    def spec(self) -> EmbodimentSpec:
        """See `robots.robot.Robot`."""
        return self._spec

    @property
    def camera_yaws_rad(self) -> Mapping[str, float]:
        """See `robots.robot.Oriented`; neither camera turns, the wrist's included."""
        rights = self._model.cam_mat0.reshape(-1, 3, 3)[:, :, 0]
        return {name: math.atan2(*rights[self._model.camera(name).id][1::-1]) for name in CAMERAS}

    @property
    def is_tool_fixed(self) -> bool:
        """The plug slides along three axes; only a keyed one turns."""
        return not self._config.turns

    @property
    def scene(self) -> Scene:
        """What the seed of this episode decided; for tests and pictures, not for policies."""
        return self._scene

    def reset(self, scene_seed: int) -> Observation:
        """Start an episode; the same seed gives the same scene and the same sensor noise."""
        self._start(scene_seed)
        return self.observe()

    def observe(self) -> Observation:
        """Sense, without moving; the same until the next `apply` or `hold`."""
        return Observation(
            frames=self._pictures.take(),
            state=self._state.copy(),
            tactile=self._readings[self._reading_rows].reshape(-1),
            instruction=self._instruction,
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        """Move the command by float32[A] for one control period; see `Robot.apply`."""
        data, leads = self._data, self._leads
        start = self._target.copy()
        np.add(self._target, np.asarray(action, float) * self._steps, out=self._target)
        np.clip(self._target, data.qpos - leads, data.qpos + leads, out=self._target)
        np.clip(self._target, self._low, self._high, out=self._target)
        self._move(start)
        self._num_steps += 1
        self._track_progress()
        self._sense()
        return self._judge()

    def hold(self) -> TaskStatus:
        """Keep the command where it is for one control period."""
        return self.apply(np.zeros(len(self._target), np.float32))

    def privileged(self) -> Mapping[str, float]:
        """What only a simulator knows: metres, radians, newtons, ticks, and flags as 0 or 1."""
        target = self._scene.sockets[self._scene.target]
        other = self._scene.sockets[1 - self._scene.target]
        x, y, z, *turn = (float(v) for v in self._data.qpos)
        force_x_n, force_y_n = self._sideways_n(*turn)
        truth = {
            "tip_x_m": x,
            "tip_y_m": y,
            "tip_z_m": z,
            "target_x_m": target.x_m,
            "target_y_m": target.y_m,
            "target_rim_m": target.rim_m,
            "other_x_m": other.x_m,
            "other_y_m": other.y_m,
            "other_rim_m": other.rim_m,
            "force_x_n": force_x_n,
            "force_y_n": force_y_n,
            "force_z_n": float(self._wrench[2]),
            "force_n": self._force_n,
            "is_latched": float(self._latches[self._scene.target].is_latched),
            "num_idle_ticks": float(self._num_idle),
            "num_steps": float(self._num_steps),
        }
        return truth | ({"yaw_rad": turn[0], "target_yaw_rad": target.yaw_rad} if turn else {})

    def _sideways_n(self, yaw_rad: float = 0.0) -> tuple[float, float]:
        """Force on the plug along the table's x and y; the sensor turns with the plug."""
        x, y = float(self._wrench[0]), float(self._wrench[1])
        if not yaw_rad:
            return x, y
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        return cos * x - sin * y, sin * x + cos * y

    def close(self) -> None:
        """Nothing to release: the camera is shared."""

    def _start(self, scene_seed: int) -> None:
        self._rng = np.random.default_rng(scene_seed)
        shape = self._config.shape
        self._scene = Scene.draw(self._rng, shape, self._config.sockets_shift_m)
        self._latches = tuple(Latch(self._config.connector, socket) for socket in self._scene.sockets)
        first, second = self._latches
        mujoco.mj_resetData(self._model, self._data)
        arrange(self._model, self._scene, shape, (first.stop_depth_m, second.stop_depth_m))
        colour = self._scene.sockets[self._scene.target].colour
        self._instruction = f"insert the plug into the {colour} socket"
        self._target[:] = 0
        self._target[:3] = self._scene.tip_m
        self._data.qpos[:] = self._data.ctrl[:] = self._target
        self._wrench[:] = 0
        self._num_steps = self._num_relaxed = self._num_idle = 0
        self._least_to_go_m = math.inf
        self._is_broken = False
        mujoco.mj_forward(self._model, self._data)
        self._readings[:] = self._rng.normal(0, self._config.force_noise, self._readings.shape)
        self._sense()

    @property
    def _force_n(self) -> float:
        return math.sqrt(float(self._wrench[:3] @ self._wrench[:3]))

    def _move(self, start: NDArray[np.float64]) -> None:
        """One control period of physics; the command slides from `start` to the target."""
        model, data, wrench, push = self._model, self._data, self._wrench, self._push
        increment = (self._target - start) / self._config.num_substeps
        data.ctrl[:] = start
        break_n = self._config.connector.break_n
        nearest = self._nearest_socket()
        socket, latch = self._scene.sockets[nearest], self._latches[nearest]
        for _ in range(self._config.num_substeps):
            data.ctrl += increment
            x, y, z, *_ = data.qpos.tolist()
            inside = z < socket.rim_m and abs(x - socket.x_m) < _INSIDE_M and abs(y - socket.y_m) < _INSIDE_M
            push[2] = latch.force(socket.rim_m - z) if inside else 0.0
            mujoco.mj_step(model, data)
            wrench -= _SMOOTHING * (data.sensordata + wrench)
            self._is_broken = self._is_broken or self._force_n > break_n

    def _nearest_socket(self) -> int:
        x, y = self._data.qpos[0], self._data.qpos[1]
        first, second = (math.hypot(x - s.x_m, y - s.y_m) for s in self._scene.sockets)
        return 0 if first <= second else 1

    def _sense(self) -> None:
        config = self._config
        self._readings[:-1] = self._readings[1:]
        reading = self._wrench / self._units + self._rng.normal(0, config.force_noise, 6)
        self._readings[-1] = np.clip(reading, -SATURATION, SATURATION)
        pose = self._data.qpos + self._rng.normal(0, self._state_noise)
        self._state = np.clip(np.round(pose, 4), self._least, self._most).astype(np.float32)
        self._pictures.forget()

    def _track_progress(self) -> None:
        socket = self._scene.sockets[self._scene.target]
        x, y, z = self._data.qpos[:3]
        to_go = math.hypot(x - socket.x_m, y - socket.y_m) + abs(z - socket.rim_m + socket.latch_depth_m)
        if to_go < self._least_to_go_m - 0.001:
            self._least_to_go_m, self._num_idle = to_go, 0
        else:
            self._num_idle += 1

    def _judge(self) -> TaskStatus:
        connector, target = self._config.connector, self._scene.target
        if self._is_broken:
            return TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="broken connector")
        if self._latches[1 - target].is_latched:
            return TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason="wrong socket")
        relaxed = self._latches[target].is_latched and abs(self._wrench[2]) < connector.relaxed_n
        self._num_relaxed = self._num_relaxed + 1 if relaxed else 0
        if self._num_relaxed >= connector.relaxed_ticks:
            return TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)
        if self._num_steps >= self._config.max_steps:
            return TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time")
        return TaskStatus()
