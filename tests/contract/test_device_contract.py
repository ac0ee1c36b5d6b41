"""The same promises from every input device, the scripted twin included.

The SpaceMouse and the gamepad are driven below their libraries' surface: recorded HID reports of both
layouts, which the browser's tests read too, and a joystick object; the keyboard runs on a real pseudo-terminal.
"""

import json
import os
import pty
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corrections.device import NUM_AXES, REST, Button, DeviceState, ScriptedDevice
from corrections.gamepad import Gamepad
from corrections.keyboard import Keyboard
from corrections.spacemouse import SpaceMouse
from policy.errors import ConfigError, DeviceLost

REPORTS = Path(__file__).parent.parent / "fixtures" / "spacemouse_reports.json"


class FakeHid:
    """A `hid.device`: a queue of reports, and an unplug."""

    def __init__(self) -> None:
        self.reports: deque[bytes] = deque()
        self.is_plugged = True

    def read(self, max_length: int) -> list[int]:
        if not self.is_plugged:
            raise OSError("read error")
        return list(self.reports.popleft()) if self.reports else []

    def close(self) -> None:
        self.is_plugged = False


class FakeJoystick:
    def __init__(self, num_axes: int = 6) -> None:
        self.axes = [0.0] * num_axes
        self.buttons = [False] * 10
        self.hat = (0, 0)
        self.is_plugged = True

    def get_init(self) -> bool:
        return self.is_plugged

    def get_numaxes(self) -> int:
        return len(self.axes)

    def get_numbuttons(self) -> int:
        return len(self.buttons)

    def get_numhats(self) -> int:
        return 1

    def get_axis(self, number: int) -> float:
        return self.axes[number]

    def get_button(self, number: int) -> bool:
        return self.buttons[number]

    def get_hat(self, number: int) -> tuple[float, float]:
        return self.hat

    def quit(self) -> None:
        self.is_plugged = False


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Rig:
    """A device and how a person would push it right, hold its dead-man, and unplug it."""

    device: Any
    push_right: Callable[[], None]
    hold_deadman: Callable[[], None]
    unplug: Callable[[], None]
    close: Callable[[], None] = lambda: None


def two_reports(x: Any = 0, y: Any = 0, z: Any = 0, rx: Any = 0, ry: Any = 0, rz: Any = 0) -> Any:
    return [b"\x01" + struct.pack("<3h", x, y, z), b"\x02" + struct.pack("<3h", rx, ry, rz)]


def one_report(x: Any = 0, y: Any = 0, z: Any = 0, rx: Any = 0, ry: Any = 0, rz: Any = 0) -> Any:
    return [b"\x01" + struct.pack("<6h", x, y, z, rx, ry, rz)]


def spacemouse(layout: Any, clock: Any = None, product_id: Any = 0) -> Any:
    handle = FakeHid()
    device = SpaceMouse(handle, product_id=product_id, clock_s=clock or Clock())
    return Rig(
        device=device,
        push_right=lambda: handle.reports.extend(layout(x=350)),
        hold_deadman=lambda: handle.reports.append(b"\x03\x01\x00"),
        unplug=lambda: setattr(handle, "is_plugged", False),
    ), handle


def gamepad() -> Any:
    stick = FakeJoystick()
    return Rig(
        device=Gamepad(stick, pump=lambda: True),
        push_right=lambda: stick.axes.__setitem__(0, 1.0),
        hold_deadman=lambda: stick.buttons.__setitem__(5, True),
        unplug=lambda: setattr(stick, "is_plugged", False),
    )


def keyboard(clock: Any = None) -> Any:
    ours, theirs = pty.openpty()
    is_open = [True]

    def unplug() -> None:
        os.close(ours)
        is_open[0] = False

    def close() -> None:
        if is_open[0]:
            os.close(ours)
        os.close(theirs)

    device = Keyboard(theirs, clock_s=clock or Clock())
    return Rig(
        device=device,
        push_right=lambda: press(ours, theirs, "d"),
        hold_deadman=lambda: press(ours, theirs, "j"),
        unplug=unplug,
        close=close,
    ), (ours, theirs)


def press(ours: Any, theirs: Any, keys: Any) -> None:
    import select

    os.write(ours, keys.encode())
    assert select.select([theirs], [], [], 5)[0], "the terminal passed the key on"


def scripted() -> Any:
    states = [DeviceState()]

    def change(**changes: Any) -> None:
        last = states[-1]
        state = DeviceState(axes=changes.get("axes", last.axes), buttons=changes.get("buttons", last.buttons))
        states.append(state)
        device._states[:] = [state]

    device = ScriptedDevice(states[:1])
    return Rig(
        device=device,
        push_right=lambda: change(axes=(1.0, 0, 0, 0, 0, 0)),
        hold_deadman=lambda: change(buttons=frozenset({Button.DEADMAN})),
        unplug=device.close,
    )


