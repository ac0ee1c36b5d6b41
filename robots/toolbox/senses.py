"""What both hands say of themselves and what they feel: noise, rounding, and a history of readings."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from policy.errors import ConfigError
from policy.schema import Float32
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.toolbox.hands import AXES, Hand, HandConfig
from robots.toolbox.model import CAMERAS, HANDS, MAX_OPENING_M

_WRENCH = ("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z")
_FINGERS = ("finger_0", "finger_1")
_FORCE_UNIT_N = 10.0
_TORQUE_UNIT_N_M = 0.5
_SATURATION = 3.0
"""Largest reading of each tactile channel, in its unit."""
_UNITS = np.array([_FORCE_UNIT_N] * 3 + [_TORQUE_UNIT_N_M] * 3 + [_FORCE_UNIT_N] * 2)
_RANGES = (
    (-0.20, 0.22),
    (-0.16, 0.16),
    (-0.03, 0.24),
    (-0.7, 0.7),
    (-0.7, 0.7),
    (-1.1, 1.1),
    (0.0, MAX_OPENING_M + 0.002),
)
"""Of the state, in the order of `AXES`: a hand swings a little past its command."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SensesConfig:
    """What is seen and felt."""

    image_size: int = 64
    """Height and width of both cameras, pixels."""
    reading_ages: tuple[int, ...] = (12, 8, 5, 3, 2, 1, 0)
    """Ages, in ticks, of the readings in the tactile vector: dense now, sparse back to 0.6 s."""
    touch_noise: float = 0.02
    """Standard deviation of each tactile channel, in units of 10 N and 0.5 N m."""
    position_noise_m: float = 0.0001
    """Standard deviation of each position, before rounding to 0.1 mm."""
    turn_noise_rad: float = 0.002
    """Standard deviation of each turn, before rounding to 1 mrad."""

    def __post_init__(self) -> None:
        if not self.reading_ages or min(self.reading_ages) < 0:
            raise ConfigError("reading_ages must be one or more ages of 0 or above", reading_ages=self.reading_ages)


def new_spec(control_rate_hz: float, hand: HandConfig, senses: SensesConfig) -> EmbodimentSpec:
    """The embodiment: left hand first, everywhere."""
    moves = [f"{hand.step_m * 1000:g} mm"] * 3 + [f"{hand.step_rad:g} rad"] * 3 + [f"{hand.step_opening_m * 1000:g} mm"]
    units = ["m"] * 3 + ["rad"] * 3 + ["m"]
    touch = [*zip(_WRENCH, ["10 N"] * 3 + ["0.5 N m"] * 3, strict=True), *((finger, "10 N") for finger in _FINGERS)]
    return EmbodimentSpec(
        name="toolbox",
        control_rate_hz=control_rate_hz,
        state=tuple(
            ChannelSpec(name=f"{name}_{axis}", unit=unit, low=low, high=high)
            for name in HANDS
            for axis, unit, (low, high) in zip(AXES, units, _RANGES, strict=True)
        ),
        tactile=tuple(
            ChannelSpec(name=f"{name}_{channel}[{-age}]", unit=unit, low=-_SATURATION, high=_SATURATION)
            for age in senses.reading_ages
            for name in HANDS
            for channel, unit in touch
        ),
        action=tuple(
            ChannelSpec(name=f"{name}_{axis}", unit=unit, low=-1.0, high=1.0)
            for name in HANDS
            for axis, unit in zip(AXES, moves, strict=True)
        ),
        cameras=tuple(CameraSpec(name=name, height=senses.image_size, width=senses.image_size) for name in CAMERAS),
    )


class Senses:
    """The sensors of one episode."""

    def __init__(self, config: SensesConfig, spec: EmbodimentSpec, rng: np.random.Generator) -> None:
        self._config, self._rng = config, rng
        self._low = np.array([channel.low for channel in spec.state])
        self._high = np.array([channel.high for channel in spec.state])
        noise = [config.position_noise_m] * 3 + [config.turn_noise_rad] * 3 + [config.position_noise_m]
        self._noise = np.tile(noise, 2)
        self._grid = np.tile([1e-4] * 3 + [1e-3] * 3 + [1e-4], 2)
        self._rows = [-1 - age for age in config.reading_ages]
        self._readings = rng.normal(0, config.touch_noise, (max(config.reading_ages) + 1, 16)).astype(np.float32)
        self._state = np.zeros(14, np.float32)

    @property
    def state(self) -> Float32:
        """float32[14]: pose and opening of each hand; how far the commands are ahead is not in it."""
        return self._state.copy()

    @property
    def tactile(self) -> Float32:
        """float32[T]: wrench and fingers of each hand, oldest reading first."""
        tactile: Float32 = self._readings[self._rows].reshape(-1)
        return tactile

    def sense(self, hands: Sequence[Hand]) -> None:
        """Take one reading of everything."""
        felt = np.concatenate([np.concatenate([hand.wrench, hand.grips_n]) / _UNITS for hand in hands])
        felt += self._rng.normal(0, self._config.touch_noise, 16)
        self._readings[:-1] = self._readings[1:]
        self._readings[-1] = np.clip(felt, -_SATURATION, _SATURATION)
        pose = np.concatenate([hand.pose for hand in hands]) + self._rng.normal(0, self._noise)
        self._state = np.clip(np.round(pose / self._grid) * self._grid, self._low, self._high).astype(np.float32)
