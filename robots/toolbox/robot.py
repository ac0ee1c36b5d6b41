"""Two-arm toolbox packing: a task of several stages, in which each hand needs the other.

    pack the blue screwdriver into the left slot and close the lid

The lid falls shut unless the left hand holds it up; meanwhile the right hand grasps the tool, presses it
into its slot until the clip clicks, and lets go; then the left hand presses the lid until its latch
clicks. As in plug insertion an action moves a command, each hand follows like a spring, and only touch
says how hard hands press and fingers squeeze. `robots/README.md` has the physics with its numbers.
"""

import dataclasses
import math
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from policy.errors import ConfigError
from policy.schema import Float32, Observation, Outcome
from policy.spec import EmbodimentSpec
from robots.robot import TaskStatus
from robots.simulation import Pictures, mujoco
from robots.toolbox.box import Box, BoxConfig
from robots.toolbox.goals import Facts, Stage, missing, stage_of
from robots.toolbox.hands import Hand, HandConfig
from robots.toolbox.model import CAMERAS, HANDS, TOOL_WEIGHT_N, arrange, new_model
from robots.toolbox.scene import KINDS, SLOTS, Scene
from robots.toolbox.senses import Senses, SensesConfig, new_spec
from robots.toolbox.truth import CLEAR_M, privileged, to_go

_SMOOTHING = 0.3
"""Per sub-step, of the wrench: a sensor with about 80 Hz of bandwidth."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolboxConfig:
    """The task's numbers."""

    control_rate_hz: float = 20.0
    """Control ticks per second of robot time."""
    num_substeps: int = 25
    """Physics steps of 2 ms in one tick."""
    max_steps: int = 240
    """Ticks until the episode is cut."""
    swaps_tools: bool = False
    """Whether either tool may lie in either place: then the named one has to be found by sight alone."""
    hand: HandConfig = dataclasses.field(default_factory=HandConfig)
    """What both hands can do and bear."""
    box: BoxConfig = dataclasses.field(default_factory=BoxConfig)
    """What tray and lid do to them."""
    senses: SensesConfig = dataclasses.field(default_factory=SensesConfig)
    """What is seen and felt."""

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise ConfigError("max_steps must be at least 1", max_steps=self.max_steps)


