"""One floating hand: its command, the springs between the command and the hand, its grasp, its touch.

A grasp is a constraint between hand and thing that exists while both fingers press a handle that lies
between them. So what is held does not slip, and physics stays cheap; how hard to press is still to be
felt: too little does not hold, too much crushes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from robots.simulation import mujoco
from robots.toolbox.model import FINGER_STIFFNESS_N_PER_M, MAX_OPENING_M
from robots.toolbox.scene import Start

AXES = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
_GRASP_BOX_M = (0.005, 0.018, 0.007)
"""A handle this near to the middle of the fingers, in the hand's frame, lies between them."""
_START_OPENING_M = 0.012


@dataclasses.dataclass(frozen=True, kw_only=True)
class HandConfig:
    """What both hands can do and bear."""

    step_m: float = 0.012
    """Motion of the command per axis and tick at action 1."""
    step_rad: float = 0.08
    """Turn of the command per axis and tick at action 1."""
    step_opening_m: float = 0.0025
    """Opening of each finger's command per tick at action 1: 1 N more or less on a handle."""
    lead_m: float = 0.020
    """The command never leads the hand by more: 14 N at most."""
    lead_rad: float = 0.30
    """Likewise of turns: 0.9 N m at most."""
    lead_opening_m: float = 0.025
    """Likewise of the fingers: 10 N at most."""
    hold_n: float = 1.2
    """With as much at both fingers a handle is held."""
    slip_n: float = 0.6
    """With less at both fingers together, on average, it is lost."""
    crush_n: float = 8.0
    """More at either finger crushes a handle."""


class Hand:
    """One hand in one simulation; commands float[7] are position, turns and opening."""

    def __init__(
        self, name: str, model: mujoco.MjModel, data: mujoco.MjData, config: HandConfig, grasps: Sequence[str]
    ) -> None:
        """`grasps` are the names of the equality constraints that tie this hand to things."""
        self._model, self._data, self._config = model, data, config
        joints = [model.joint(f"{name}_{axis}") for axis in (*AXES[:-1], "finger0", "finger1")]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        first = next(i for i in range(model.nu) if model.actuator(i).trnid[0] == joints[0].id)
        self._ctrl = slice(first, first + 8)
        self._body = model.body(name).id
        self._grasps = {model.equality(thing).id: thing for thing in grasps}
        steps = [config.step_m] * 3 + [config.step_rad] * 3 + [config.step_opening_m]
        leads = [config.lead_m] * 3 + [config.lead_rad] * 3 + [config.lead_opening_m]
        self._steps, self._leads = np.array(steps), np.array(leads)
        side = -1 if name == "left" else 1
        reach = (-0.17, 0.08) if side < 0 else (-0.11, 0.19)
        self.low = np.array([reach[0], -0.13, -0.02, -0.35, -0.35, -0.8, -0.020])
        self.high = np.array([reach[1], 0.13, 0.22, 0.35, 0.35, 0.8, MAX_OPENING_M])
        self.command = np.zeros(7)
        self.wrench = np.zeros(6)
        """What the world does to the hand, in the hand's frame: N and N m."""

    def place(self, start: Start) -> None:
        """Put the hand somewhere, at rest, holding nothing."""
        self.command[:] = (*start.position_m, *start.turn_rad, _START_OPENING_M)
        self._data.qpos[self._qpos] = self._data.ctrl[self._ctrl] = (*self.command, _START_OPENING_M)
        self.wrench[:] = 0
        self.release()

    @property
    def pose(self) -> NDArray[np.float64]:
        """Position, turns and opening as they are, float[7]."""
        joints: NDArray[np.float64] = self._data.qpos[self._qpos]
        joints[6] = 0.5 * (joints[6] + joints[7])
        return joints[:7]

    @property
    def grips_n(self) -> NDArray[np.float64]:
        """What each finger presses, N, float[2]: the deflection of its spring."""
        joints = self._data.qpos[self._qpos[6:]]
        grips: NDArray[np.float64] = np.maximum(0.0, FINGER_STIFFNESS_N_PER_M * (joints - self.command[6]))
        return grips

    @property
    def force_n(self) -> float:
        """Size of the force at the wrist."""
        return float(np.sqrt(self.wrench[:3] @ self.wrench[:3]))

    @property
    def held(self) -> str | None:
        """The thing in this hand."""
        return next((thing for grasp, thing in self._grasps.items() if self._data.eq_active[grasp]), None)

    def steer(self, action: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move the command by float[7]; the new set points of the springs, float[8]."""
        pose = self.pose
        self.command += action * self._steps
        np.clip(self.command, pose - self._leads, pose + self._leads, out=self.command)
        np.clip(self.command, self.low, self.high, out=self.command)
        return np.append(self.command, self.command[6])

    def update_grasp(self) -> None:
        """Take hold of what both fingers press, and lose what they do not."""
        grips = self.grips_n
        if self.held is not None:
            if grips.mean() < self._config.slip_n:
                self.release()
        elif grips.min() >= self._config.hold_n:
            for grasp in self._grasps:
                if self._is_between(grasp):
                    self._tie(grasp)
                    return

    def release(self) -> None:
        """Let go."""
        for grasp in self._grasps:
            self._data.eq_active[grasp] = 0

    def _offset_m(self, thing: int) -> NDArray[np.float64]:
        offset = np.zeros(3)
        away = self._data.xpos[thing] - self._data.xpos[self._body]
        mujoco.mju_mulMatTVec3(offset, self._data.xmat[self._body], away)
        return offset

    def _is_between(self, grasp: int) -> bool:
        return bool((np.abs(self._offset_m(self._model.eq_obj2id[grasp])) < _GRASP_BOX_M).all())

    def _tie(self, grasp: int) -> None:
        """Switch the constraint on, at the pose in which the thing is."""
        model, data, thing = self._model, self._data, self._model.eq_obj2id[grasp]
        values = model.eq_data[grasp]
        if model.eq_type[grasp] == mujoco.mjtEq.mjEQ_CONNECT:
            values[:3], values[3:6] = self._offset_m(thing), 0
        else:
            inverse = np.zeros(4)
            mujoco.mju_negQuat(inverse, data.xquat[self._body])
            values[:3], values[3:6] = 0, self._offset_m(thing)
            mujoco.mju_mulQuat(values[6:10], inverse, data.xquat[thing])
        data.eq_active[grasp] = 1
