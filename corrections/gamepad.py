"""A gamepad, by the *position* of its controls, through pygame.

left stick   x y        left shoulder    take control     right shoulder   dead-man (hold)
right stick  yaw z      lower button     success          right button     stop
pad up/down  faster,    upper button     hand back        left button      failure
             slower     start            leave
"""

import os
from collections.abc import Callable
from typing import Protocol

from corrections.device import Button, DeviceState, clipped
from policy.errors import ConfigError, DeviceLost

_BUTTONS = {
    0: Button.SUCCESS,
    1: Button.STOP,
    2: Button.FAILURE,
    3: Button.HAND_BACK,
    4: Button.TAKE,
    5: Button.DEADMAN,
    7: Button.LEAVE,
}
_LEFT_X, _LEFT_Y, _RIGHT_X, _RIGHT_Y = 0, 1, 3, 4
_FEW_AXES = 4
"""Pads without analogue triggers have the right stick at axes 2 and 3."""


class Joystick(Protocol):
    """What we use of `pygame.joystick.Joystick`."""

    def get_init(self) -> bool:
        """Whether it is still plugged in."""

    def get_numaxes(self) -> int:
        """Number of axes."""

    def get_numbuttons(self) -> int:
        """Number of buttons."""

    def get_numhats(self) -> int:
        """Number of pads."""

    def get_axis(self, number: int) -> float:
        """An axis, in [-1, 1]."""

    def get_button(self, number: int) -> bool:
        """Whether a button is down."""

    def get_hat(self, number: int) -> tuple[float, float]:
        """A pad: right and up."""

    def quit(self) -> None:
        """Let go of it."""


class Gamepad:
    """Any pad that SDL knows."""

    def __init__(self, joystick: Joystick, *, name: str = "gamepad", pump: Callable[[], bool]) -> None:
        """`pump` fetches news from the system and says whether this pad is still there."""
        self.name = name
        self._joystick = joystick
        self._pump = pump
        self._is_open = True

    def read(self) -> DeviceState:
        """The pad now.

        Raises:
            DeviceLost: it was unplugged.
        """
        if not (self._is_open and self._pump() and self._joystick.get_init()):
            self.close()
            raise DeviceLost("the gamepad was unplugged", device=self.name)
        stick = self._joystick
        has_triggers = stick.get_numaxes() > _FEW_AXES
        right_x, right_y = (_RIGHT_X, _RIGHT_Y) if has_triggers else (2, 3)
        buttons = {meaning for n, meaning in _BUTTONS.items() if n < stick.get_numbuttons() and stick.get_button(n)}
        up = stick.get_hat(0)[1] if stick.get_numhats() else 0
        if up:
            buttons.add(Button.FASTER if up > 0 else Button.SLOWER)
        axes = (
            clipped(self._axis(_LEFT_X)),
            clipped(-self._axis(_LEFT_Y)),
            clipped(-self._axis(right_y)),
            0.0,
            0.0,
            clipped(-self._axis(right_x)),
        )
        return DeviceState(axes=axes, buttons=frozenset(buttons))

    def close(self) -> None:
        """Let go of it."""
        if self._is_open:
            self._is_open = False
            self._joystick.quit()

    def _axis(self, number: int) -> float:
        return self._joystick.get_axis(number) if number < self._joystick.get_numaxes() else 0.0


def open_gamepad() -> Gamepad:
    """The first gamepad that is plugged in.

    Raises:
        ConfigError: there is none.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    pygame.display.init()
    pygame.joystick.init()
    if pygame.joystick.get_count() == 0:
        raise ConfigError("no gamepad is plugged in; press a button on it, or try --device keyboard")
    joystick = pygame.joystick.Joystick(0)
    joystick.init()

    def pump() -> bool:
        removed = pygame.event.get(pygame.JOYDEVICEREMOVED)
        return not any(event.instance_id == joystick.get_instance_id() for event in removed)

    return Gamepad(joystick, name=joystick.get_name(), pump=pump)
