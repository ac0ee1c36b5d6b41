"""BusyBox: a two-finger gripper at a box of controls.

    turn the knob to four

The action moves the commands of five joints, and each follows its command like a spring: whatever is in the
way is pressed, pushed or gripped harder with every further command. What the parts do inside is in
`robots/busybox/mechanisms.py`, what is asked in `goals.py`, what counts as done, wrong and broken in `judge.py`.
After arXiv 2602.05441 (BusyBox, Microsoft); `README.md` says how it differs.
"""

import dataclasses
import time
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from policy.errors import ConfigError
from policy.schema import Float32, Observation
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.busybox.goals import held_out_instructions, trained_instructions
from robots.busybox.judge import Judge, JudgeConfig
from robots.busybox.layout import DOCK_M, MODULES, PARTS
from robots.busybox.mechanisms import Box
from robots.busybox.model import CAMERAS, MAX_OPENING_M, arrange, light, new_model, part_addresses
from robots.busybox.scene import Scene
from robots.busybox.truth import Truth
from robots.robot import TaskStatus
from robots.simulation import Pictures, mujoco

_FINGERS = ("left_x", "left_y", "left_z", "right_x", "right_y", "right_z")
_FORCE_UNIT_N = 10.0
_SATURATION = 3.0
"""Largest reading of each force, in its unit."""
_WORKSPACE = ((-0.125, -0.09, -0.008, -2.3, -0.3), (0.125, 0.09, 0.10, 2.3, 1.0))
"""Of the command: below the panel, so that it too can be pressed on, and tighter than closed, to grip."""
_REACH = ((-0.135, -0.10, -0.01, -2.6, -0.1), (0.135, 0.10, 0.11, 2.6, 1.1))
"""Of the gripper itself, which swings a little past the command: limits of the state."""
_STATE = (("tip_x", "m"), ("tip_y", "m"), ("tip_z", "m"), ("twist", "rad"), ("opening", f"{MAX_OPENING_M * 1000:g} mm"))
_ROUNDING = (4, 4, 4, 3, 2)
"""Decimals of each reading of the state."""
_SMOOTHING = 0.3
"""Per sub-step, of the forces: a sensor with about 80 Hz of bandwidth."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BusyBoxConfig:
    """The task's numbers."""

    modules: tuple[str, ...] = MODULES
    """Modules that the instruction may ask for; all are there in any case."""
    is_rearranged: bool = False
    """Whether modules are swapped and turned anew in every episode."""
    wording: Literal["trained", "held_out"] = "trained"
    """Which of the goals' wordings instructions use."""
    control_rate_hz: float = 20.0
    """Control ticks per second of robot time."""
    num_substeps: int = 25
    """Physics steps of 2 ms in one tick."""
    max_steps: int = 140
    """Ticks until the episode is cut."""
    image_size: int = 64
    """Height and width of both cameras, pixels."""
    step_m: float = 0.010
    """Motion of the command per axis and tick at action 1."""
    step_rad: float = 0.20
    """Its twist."""
    step_opening: float = 0.25
    """Its opening, as a share of the whole."""
    lead_m: float = 0.012
    """The command never leads the gripper by more."""
    lead_rad: float = 0.5
    """Nor its twist."""
    reading_ages: tuple[int, ...] = (18, 14, 11, 8, 6, 4, 3, 2, 1, 0)
    """Ages, in ticks, of the readings in the tactile vector: dense now, sparse back to 0.9 s, so that a
    click stays felt while the part is let go."""
    force_noise: float = 0.02
    """Standard deviation of each finger's force, in units of 10 N."""
    state_noise: tuple[float, ...] = (0.0001, 0.0001, 0.0001, 0.002, 0.005)
    """Standard deviation of each reading of the state, before rounding."""
    judge: JudgeConfig = dataclasses.field(default_factory=JudgeConfig)
    """What counts as done, and what breaks."""

    def __post_init__(self) -> None:
        unknown = [module for module in self.modules if module not in MODULES]
        if unknown or not self.modules:
            raise ConfigError(f"modules must be some of {', '.join(MODULES)}", modules=self.modules)
        if self.wording not in ("trained", "held_out"):
            raise ConfigError("wording must be trained or held_out", wording=self.wording)
        if self.max_steps < 1:
            raise ConfigError("max_steps must be at least 1", max_steps=self.max_steps)
        if not self.reading_ages or min(self.reading_ages) < 0:
            raise ConfigError("reading_ages must be one or more ages of 0 or above", reading_ages=self.reading_ages)