class Toolbox:
    """A simulated robot (`robots.robot.Robot`) with this task."""

    task_id = "toolbox"
    is_simulated = True

    def __init__(self, config: ToolboxConfig | None = None) -> None:
        self._config = config or ToolboxConfig()
        self._spec = new_spec(self._config.control_rate_hz, self._config.hand, self._config.senses)
        self._model = new_model()
        self._data = mujoco.MjData(self._model)
        grasps = {"left": ("knob",), "right": KINDS}
        self._hands = [Hand(name, self._model, self._data, self._config.hand, grasps[name]) for name in HANDS]
        self._wrench = np.zeros(12)
        self._trace = np.zeros((self._config.num_substeps, 12))
        self._pictures = Pictures(self.task_id, self._model, self._data, CAMERAS, self._config.senses.image_size)
        self.restart(0)

    @property
    def spec(self) -> EmbodimentSpec:
        """See `robots.robot.Robot`."""
        return self._spec

    @property
    def camera_yaws_rad(self) -> Mapping[str, float]:
        """See `robots.robot.Oriented`; the wrist's camera turns with the hand."""
        return {"scene": 0.0}

    @property
    def is_tool_fixed(self) -> bool:
        """Both hands turn."""
        return False

    @property
    def scene(self) -> Scene:
        """What the seed of this episode decided; for tests and pictures, not for policies."""
        return self._scene

    @property
    def stage(self) -> Stage:
        """The sub-goal under way."""
        return self._stage

    def reset(self, scene_seed: int) -> Observation:
        """Start an episode; the same seed gives the same scene and the same sensor noise."""
        self.restart(scene_seed)
        return self.observe()

    def restart(self, scene_seed: int) -> None:
        """Start an episode without taking pictures of it."""
        model, data = self._model, self._data
        rng = np.random.default_rng(scene_seed)
        self._scene = Scene.draw(rng, swaps_tools=self._config.swaps_tools)
        mujoco.mj_resetData(model, data)
        for kind in KINDS:
            data.xfrc_applied[model.body(kind).id, 2] = -TOOL_WEIGHT_N
        self._box = Box(self._config.box, self._scene, model, data)
        arrange(model, data, self._scene, self._box.stops)
        for hand, start in zip(self._hands, (self._scene.left, self._scene.right), strict=True):
            hand.place(start)
        self._wrench[:] = 0
        self._num_steps = self._num_relaxed = self._num_idle = 0
        self._most_n = [0.0, 0.0]
        self._least_to_go = math.inf
        mujoco.mj_forward(model, data)
        self._stage = stage_of(self._facts())
        self._senses = Senses(self._config.senses, self._spec, rng)
        self._senses.sense(self._hands)
        self._pictures.forget()

    def observe(self) -> Observation:
        """Sense, without moving; the same until the next `apply` or `hold`."""
        return Observation(
            frames=self._pictures.take(),
            state=self._senses.state,
            tactile=self._senses.tactile,
            instruction=self._scene.instruction,
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        """Move both commands by float32[14] for one control period; see `Robot.apply`."""
        wanted = np.asarray(action, float).reshape(2, 7)
        self._move(np.concatenate([hand.steer(part) for hand, part in zip(self._hands, wanted, strict=True)]))
        for hand in self._hands:
            hand.update_grasp()
        self._num_steps += 1
        self._track_progress()
        self._senses.sense(self._hands)
        self._pictures.forget()
        return self._judge()

    def hold(self) -> TaskStatus:
        """Keep both commands where they are for one control period."""
        return self.apply(np.zeros(14, np.float32))

    def privileged(self) -> Mapping[str, float]:
        """What only a simulator knows: metres, radians, newtons, ticks, and flags as 0 or 1."""
        return privileged(
            self._scene,
            self._box,
            self._hands,
            self._data.qpos,
            stage=self._stage,
            num_idle_ticks=self._num_idle,
            num_steps=self._num_steps,
        )

    def close(self) -> None:
        """Nothing to release: the camera is shared."""

    def _move(self, set_points: NDArray[np.float64]) -> None:
        """One control period of physics; the springs' set points slide to their new places."""
        model, data, wrench, trace = self._model, self._data, self._wrench, self._trace
        ctrl, sensors, push = data.ctrl, data.sensordata, self._box.push
        increment = (set_points - ctrl) / self._config.num_substeps
        self._box.look()
        for row in trace:
            ctrl += increment
            push()
            mujoco.mj_step(model, data)
            wrench -= _SMOOTHING * (sensors + wrench)
            row[:] = wrench
        forces = trace.reshape(-1, 4, 3)[:, ::2]
        self._most_n = np.sqrt((forces * forces).sum(2).max(0)).tolist()
        for hand, part in zip(self._hands, wrench.reshape(2, 6), strict=True):
            hand.wrench[:] = part

    def _facts(self) -> Facts:
        scene, box = self._scene, self._box
        left, right = self._hands
        across_m, _ = box.to_tray(*right.pose[:2].tolist())
        return Facts(
            closes=scene.closes,
            is_held=right.held == KINDS[scene.target_tool],
            is_open=box.is_open,
            is_seated=box.is_seated(scene.target_tool, scene.target_slot),
            is_clear=right.held is None and across_m > CLEAR_M,
            is_closed=box.is_latched,
            is_relaxed=abs(left.wrench[2]) < self._config.box.latch.relaxed_n,
        )

    def _track_progress(self) -> None:
        before, self._stage = self._stage, stage_of(self._facts())
        left = to_go(self.privileged())
        if self._stage != before or left < self._least_to_go - 0.001:
            self._least_to_go, self._num_idle = left, 0
        else:
            self._num_idle += 1
        self._num_relaxed = self._num_relaxed + 1 if self._stage is Stage.DONE else 0

    def _judge(self) -> TaskStatus:
        sub_goal = missing(self._stage)
        if (reason := self._damage() or self._mistake()) is not None:
            return TaskStatus(is_terminal=True, outcome=Outcome.FAILURE, reason=reason, sub_goal=sub_goal)
        if self._num_relaxed >= self._config.box.latch.relaxed_ticks:
            return TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)
        if self._num_steps >= self._config.max_steps:
            reason = f"out of time: {sub_goal or 'not yet at rest'}"
            return TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason=reason, sub_goal=sub_goal)
        return TaskStatus(sub_goal=sub_goal)

    def _damage(self) -> str | None:
        left, right = self._hands
        names = {tool.kind: tool.name for tool in self._scene.tools} | {"knob": "knob of the lid"}
        for hand in self._hands:
            if hand.held is not None and hand.grips_n.max() > self._config.hand.crush_n:
                return f"crushed the {names[hand.held]}"
        if self._most_n[0] > self._config.box.latch.break_n:
            return "cracked the lid" if left.held else "left hand pressed too hard"
        if self._most_n[1] > self._config.box.clip.break_n:
            return f"bent the {names[right.held]}" if right.held else "right hand pressed too hard"
        return None

    def _mistake(self) -> str | None:
        scene, right = self._scene, self._hands[1]
        for index, tool in enumerate(scene.tools):
            for slot, slot_name in enumerate(SLOTS):
                if self._box.is_seated(index, slot) and (index, slot) != (scene.target_tool, scene.target_slot):
                    return f"wrong tool: {tool.name}" if index != scene.target_tool else f"wrong slot: {slot_name}"
            x, y = (float(self._data.joint(f"{tool.kind}_{axis}").qpos[0]) for axis in "xy")
            if not (right.low[0] < x < right.high[0] and right.low[1] < y < right.high[1]):
                return f"{tool.name} out of reach"
        return None
