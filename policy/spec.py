"""What a robot's body is: dimensions, names, units, limits, cameras, rate.

A spec travels with every checkpoint and every step (as `spec_id`), so that weights never act on a
body they were not trained for. Data only: no I/O, numpy alone.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.errors import SchemaError

_MAX_SIDE_PIXELS = 8192
"""A spec may come from a stranger: memory is taken by these numbers."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CameraSpec:
    """One camera; its frames are uint8[height, width, 3], RGB, top row first."""

    name: str
    height: int
    width: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelSpec:
    """One scalar of the state, of the tactile reading or of the action."""

    name: str
    unit: str
    """SI unit, or "1" where there is none."""
    low: float = float("-inf")
    """Lowest value; finite for every action channel."""
    high: float = float("inf")
    """Highest value; finite for every action channel."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbodimentSpec:
    """The contract between one kind of robot and every policy that drives it."""

    name: str
    control_rate_hz: float
    """Control ticks per second of robot time."""
    state: tuple[ChannelSpec, ...]
    """Proprioception, S channels."""
    tactile: tuple[ChannelSpec, ...]
    """Touch, T channels, reading history included; may be empty."""
    action: tuple[ChannelSpec, ...]
    """One command, A channels, each with finite limits."""
    cameras: tuple[CameraSpec, ...]
    """Cameras in the order in which `Step.frames` stores them."""

    def __post_init__(self) -> None:
        if not self.control_rate_hz > 0:
            raise SchemaError("control_rate_hz must be above 0", control_rate_hz=self.control_rate_hz)
        if not self.action:
            raise SchemaError("a spec needs at least one action channel", spec=self.name)
        for channel in self.action:
            if not np.isfinite([channel.low, channel.high]).all() or channel.low >= channel.high:
                raise SchemaError(
                    "an action channel needs finite limits, low < high",
                    channel=channel.name,
                    low=channel.low,
                    high=channel.high,
                )
        for camera in self.cameras:
            sides = (camera.height, camera.width)
            if not all(type(side) is int and 1 <= side <= _MAX_SIDE_PIXELS for side in sides):
                raise SchemaError(f"a picture has 1 to {_MAX_SIDE_PIXELS} pixels a side", camera=camera.name, got=sides)

    @property
    def action_low(self) -> NDArray[np.float32]:
        """Lowest command, float32[A]."""
        return np.array([c.low for c in self.action], np.float32)

    @property
    def action_high(self) -> NDArray[np.float32]:
        """Highest command, float32[A]."""
        return np.array([c.high for c in self.action], np.float32)

    @property
    def spec_id(self) -> str:
        """Sixteen hex digits that change with any field: the embodiment's identity."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Canonical JSON; infinities are written as null, so that it is valid JSON."""
        fields = dataclasses.asdict(self)
        for group in ("state", "tactile", "action"):
            for channel in fields[group]:
                for bound in ("low", "high"):
                    channel[bound] = channel[bound] if np.isfinite(channel[bound]) else None
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "EmbodimentSpec":
        """The inverse of `to_json`.

        Raises:
            SchemaError: the text is not a spec.
        """
        try:
            fields = json.loads(text)
            spec = cls(
                name=fields["name"],
                control_rate_hz=fields["control_rate_hz"],
                state=_channels(fields["state"]),
                tactile=_channels(fields["tactile"]),
                action=_channels(fields["action"]),
                cameras=tuple(CameraSpec(**camera) for camera in fields["cameras"]),
            )
            spec.to_json()  # refuses numbers that are not finite where the spec needs finite ones
        except SchemaError:
            raise
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise SchemaError("not an embodiment spec", cause=str(error)) from error
        return spec


def _channels(items: list[Mapping[str, Any]]) -> tuple[ChannelSpec, ...]:
    bounds = {"low": float("-inf"), "high": float("inf")}
    return tuple(
        ChannelSpec(
            name=item["name"],
            unit=item["unit"],
            **{key: default if item.get(key) is None else item[key] for key, default in bounds.items()},
        )
        for item in items
    )
