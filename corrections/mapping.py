"""From a device's axes to a robot's action: one definition for every device.

axis -> dead-zone -> curve -> speed level -> the action channel it is mapped to
"""

import dataclasses

from corrections.device import AXES, NUM_AXES
from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class MappingConfig:
    """How a device feels."""

    dead_zone: float = 0.05
    """Share of full deflection around rest that does nothing: a bump or drift must not move a robot."""
    curve: float = 2.0
    """Exponent beyond the dead-zone: 1 is linear, above it fine motion gets more of the way."""
    speeds: tuple[float, ...] = (0.25, 0.5, 1.0)
    """Share of full motion at the levels fine, normal, fast."""
    axes: tuple[str, ...] = AXES
    """Axis for each action channel in order, x y z roll pitch yaw; a leading - turns it round."""

    def __post_init__(self) -> None:
        if not 0 <= self.dead_zone < 1:
            raise ConfigError("dead_zone must lie in [0, 1)", dead_zone=self.dead_zone)
        if not self.curve > 0:
            raise ConfigError("curve must be above 0", curve=self.curve)
        if not self.speeds or not all(0 < speed <= 1 for speed in self.speeds):
            raise ConfigError("speeds must lie in (0, 1]", speeds=self.speeds)
        for axis in self.axes:
            if axis.removeprefix("-") not in AXES:
                raise ConfigError(f"axes are {', '.join(AXES)}, each with or without a -", got=axis)


def shape(value: float, config: MappingConfig) -> float:
    """One axis after dead-zone and curve: 0 at the edge of the dead-zone, continuous, odd, +-1 at the end."""
    beyond = max(0.0, min(1.0, abs(value)) - config.dead_zone) / (1.0 - config.dead_zone)
    return float(beyond**config.curve) * (1.0 if value >= 0 else -1.0)


def action_of(
    axes: tuple[float, ...], config: MappingConfig, *, speed_level: int, num_action: int
) -> tuple[float, ...]:
    """The action, float[num_action] in [-1, 1].

    Args:
        axes: float[6] of the device.
        config: the mapping; action channels beyond its axes stay at rest.
        speed_level: index in `config.speeds`.
        num_action: channels of the robot.
    """
    assert len(axes) == NUM_AXES
    speed = config.speeds[speed_level]
    shaped = dict(zip(AXES, (shape(value, config) for value in axes), strict=True))
    mapped = [
        speed * shaped[axis.removeprefix("-")] * (-1.0 if axis.startswith("-") else 1.0)
        for axis in config.axes[:num_action]
    ]
    return tuple(mapped) + (0.0,) * (num_action - len(mapped))