MAKERS: dict[str, Callable[[], Any]] = {
    "scripted": scripted,
    "spacemouse, two reports": lambda: spacemouse(two_reports)[0],
    "spacemouse, one report": lambda: spacemouse(one_report)[0],
    "gamepad": gamepad,
    "keyboard": lambda: keyboard()[0],
}


@pytest.fixture(params=list(MAKERS))
def rig(request: Any) -> Any:
    made = MAKERS[request.param]()
    yield made
    made.device.close()
    made.close()


def test_at_rest_it_reads_six_zeros_and_no_dead_man(rig: Any) -> None:
    state = rig.device.read()
    assert state.axes == REST
    assert not state.is_deadman_held
    assert rig.device.name


def test_pushed_right_it_reads_positive_x_alone(rig: Any) -> None:
    rig.push_right()
    state = rig.device.read()
    assert len(state.axes) == NUM_AXES
    assert state.axes[0] == 1.0
    assert state.axes[1:] == REST[1:]


def test_the_dead_man_is_seen_when_held(rig: Any) -> None:
    rig.hold_deadman()
    assert rig.device.read().is_deadman_held


def test_unplugged_it_raises_and_goes_on_raising(rig: Any) -> None:
    rig.push_right()
    rig.device.read()
    rig.unplug()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            rig.device.read()


def test_closing_twice_does_no_harm(rig: Any) -> None:
    rig.device.close()
    rig.device.close()
    with pytest.raises(DeviceLost):
        rig.device.read()


# --- what only one device promises ---------------------------------------------------------------


@pytest.mark.parametrize("case", json.loads(REPORTS.read_text()), ids=lambda case: case["name"])
def test_spacemouse_reads_recorded_reports_as_the_browser_does(case: Any) -> None:
    clock = Clock()
    start_s = clock.now_s
    made, handle = spacemouse(two_reports, clock, case["product_id"])
    for step in case["steps"]:
        clock.now_s = start_s + step["at_ms"] / 1000
        handle.reports.extend(map(bytes, step["reports"]))
        state = made.device.read()
        assert state.axes == pytest.approx(step["axes"])
        assert sorted(state.buttons) == step["buttons"]
        assert not handle.reports, "the queue is drained"


def test_gamepad_without_analogue_triggers_has_its_right_stick_elsewhere() -> None:
    stick = FakeJoystick(num_axes=4)
    stick.axes = [0.0, -1.0, 0.5, -0.5]
    stick.hat = (0, -1)
    state = Gamepad(stick, pump=lambda: True).read()
    assert state.axes == (0.0, 1.0, 0.5, 0.0, 0.0, -0.5)
    assert state.buttons == {Button.SLOWER}


def test_gamepad_that_the_system_reports_gone_is_lost() -> None:
    with pytest.raises(DeviceLost):
        Gamepad(FakeJoystick(), pump=lambda: False).read()


def test_keyboard_motion_ends_by_itself_and_the_dead_man_soon_after() -> None:
    clock = Clock()
    made, (ours, theirs) = keyboard(clock)
    press(ours, theirs, "jw")
    state = made.device.read()
    assert state.axes == (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert state.is_deadman_held
    clock.now_s += 0.2
    assert made.device.read().axes == REST
    clock.now_s += 0.7
    press(ours, theirs, "w")
    made.device.read()
    clock.now_s += 0.9
    assert made.device.read().is_deadman_held
    clock.now_s += 1.01
    assert not made.device.read().is_deadman_held
    press(ours, theirs, "w")
    assert not made.device.read().is_deadman_held, "moving does not arm by itself"
    made.device.close()
    made.close()


def test_keyboard_keys_are_buttons_for_one_read_and_arrows_are_not_escape() -> None:
    made, (ours, theirs) = keyboard()
    press(ours, theirs, "\x1b[CtT ")
    state = made.device.read()
    assert state.axes[3] == 1.0
    assert state.buttons == {Button.TAKE, Button.STOP}
    assert made.device.read().buttons == frozenset()
    press(ours, theirs, "\x1b")
    assert made.device.read().buttons == {Button.LEAVE}
    made.device.close()
    made.close()


def test_keyboard_needs_a_terminal() -> None:
    with open(os.devnull) as nothing, pytest.raises(ConfigError, match="needs a terminal"):
        Keyboard(nothing.fileno())