def _spec(config: BusyBoxConfig) -> EmbodimentSpec:
    size = config.image_size
    metres = f"{config.step_m * 1000:g} mm"
    units = (metres, metres, metres, f"{config.step_rad:g} rad", f"{config.step_opening:g}")
    names = ("move_x", "move_y", "move_z", "twist", "gripper")
    return EmbodimentSpec(
        name="busybox",
        control_rate_hz=config.control_rate_hz,
        state=tuple(
            ChannelSpec(name=name, unit=unit, low=low, high=high)
            for (name, unit), low, high in zip(_STATE, *_REACH, strict=True)
        ),
        tactile=tuple(
            ChannelSpec(name=f"{name}[{-age}]", unit="10 N", low=-_SATURATION, high=_SATURATION)
            for age in config.reading_ages
            for name in _FINGERS
        ),
        action=tuple(
            ChannelSpec(name=name, unit=unit, low=-1.0, high=1.0) for name, unit in zip(names, units, strict=True)
        ),
        cameras=tuple(CameraSpec(name=name, height=size, width=size) for name in CAMERAS),
    )


class BusyBox:
    """A simulated robot (`robots.robot.Robot`) with this task.

    `scene`, `box` and `truth` of the episode are there for tests and pictures, not for policies.
    """

    task_id = "busybox"
    is_simulated = True

    def __init__(self, config: BusyBoxConfig | None = None) -> None:
        self._config = config = config or BusyBoxConfig()
        self._spec = _spec(config)
        self._model = new_model()
        self._data = mujoco.MjData(self._model)
        self._addresses = part_addresses(self._model)
        self._felt = np.zeros(9)
        self._target = np.zeros(5)
        self._steps = np.array([config.step_m] * 3 + [config.step_rad, config.step_opening])
        self._leads = np.array([config.lead_m] * 3 + [config.lead_rad, np.inf])
        self._low, self._high = np.array(_WORKSPACE[0]), np.array(_WORKSPACE[1])
        self._readings = np.zeros((max(config.reading_ages) + 1, len(_FINGERS)), np.float32)
        self._reading_rows = [-1 - age for age in config.reading_ages]
        self._pictures = Pictures(self.task_id, self._model, self._data, CAMERAS, self._config.image_size)
        self.restart(0)

    @property
    def spec(self) -> EmbodimentSpec:
        """See `robots.robot.Robot`."""
        return self._spec

    @property
    def camera_yaws_rad(self) -> Mapping[str, float]:
        """See `robots.robot.Oriented`; neither camera turns, the wrist's included."""
        return dict.fromkeys(CAMERAS, 0.0)

    @property
    def is_tool_fixed(self) -> bool:
        """The gripper twists."""
        return False

    def reset(self, scene_seed: int) -> Observation:
        """Start an episode; the same seed gives the same scene and the same sensor noise."""
        self.restart(scene_seed)
        return self.observe()

    def restart(self, scene_seed: int) -> None:
        """`reset`, without taking the first pictures."""
        self._rng = np.random.default_rng(scene_seed)
        config, data = self._config, self._data
        self.scene = scene = Scene.draw(self._rng, config.modules, is_rearranged=config.is_rearranged)
        wordings = trained_instructions if config.wording == "trained" else held_out_instructions
        words = wordings(scene.goal)
        self.instruction = words[scene.wording % len(words)]
        self.box = Box(scene)
        self.truth = Truth(scene, self.box)
        self._judge = Judge(config.judge, scene, self.box)
        mujoco.mj_resetData(self._model, data)
        arrange(self._model, scene)
        light(self._model, scene.positions[-1])
        self._target[:] = *scene.tip_m, scene.twist_rad, scene.opening
        data.qpos[:4], data.qpos[4:6] = self._target[:4], scene.opening * MAX_OPENING_M
        data.qpos[6:8] = scene.places["wire"].point(DOCK_M)
        for address, part, position in zip(self._addresses, PARTS, scene.positions, strict=True):
            data.qpos[address] = part.positions[position]
        self._command(self._target)
        self._felt[:] = 0
        self._num_steps = 0
        mujoco.mj_forward(self._model, data)
        self.truth.update(self._pose(), self._felt, self._values(), data.qpos[6:9])
        self._readings[:] = self._rng.normal(0, config.force_noise, self._readings.shape)
        self._sense()

    def observe(self) -> Observation:
        """Sense, without moving; the same until the next `apply` or `hold`."""
        return Observation(
            frames=self._pictures.take(),
            state=self._state.copy(),
            tactile=self._readings[self._reading_rows].reshape(-1),
            instruction=self.instruction,
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        """Move the commands by float32[5] for one control period; see `Robot.apply`."""
        start, pose = self._target.copy(), self._pose()
        self._target += np.asarray(action, float) * self._steps
        np.clip(self._target, pose - self._leads, pose + self._leads, out=self._target)
        np.clip(self._target, self._low, self._high, out=self._target)
        self._move(start)
        self._num_steps += 1
        self.truth.update(self._pose(), self._felt, self._values(), self._data.qpos[6:9])
        light(self._model, self.truth.shown_position)
        self._sense()
        return self._judge.judge(self.truth, self._num_steps, self._config.max_steps)

    def hold(self) -> TaskStatus:
        """Keep the commands where they are for one control period."""
        return self.apply(np.zeros(5, np.float32))

    def privileged(self) -> Mapping[str, float]:
        """What only a simulator knows: metres, radians, newtons, ticks, and flags as 0 or 1."""
        return self.truth.privileged() | {"num_steps": float(self._num_steps)}

    def close(self) -> None:
        """Nothing to release: the camera is shared."""

    def _pose(self) -> NDArray[np.float64]:
        """x, y, z, twist and opening, float64[5]."""
        pose: NDArray[np.float64] = self._data.qpos[:5].copy()
        pose[4] /= MAX_OPENING_M
        return pose

    def _values(self) -> list[float]:
        """The parts' joint values."""
        qpos = self._data.qpos
        return [float(qpos[address]) for address in self._addresses]

    def _command(self, target: NDArray[np.float64]) -> None:
        self._data.ctrl[:4], self._data.ctrl[4] = target[:4], target[4] * MAX_OPENING_M

    def _move(self, start: NDArray[np.float64]) -> None:
        """One control period of physics; the commands slide from `start` to the target."""
        model, data, felt, box = self._model, self._data, self._felt, self.box
        increment = (self._target - start) / self._config.num_substeps
        increment[4] *= MAX_OPENING_M
        self._command(start)
        addresses, applied = self._addresses, data.qfrc_applied
        for _ in range(self._config.num_substeps):
            data.ctrl += increment
            qpos = data.qpos.tolist()
            for address, mechanism in zip(addresses, box.mechanisms, strict=True):
                applied[address] = mechanism.force(qpos[address])
            applied[8] = box.wire_force(qpos[6:9])
            mujoco.mj_step(model, data)
            felt -= _SMOOTHING * (data.sensordata + felt)
            self._judge.feel(felt)

    def _sense(self) -> None:
        config = self._config
        self._readings[:-1] = self._readings[1:]
        reading = self._felt[:6] / _FORCE_UNIT_N + self._rng.normal(0, config.force_noise, 6)
        self._readings[-1] = np.clip(reading, -_SATURATION, _SATURATION)
        pose = self._pose() + self._rng.normal(0, config.state_noise)
        rounded = [round(float(value), digits) for value, digits in zip(pose, _ROUNDING, strict=True)]
        self._state = np.clip(rounded, *_REACH).astype(np.float32)
        self._pictures.forget()
