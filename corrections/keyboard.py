"""The keyboard of a terminal.

    W S  away, nearer     A D  left, right    R F  up, down       Q E  twist    arrows  tilt
    J    dead-man         T    take control   H    hand back      G    gripper  + -     speed
    Space  stop           Enter  success      Backspace  failure  Esc  hand back and leave

A terminal says that a key was *pressed*, never that it is held or let go: a held key repeats. So an
axis key moves for 0.15 s per press or repeat, and J arms for 1 s, which every axis key renews. Hands
off the keyboard for a second, and the dead-man is released. A 3D mouse or a gamepad is better.
"""

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable
from typing import Any

from corrections.device import NUM_AXES, Button, DeviceState
from policy.errors import ConfigError, DeviceLost

_MOVE_S = 0.15
"""Longer than the gap between two repeats of a held key (about 30 a second, 0.1 s at the slowest)."""
_ARM_S = 1.0
_MAX_BYTES = 256
_MOTIONS = {
    "d": (0, 1.0),
    "a": (0, -1.0),
    "w": (1, 1.0),
    "s": (1, -1.0),
    "r": (2, 1.0),
    "f": (2, -1.0),
    "\x1b[C": (3, 1.0),
    "\x1b[D": (3, -1.0),
    "\x1b[B": (4, 1.0),
    "\x1b[A": (4, -1.0),
    "q": (5, 1.0),
    "e": (5, -1.0),
}
_BUTTONS = {
    "t": Button.TAKE,
    "h": Button.HAND_BACK,
    "g": Button.GRIPPER,
    " ": Button.STOP,
    "\r": Button.SUCCESS,
    "\n": Button.SUCCESS,
    "\x7f": Button.FAILURE,
    "\x08": Button.FAILURE,
    "+": Button.FASTER,
    "=": Button.FASTER,
    "-": Button.SLOWER,
    "\x1b": Button.LEAVE,
}


class Keyboard:
    """Raw keys of one terminal; its settings come back on close."""

    name = "keyboard"

    def __init__(self, file: int, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Put the terminal into raw mode.

        Raises:
            ConfigError: `file` is not a terminal.
        """
        self._file = file
        self._clock_s = clock_s
        self._pressed_s: dict[tuple[int, float], float] = {}
        self._armed_s = float("-inf")
        self._heard_s = clock_s()
        try:
            self._old: list[Any] | None = termios.tcgetattr(file)
        except termios.error as error:
            raise ConfigError("the keyboard needs a terminal; run this in one, without a pipe") from error
        tty.setcbreak(file)

    def read(self) -> DeviceState:
        """The keys pressed since the last read, and motion that still lasts.

        Raises:
            DeviceLost: the terminal is gone.
        """
        now_s = self._clock_s()
        buttons = set()
        for key in _keys(self._read_text()):
            self._heard_s = now_s
            if key in _MOTIONS:
                self._pressed_s[_MOTIONS[key]] = now_s
                self._armed_s = now_s if self._is_armed(now_s) else self._armed_s
            elif key == "j":
                self._armed_s = now_s
            elif key in _BUTTONS:
                buttons.add(_BUTTONS[key])
        if self._is_armed(now_s):
            buttons.add(Button.DEADMAN)
        axes = [0.0] * NUM_AXES
        for (axis, sign), pressed_s in self._pressed_s.items():
            if now_s - pressed_s <= _MOVE_S:
                axes[axis] += sign
        return DeviceState(axes=tuple(axes), buttons=frozenset(buttons), age_s=now_s - self._heard_s)

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._old is not None:
            with contextlib.suppress(termios.error):  # the terminal itself may be gone
                termios.tcsetattr(self._file, termios.TCSADRAIN, self._old)
            self._old = None

    def _is_armed(self, now_s: float) -> bool:
        return now_s - self._armed_s <= _ARM_S

    def _read_text(self) -> str:
        if self._old is None:
            raise DeviceLost("the keyboard is closed", device=self.name)
        try:
            if not select.select([self._file], [], [], 0)[0]:
                return ""
            data = os.read(self._file, _MAX_BYTES)
        except OSError as error:
            raise DeviceLost("the terminal is gone", device=self.name, cause=str(error)) from error
        if not data:
            raise DeviceLost("the terminal is gone", device=self.name)
        return data.decode(errors="ignore").lower()


def open_keyboard() -> Keyboard:
    """The keyboard of this terminal.

    Raises:
        ConfigError: there is no terminal.
    """
    return Keyboard(sys.stdin.fileno())


def _keys(text: str) -> list[str]:
    """Split what was read into keys; an escape followed by [ and a letter is one key."""
    keys = []
    while text:
        length = 3 if text.startswith("\x1b[") and len(text) >= 3 else 1
        key, text = text[:length], text[length:]
        keys.append(key[:2] + key[2:].upper() if length == 3 else key)
    return keys
