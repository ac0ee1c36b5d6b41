"""A SpaceMouse over HID: `pyspacemouse` reads the reports, `hidapi` brings them.

pyspacemouse opens devices through easyhid, which needs the *system's* libhidapi; the `hidapi` wheel
bundles its own, so `_Feed` hands its reports over. Which of the two layouts a model speaks is decided
by report *length*, not by its id, so models that nobody listed work too:

    two reports    1: x y z (7 bytes)           2: rotation (7 bytes)    3: buttons
    one report     1: x y z rotation (13 bytes)                          3: buttons

The queue is drained on each read (99 stale reports were seen). Some models say nothing while the cap
is held steady: silence becomes zero after 100 ms, with the dead-man held after 250 ms.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, Protocol

from corrections.device import REST, Button, DeviceState, clipped
from policy.errors import ConfigError, DeviceLost

_VENDORS = (0x256F, 0x046D)
_LAYOUT_MODELS = {7: "SpaceMouseCompact", 13: "SpaceMouseWireless"}
"""A listed model of each layout, by the length of its first report."""
_MAX_REPORT_BYTES = 64
_SILENCE_S = 0.1
_SILENCE_DRIVING_S = 0.25
_BUTTONS = (
    (("LEFT", "BTN_1"), Button.DEADMAN),
    (("RIGHT", "BTN_2"), Button.HAND_BACK),
    (("ESC",), Button.STOP),
    (("BTN_3",), Button.SUCCESS),
    (("BTN_4",), Button.FAILURE),
    (("MENU",), Button.TAKE),
)


class HidHandle(Protocol):
    """What we use of `hid.device`."""

    def read(self, max_length: int) -> list[int]:
        """One report, report number first; empty when there is none."""

    def close(self) -> None:
        """Let go of it."""


class _Feed:
    """The face of easyhid that pyspacemouse reads from, holding one report at a time."""

    def __init__(self) -> None:
        self.report = b""

    def read(self, num_bytes: int) -> bytes:
        """The report, as it came."""
        return self.report

    def close(self) -> None:
        """The handle is closed by its owner."""


class SpaceMouse:
    """Any 3Dconnexion device with a cap."""

    def __init__(
        self,
        handle: HidHandle,
        *,
        name: str = "SpaceMouse",
        product_id: int = 0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`product_id` finds the buttons of listed models; 0 knows the left and the right one."""
        self.name = name
        self._handle: HidHandle | None = handle
        self._clock_s = clock_s
        self._feed = _Feed()
        self._readers = _readers(self._feed, product_id)
        self._reader = self._readers[7]
        self._axes: tuple[float, ...] = REST
        self._buttons: frozenset[Button] = frozenset()
        self._heard_s = clock_s()

    def read(self) -> DeviceState:
        """Drain the queue and give the newest state.

        Raises:
            DeviceLost: it was unplugged.
        """
        while report := self._next_report():
            self._take(bytes(report))
        age_s = self._clock_s() - self._heard_s
        limit_s = _SILENCE_DRIVING_S if Button.DEADMAN in self._buttons else _SILENCE_S
        if age_s > limit_s:
            self._rest()
        return DeviceState(axes=self._axes, buttons=self._buttons, age_s=age_s)

    def close(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _next_report(self) -> list[int]:
        if self._handle is None:
            raise DeviceLost("the SpaceMouse is closed", device=self.name)
        try:
            return self._handle.read(_MAX_REPORT_BYTES)
        except (OSError, ValueError) as error:
            self.close()
            raise DeviceLost("the SpaceMouse was unplugged", device=self.name, cause=str(error)) from error

    def _take(self, report: bytes) -> None:
        if report[0] == 1 and len(report) >= min(self._readers):
            self._reader = self._readers[13 if len(report) >= 13 else 7]
        elif report[0] not in (2, 3):
            return
        self._heard_s = self._clock_s()
        self._feed.report = report.ljust(_MAX_REPORT_BYTES, b"\0") if report[0] == 3 else report
        # Buttons come in a report of their own: both layouts must know them.
        for reader in self._readers.values() if report[0] == 3 else (self._reader,):
            reader.read()
        state = self._reader.read()
        self._axes = tuple(clipped(v) for v in (state.x, state.y, state.z, state.roll, state.pitch, state.yaw))
        down = {self._reader.get_button_name(i) for i, is_down in enumerate(state.buttons) if is_down}
        self._buttons = frozenset(meaning for names, meaning in _BUTTONS if down.intersection(names))

    def _rest(self) -> None:
        """Forget the deflection, also inside the readers: the next report may bring half of it."""
        for number in (1, 2):
            self._feed.report = bytes([number, *(0,) * 12])
            for reader in self._readers.values():
                reader.read()
        self._axes = REST


def open_spacemouse() -> SpaceMouse:
    """The first SpaceMouse that is plugged in.

    Raises:
        ConfigError: there is none, or it may not be opened; the message says what to do.
    """
    import hid

    known = {spec.hid_id for spec in _device_specs().values()}
    for item in hid.enumerate():
        if (item["vendor_id"], item["product_id"]) in known or _looks_like_one(item):
            handle = hid.device()
            try:
                handle.open_path(item["path"])
            except OSError as error:
                raise ConfigError(
                    f"found {item['product_string']} but may not open it: add the udev rule in "
                    "corrections/README.md and plug it in again",
                    path=item["path"].decode(),
                ) from error
            handle.set_nonblocking(True)
            return SpaceMouse(handle, name=item["product_string"], product_id=item["product_id"])
    raise ConfigError("no SpaceMouse is plugged in; try --device gamepad or --device keyboard")


def _looks_like_one(item: dict[str, Any]) -> bool:
    is_cap = item.get("usage_page") == 1 and item.get("usage") == 8  # "multi-axis controller"
    return item["vendor_id"] == _VENDORS[0] and is_cap


def _device_specs() -> dict[str, Any]:
    import pyspacemouse

    specs: dict[str, Any] = pyspacemouse.get_device_specs()
    return specs


def _readers(feed: _Feed, product_id: int) -> dict[int, Any]:
    """One pyspacemouse reader per layout, with the buttons of the model that is plugged in."""
    import pyspacemouse

    specs = _device_specs()
    listed = [spec for spec in specs.values() if spec.product_id == product_id and spec.button_specs]
    buttons = listed[0] if listed else specs[_LAYOUT_MODELS[7]]
    readers = {}
    for length, model in _LAYOUT_MODELS.items():
        spec = pyspacemouse.apply_axis_convention(specs[model], pyspacemouse.AxisConvention.HID_Z_UP)
        spec = dataclasses.replace(spec, button_specs=buttons.button_specs, button_names=buttons.button_names)
        readers[length] = pyspacemouse.SpaceMouseDevice(spec, feed)
    return readers
