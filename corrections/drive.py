"""A person at a terminal drives a robot: device -> mapping -> client, and a screen that says how it is.

The state on the screen is the robot's own report, never this program's wish. Stop, take, hand back
and labels are button presses; motion needs the dead-man held. Software is not a safety device.
"""

import asyncio
import time
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from corrections.device import AXES, Button, DeviceState, InputDevice
from corrections.mapping import MappingConfig, action_of
from corrections.operator_client import OperatorClient
from policy.errors import DeviceLost, LeaseRefused
from policy.schema import ControlMode, Outcome
from policy.spec import EmbodimentSpec

_PERIOD_S = 0.02
_SCREEN_HZ = 10
_STALE_S = 1.0
"""A report older than this is shown as frozen: a stale state that looks live is the worst of all."""
_MARKS = {
    ControlMode.AUTONOMOUS: "[green]> autonomous",
    ControlMode.PAUSED: "[yellow]|| paused",
    ControlMode.CORRECTING: "[cyan]* correcting",
    ControlMode.LOST: "[red]? lost",
    ControlMode.STOPPED: "[bold red]# STOPPED",
}
_LABELS = {Button.SUCCESS: Outcome.SUCCESS, Button.FAILURE: Outcome.FAILURE}


class Drive:
    """One person, one device, one robot."""

    def __init__(self, client: OperatorClient, device: InputDevice, robot_id: str, mapping: MappingConfig) -> None:
        self._client = client
        self._device = device
        self._robot_id = robot_id
        self._mapping = mapping
        self._num_action = 1
        self._speed_level = (len(mapping.speeds) - 1) // 2
        self._down: frozenset[Button] = frozenset()
        self._note = "press take, or the dead-man, to take control; hold the dead-man to move"
        self._has_left = False

    async def run(self, show: Callable[[RenderableType], None]) -> None:
        """Drive until the person leaves.

        Raises:
            DeviceLost: the device was unplugged; the robot holds still, and is LOST unless somebody
                takes it: only a deliberate hand-back lets the policy go on.
            GatewayLost: the gateway went away; the robot holds still.
        """
        await self._client.wait_for(lambda: self._robot_id in self._client.seen, self._client.config.timeout_s)
        spec = EmbodimentSpec.from_json(self._client.robots[self._robot_id].spec)
        self._num_action = len(spec.action)
        due_s = 0.0
        while not self._has_left:
            try:
                state = self._device.read()
            except DeviceLost:
                self._client.drive((0.0,) * self._num_action, is_deadman_held=False)
                raise
            self._move(state)
            await self._press(state.buttons - self._down)
            self._down = state.buttons
            if (now_s := time.monotonic()) >= due_s:
                due_s = now_s + 1 / _SCREEN_HZ
                show(self._screen(state))
            await self._client.changed(_PERIOD_S)
        await self._client.release()

    def _move(self, state: DeviceState) -> None:
        action = action_of(state.axes, self._mapping, speed_level=self._speed_level, num_action=self._num_action)
        self._client.drive(action, is_deadman_held=state.is_deadman_held)

    async def _press(self, pressed: frozenset[Button]) -> None:
        client, robot_id = self._client, self._robot_id
        if Button.STOP in pressed:
            await client.stop(robot_id, "stopped by its operator")
            self._note = "stop sent"
        # The smallest SpaceMouse has two buttons: pressing its dead-man takes the robot.
        if Button.TAKE in pressed or (Button.DEADMAN in pressed and client.held is None):
            try:
                await client.acquire(robot_id)
                self._note = "you have control"
            except LeaseRefused as error:
                self._note = str(error)
        if Button.HAND_BACK in pressed:
            await client.release()
            self._note = "handed back"
        for button in pressed & _LABELS.keys():
            await client.label(client.seen[robot_id].state.episode_id, _LABELS[button])
            self._note = f"labelled {_LABELS[button]}"
        change = (Button.FASTER in pressed) - (Button.SLOWER in pressed)
        self._speed_level = max(0, min(len(self._mapping.speeds) - 1, self._speed_level + change))
        self._has_left = Button.LEAVE in pressed

    def _screen(self, device: DeviceState) -> RenderableType:
        seen = self._client.seen.get(self._robot_id)
        table = Table.grid(padding=(0, 2))
        if seen is None:
            table.add_row("robot", "[red]gone")
        else:
            state, age_s = seen.state, (time.monotonic_ns() - seen.received_ns) / 1e9
            frozen = f"  [bold red]FROZEN {age_s:.1f} s" if age_s > _STALE_S else ""
            table.add_row("robot", f"{self._robot_id}   {_MARKS[state.mode]}{frozen}")
            table.add_row("task", f"{state.instruction}   step {state.step_index}")
            table.add_row("limit", "[yellow]" + ", ".join(state.limit_hits) if state.limit_hits else "none")
            delay = f"{state.command_delay_ms:.0f} ms" if state.command_delay_ms >= 0 else "-"
            table.add_row("delay", f"{delay}   needs help: {state.help.reason or 'no'}")
        armed = "[cyan]ARMED" if device.is_deadman_held else "released"
        table.add_row("dead-man", f"{armed}   speed {self._mapping.speeds[self._speed_level]:.0%}")
        table.add_row("axes", bars(device))
        table.add_row("", self._note)
        return Panel(table, title=f"drive with {self._device.name}", subtitle="not a safety device")


def bars(device: DeviceState) -> RenderableType:
    """The six axes as numbers with a sign and a bar."""
    table = Table.grid(padding=(0, 1))
    for name, value in zip(AXES, device.axes, strict=True):
        length = round(abs(value) * 10)
        left, right = ("#" * length if value < 0 else ""), ("#" * length if value > 0 else "")
        table.add_row(f"{name:>5}", f"{value:+.2f}", f"{left:>10}|{right:<10}")
    return table


async def check(device: InputDevice, stopping: Callable[[], bool], console: Console | None = None) -> None:
    """Show a device's live axes and buttons until `stopping`, or its leave button.

    Raises:
        DeviceLost: it was unplugged.
    """
    with Live(console=console, refresh_per_second=_SCREEN_HZ) as live:
        while not stopping():
            state = device.read()
            words = ", ".join(sorted(state.buttons)) or "none"
            table = Table.grid(padding=(0, 2))
            table.add_row("axes", bars(state))
            table.add_row("buttons", words)
            live.update(Panel(table, title=device.name, subtitle="Ctrl-C ends"))
            if Button.LEAVE in state.buttons:
                return
            await asyncio.sleep(_PERIOD_S)
