"""The numbers of plug insertion, its variations among them, and the embodiment that they make."""

import dataclasses

from policy.errors import ConfigError
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.connector import ConnectorConfig
from robots.connector_shape import SHAPES, Shape
from robots.scene import CAMERAS

_AXES = ("x", "y", "z")
_WRENCH = ("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z")
FORCE_UNIT_N = 10.0
TORQUE_UNIT_N_M = 0.1
SATURATION = 5.0
"""Largest reading of each wrench channel, in its unit."""
_REACH_M = ((-0.10, -0.10, -0.02), (0.10, 0.10, 0.11))
"""Of the plug itself, which swings a little past the command: limits of the position reading."""
MAX_YAW_RAD = 0.6
"""Of the command of a plug that turns, either way."""
_MAX_SHIFT_M = 0.02
_CLEARANCES_M = (0.00005, 0.001)


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
    step_rad: float = 0.1
    """Turn of the command per tick at action 1, where the plug turns."""
    lead_rad: float = 0.3
    """The command never leads the plug's turn by more."""
    shape: Shape = "square"
    """square, round or keyed; a keyed plug has a fourth action and a fourth state, its turn."""
    clearance_m: float = 0.0003
    """Between plug and hole, on each side."""
    friction: float = 0.15
    """Between everything that touches."""
    sockets_shift_m: tuple[float, float] = (0.0, 0.0)
    """From where sockets usually stand, along x and y."""
    reading_ages: tuple[int, ...] = (18, 14, 11, 8, 6, 4, 3, 2, 1, 0)
    """Ages, in ticks, of the wrench readings in the tactile vector: dense now, sparse back to 0.9 s, so
    that a click stays felt while the plug is let go."""
    force_noise: float = 0.02
    """Standard deviation of each wrench channel, in units of 10 N and 0.1 N m."""
    touch_delay_ticks: int = 0
    """Age of the newest reading: how late the sensor reports."""
    position_noise_m: float = 0.0001
    """Standard deviation of each position reading, before rounding to 0.1 mm."""
    turn_noise_rad: float = 0.002
    """The same of the turn, rounded to 0.1 mrad."""
    connector: ConnectorConfig = dataclasses.field(default_factory=ConnectorConfig)
    """What happens inside the sockets."""

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise ConfigError("max_steps must be at least 1", max_steps=self.max_steps)
        if not self.reading_ages or min(self.reading_ages) < 0:
            raise ConfigError("reading_ages must be one or more ages of 0 or above", reading_ages=self.reading_ages)
        if self.shape not in SHAPES:
            raise ConfigError(f"shape must be one of {', '.join(SHAPES)}", shape=self.shape)
        if not _CLEARANCES_M[0] <= self.clearance_m <= _CLEARANCES_M[1]:
            raise ConfigError("clearance_m must lie in [0.00005, 0.001]", clearance_m=self.clearance_m)
        if not 0 <= self.friction <= 1:
            raise ConfigError("friction must lie in [0, 1]", friction=self.friction)
        if self.force_noise < 0 or self.touch_delay_ticks < 0:
            raise ConfigError("force_noise and touch_delay_ticks must not be negative")
        if len(self.sockets_shift_m) != 2 or max(map(abs, self.sockets_shift_m)) > _MAX_SHIFT_M:
            raise ConfigError("sockets_shift_m must be two numbers in [-0.02, 0.02]", value=self.sockets_shift_m)

    @property
    def turns(self) -> bool:
        """Whether the plug does."""
        return self.shape == "keyed"


def new_spec(config: PlugInsertionConfig) -> EmbodimentSpec:
    """The embodiment; a plug that turns is another one."""
    size = config.image_size
    state = [
        ChannelSpec(name=f"tip_{axis}", unit="m", low=low, high=high)
        for axis, low, high in zip(_AXES, *_REACH_M, strict=True)
    ]
    action = [
        ChannelSpec(name=f"move_{axis}", unit=f"{config.step_m * 1000:g} mm", low=-1.0, high=1.0) for axis in _AXES
    ]
    if config.turns:
        state.append(ChannelSpec(name="yaw", unit="rad", low=-MAX_YAW_RAD - 0.1, high=MAX_YAW_RAD + 0.1))
        action.append(ChannelSpec(name="turn", unit=f"{config.step_rad:g} rad", low=-1.0, high=1.0))
    return EmbodimentSpec(
        name="plug-insertion",
        control_rate_hz=config.control_rate_hz,
        state=tuple(state),
        tactile=tuple(
            ChannelSpec(
                name=f"{name}[{-age}]", unit="10 N" if name < "t" else "0.1 N m", low=-SATURATION, high=SATURATION
            )
            for age in config.reading_ages
            for name in _WRENCH
        ),
        action=tuple(action),
        cameras=tuple(CameraSpec(name=name, height=size, width=size) for name in CAMERAS),
    )
