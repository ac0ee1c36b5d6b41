"""The box of one episode: clips in its slots, and a lid that falls shut unless it is held or latched."""

import dataclasses
import math

from robots.connector import ConnectorConfig, Latch
from robots.simulation import mujoco
from robots.toolbox.model import LID_M, SLOT_X_M, Stops
from robots.toolbox.scene import KINDS, Scene

_INSIDE_M = (0.004, 0.006)
"""A tool this near to a slot's middle, across and along, and below the rim, is in it."""
_INSIDE_RAD = 0.15


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxConfig:
    """What the box does to hands and tools."""

    clip: ConnectorConfig = dataclasses.field(
        default_factory=lambda: ConnectorConfig(travel_m=0.003, break_n=11.0, retention_n=4.0)
    )
    """In each slot; `break_n` is what the right hand may press with."""
    latch: ConnectorConfig = dataclasses.field(
        default_factory=lambda: ConnectorConfig(travel_m=0.003, break_n=12.0, retention_n=4.0)
    )
    """Of the lid, at its knob; `break_n` is what the left hand may press with."""
    lid_n: float = 1.5
    """Force at the knob with which the lid falls shut."""
    open_rad: float = 1.15
    """From here on the lid is open."""


class Box:
    """Catches, stepped with the physics."""

    def __init__(self, config: BoxConfig, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._config, self._tray = config, scene.tray
        self._qpos, self._forces, self._torques = data.qpos, data.xfrc_applied, data.qfrc_applied
        self._tools = [(model.joint(f"{kind}_x").qposadr[0], model.body(kind).id) for kind in KINDS]
        self._halves_m = [tool.half_thickness_m for tool in scene.tools]
        self._lid = model.joint("lid").qposadr[0]
        self._lid_dof = model.joint("lid").dofadr[0]
        self._clips = [[Latch(config.clip, clip) for clip in scene.tray.clips] for _ in KINDS]
        self._latch = Latch(config.latch, scene.tray.latch)
        self._weights_n = [float(data.xfrc_applied[body][2]) for _, body in self._tools]
        self._near: list[tuple[int, int]] = []

    @property
    def stops(self) -> Stops:
        """Where what passed a catch ends."""
        first, second = (clip.stop_depth_m for clip in self._clips[0])
        return Stops(slots_m=(first, second), lid_rad=-self._latch.stop_depth_m / LID_M)

    @property
    def lid_rad(self) -> float:
        """How far the lid is open."""
        return float(self._qpos[self._lid])

    @property
    def is_open(self) -> bool:
        """Whether a hand passes beneath the lid."""
        return self.lid_rad > self._config.open_rad

    @property
    def is_latched(self) -> bool:
        """Whether the lid is closed for good."""
        return self._latch.is_latched

    def is_seated(self, tool: int, slot: int) -> bool:
        """Whether this tool has clicked into this slot."""
        return self._clips[tool][slot].is_latched

    def look(self) -> None:
        """Once a tick: which tools are near which slots; the others' clips need no stepping."""
        self._near.clear()
        for tool, (start, body) in enumerate(self._tools):
            x, y, _, yaw = self._qpos[start : start + 4].tolist()
            across, along = self.to_tray(x, y)
            slot = 0 if across < 0 else 1
            is_near = abs(across - SLOT_X_M[slot]) < 0.02 and abs(along) < 0.02
            if is_near and abs(_wrapped(yaw - self._tray.yaw_rad)) < _INSIDE_RAD:
                self._near.append((tool, slot))
            else:
                self._forces[body, 2] = self._weights_n[tool]
            for other in range(2):
                if (tool, other) not in self._near:
                    self._clips[tool][other].is_latched = False

    def push(self) -> None:
        """Once a physics step: what clips do to tools, and springs and latch to the lid."""
        for tool, slot in self._near:
            start, body = self._tools[tool]
            x, y, z = self._qpos[start : start + 3].tolist()
            across, along = self.to_tray(x, y)
            depth_m = self._tray.rim_m - z + self._halves_m[tool]
            is_inside = abs(across - SLOT_X_M[slot]) < _INSIDE_M[0] and abs(along) < _INSIDE_M[1] and depth_m > 0
            force_n = self._clips[tool][slot].force(depth_m) if is_inside else 0.0
            self._forces[body, 2] = self._weights_n[tool] + force_n
        lid_n = self._latch.force(-LID_M * math.sin(self._qpos[self._lid])) - self._config.lid_n
        self._torques[self._lid_dof] = lid_n * LID_M

    def to_tray(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Across and along the slots, in the tray's frame."""
        dx, dy = x_m - self._tray.x_m, y_m - self._tray.y_m
        cos, sin = math.cos(self._tray.yaw_rad), math.sin(self._tray.yaw_rad)
        return cos * dx + sin * dy, cos * dy - sin * dx


def _wrapped(angle_rad: float) -> float:
    return math.remainder(angle_rad, math.pi)
