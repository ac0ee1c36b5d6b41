"""What every input device is to us: six axes, a few named buttons, and how old they are.

Axes are x right, y away from the person, z up, then rotation about each, right-handed; all in [-1, 1].
`ScriptedDevice` is the twin of the real ones, and the contract tests run on all.
"""

import dataclasses
import enum
import math
from collections.abc import Callable, Sequence
from typing import Protocol

from policy.errors import DeviceLost

NUM_AXES = 6
AXES = ("x", "y", "z", "roll", "pitch", "yaw")
REST = (0.0,) * NUM_AXES


class Button(enum.StrEnum):
    """What a button means, wherever it sits on a device."""

    DEADMAN = "deadman"
    """Held for as long as the robot may move."""
    TAKE = "take"
    """Take control."""
    HAND_BACK = "hand_back"
    """Give control back to the policy."""
    STOP = "stop"
    SUCCESS = "success"
    FAILURE = "failure"
    SLOWER = "slower"
    FASTER = "faster"
    GRIPPER = "gripper"
    LEAVE = "leave"
    """Hand back and end the program."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceState:
    """A device at one instant."""

    axes: tuple[float, ...] = REST
    """float[6] in [-1, 1]; zero where the device has been silent for too long."""
    buttons: frozenset[Button] = frozenset()
    """Those that are down; a key of a terminal is down for one read, or while it repeats."""
    age_s: float = 0.0
    """Since the device last said anything."""

    @property
    def is_deadman_held(self) -> bool:
        """Whether the robot may move."""
        return Button.DEADMAN in self.buttons


class InputDevice(Protocol):
    """Something that a person holds."""

    @property
    def name(self) -> str:
        """What it is, for the screen."""

    def read(self) -> DeviceState:
        """The newest state, without waiting.

        Raises:
            DeviceLost: it was unplugged; the robot must get zero now.
        """

    def close(self) -> None:
        """Let go of it; may be called twice."""


class ScriptedDevice:
    """Plays states from a list and stays at the last; the twin of every device."""

    name = "scripted device"

    def __init__(self, states: Sequence[DeviceState], *, on_read: Callable[[], None] = lambda: None) -> None:
        self._states = list(states) or [DeviceState()]
        self._on_read = on_read
        self._is_open = True

    def read(self) -> DeviceState:
        """The next state.

        Raises:
            DeviceLost: it was closed.
        """
        if not self._is_open:
            raise DeviceLost("the device is gone", device=self.name)
        self._on_read()
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def close(self) -> None:
        """Unplug it."""
        self._is_open = False


def clipped(value: float) -> float:
    """One axis in [-1, 1]; 0 for what is not a number."""
    return max(-1.0, min(1.0, value)) if math.isfinite(value) else 0.0
