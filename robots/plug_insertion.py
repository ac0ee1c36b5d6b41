"""Plug insertion: a robot that has to feel what it cannot see.

    insert the plug into the blue socket

The action moves the commanded position; the plug follows like a spring, so a blocked plug presses
harder with every further command, and nothing but the wrench at the wrist says how hard. A good
insertion goes down gently (the rim's height is not known), presses until the latch clicks, and lets
go. Pressing too hard breaks the connector; the other socket is the wrong one. `robots/README.md` has the
physics with its numbers; `robots/connector.py` is the latch, `robots/scene.py` the geometry.
"""

import dataclasses
import math
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from policy.errors import ConfigError
from policy.schema import Float32, Observation, Outcome
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.connector import ConnectorConfig, Latch
from robots.robot import TaskStatus
from robots.scene import CAMERAS, Scene, arrange, new_model
from robots.simulation import Pictures, mujoco

_AXES = ("x", "y", "z")
_WRENCH = ("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z")
_FORCE_UNIT_N = 10.0
_TORQUE_UNIT_N_M = 0.1
_SATURATION = 5.0
"""Largest reading of each wrench channel, in its unit."""
_WORKSPACE_M = ((-0.09, -0.09, -0.02), (0.09, 0.09, 0.10))
"""Of the command; below the table, so that it too can be pressed on."""
_REACH_M = ((-0.10, -0.10, -0.02), (0.10, 0.10, 0.11))
"""Of the plug itself, which swings a little past the command: limits of the position reading."""
_INSIDE_M = 0.0015
"""A tip within this of a socket's axis, and below its rim, is in the hole."""
_SMOOTHING = 0.3
"""Per sub-step, of the wrench: a sensor with about 80 Hz of bandwidth."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlugInsertionConfig:
    """The task's numbers."""

    control_rate_hz: float = 20.0
    """Control ticks per second of robot time."""
    num_substeps: int = 25
    """Physics steps of 2 ms in one tick."""
    max_steps: int = 120
    """Ticks until the episode is cut."""
    image_size: int = 64
    """Height and width of both cameras, pixels."""
    step_m: float = 0.008
    """Motion of the command per axis and tick at action 1."""
    lead_m: float = 0.020
    """The command never leads the plug by more: 14 N at most."""
    reading_ages: tuple[int, ...] = (18, 14, 11, 8, 6, 4, 3, 2, 1, 0)
    """Ages, in ticks, of the wrench readings in the tactile vector: dense now, sparse back to 0.9 s, so
    that a click stays felt while the plug is let go."""
    force_noise: float = 0.02
    """Standard deviation of each wrench channel, in units of 10 N and 0.1 N m."""
    position_noise_m: float = 0.0001
    """Standard deviation of each position reading, before rounding to 0.1 mm."""
    connector: ConnectorConfig = dataclasses.field(default_factory=ConnectorConfig)
    """What happens inside the sockets."""

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise ConfigError("max_steps must be at least 1", max_steps=self.max_steps)
        if not self.reading_ages or min(self.reading_ages) < 0:
            raise ConfigError("reading_ages must be one or more ages of 0 or above", reading_ages=self.reading_ages)


def _spec(config: PlugInsertionConfig) -> EmbodimentSpec:
    size = config.image_size
    return EmbodimentSpec(
        name="plug-insertion",
        control_rate_hz=config.control_rate_hz,
        state=tuple(
            ChannelSpec(name=f"tip_{axis}", unit="m", low=low, high=high)
            for axis, low, high in zip(_AXES, *_REACH_M, strict=True)
        ),
        tactile=tuple(
            ChannelSpec(
                name=f"{name}[{-age}]", unit="10 N" if name < "t" else "0.1 N m", low=-_SATURATION, high=_SATURATION
            )
            for age in config.reading_ages
            for name in _WRENCH
        ),
        action=tuple(
            ChannelSpec(name=f"move_{axis}", unit=f"{config.step_m * 1000:g} mm", low=-1.0, high=1.0) for axis in _AXES
        ),
        cameras=tuple(CameraSpec(name=name, height=size, width=size) for name in CAMERAS),
    )


class PlugInsertion:
    """A simulated robot (`robots.robot.Robot`) with this task."""

    task_id = "plug_insertion"
    is_simulated = True

    def __init__(self, config: PlugInsertionConfig | None = None) -> None:
        self._config = config or PlugInsertionConfig()
        self._spec = _spec(self._config)
        self._model = new_model()
        self._data = mujoco.MjData(self._model)
        self._push = self._data.xfrc_applied[self._model.body("plug").id]
        self._wrench = np.zeros(6)
        self._target = np.zeros(3)
        self._low, self._high = np.array(_WORKSPACE_M[0]), np.array(_WORKSPACE_M[1])
        self._units = np.array([_FORCE_UNIT_N] * 3 + [_TORQUE_UNIT_N_M] * 3)
        self._readings = np.zeros((max(self._config.reading_ages) + 1, 6), np.float32)
        self._reading_rows = [-1 - age for age in self._config.reading_ages]
        self._pictures = Pictures(self.task_id, self._model, self._data, CAMERAS, self._config.image_size)
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
        """The plug slides along three axes and never turns."""
        return True

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
        """Move the command by float32[3] for one control period; see `Robot.apply`."""
        config, data = self._config, self._data
        start = self._target.copy()
        lead = config.lead_m
        np.add(self._target, np.asarray(action, float) * config.step_m, out=self._target)
        np.clip(self._target, data.qpos - lead, data.qpos + lead, out=self._target)
        np.clip(self._target, self._low, self._high, out=self._target)
        self._move(start)
        self._num_steps += 1
        self._track_progress()
        self._sense()
        return self._judge()

    def hold(self) -> TaskStatus:
        """Keep the command where it is for one control period."""
        return self.apply(np.zeros(3, np.float32))

    def privileged(self) -> Mapping[str, float]:
        """What only a simulator knows: metres, newtons, ticks, and flags as 0 or 1."""
        target = self._scene.sockets[self._scene.target]
        other = self._scene.sockets[1 - self._scene.target]
        x, y, z = (float(v) for v in self._data.qpos)
        return {
            "tip_x_m": x,
            "tip_y_m": y,
            "tip_z_m": z,
            "target_x_m": target.x_m,
            "target_y_m": target.y_m,
            "target_rim_m": target.rim_m,
            "other_x_m": other.x_m,
            "other_y_m": other.y_m,
            "other_rim_m": other.rim_m,
            "force_x_n": float(self._wrench[0]),
            "force_y_n": float(self._wrench[1]),
            "force_z_n": float(self._wrench[2]),
            "force_n": self._force_n,
            "is_latched": float(self._latches[self._scene.target].is_latched),
            "num_idle_ticks": float(self._num_idle),
            "num_steps": float(self._num_steps),
        }

    def close(self) -> None:
        """Nothing to release: the camera is shared."""

    def _start(self, scene_seed: int) -> None:
        self._rng = np.random.default_rng(scene_seed)
        self._scene = Scene.draw(self._rng)
        self._latches = tuple(Latch(self._config.connector, socket) for socket in self._scene.sockets)
        first, second = self._latches
        mujoco.mj_resetData(self._model, self._data)
        arrange(self._model, self._scene, (first.stop_depth_m, second.stop_depth_m))
        colour = self._scene.sockets[self._scene.target].colour
        self._instruction = f"insert the plug into the {colour} socket"
        self._data.qpos[:] = self._target[:] = self._data.ctrl[:] = self._scene.tip_m
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
            x, y, z = data.qpos.tolist()
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
        self._readings[-1] = np.clip(reading, -_SATURATION, _SATURATION)
        position = self._data.qpos + self._rng.normal(0, config.position_noise_m, 3)
        self._state = np.clip(np.round(position, 4), *_REACH_M).astype(np.float32)
        self._pictures.forget()

    def _track_progress(self) -> None:
        socket = self._scene.sockets[self._scene.target]
        x, y, z = self._data.qpos
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
