"""The robot of `console_browser`: four cameras and no body, in real time, obeying whoever drives it.

    python -m benchmarks.console_robot FILE      until SIGTERM; then FILE has what it saw of its driver

Its pictures are made once and then shown in turn, so that what they cost is what a robot pays: to compress and to send.
"""

import argparse
import dataclasses
import json
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corrections import frames
from corrections.codec import Message
from corrections.intervention import InterventionState, SafetyConfig, advance, command_delay_ms
from corrections.protocol import HumanCommand, RobotInfo, RobotState
from corrections.robot_link import LinkConfig, RobotLink
from infra import config
from policy.schema import ControlMode, UInt8
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec

ROBOT = "bench-0"
CAMERA_FPS = 15.0
_AXES = ("x", "y", "z", "roll", "pitch", "yaw")
SPEC = EmbodimentSpec(
    name="bench",
    control_rate_hz=20,
    state=tuple(ChannelSpec(name=f"position_{axis}", unit="m") for axis in _AXES),
    tactile=(),
    action=tuple(ChannelSpec(name=f"move_{axis}", unit="m/s", low=-0.5, high=0.5) for axis in _AXES),
    cameras=tuple(CameraSpec(name=name, height=360, width=480) for name in ("scene", "wrist", "left", "right")),
)
_NUM_MOMENTS = 8
_NOISE = 6.0
"""Of a small sensor, in grey levels; it makes most of a JPEG's size."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotLog:
    """What the robot saw; times are this machine's monotonic clock, which all its processes share."""

    picture_bytes: float
    """Mean size of a JPEG."""
    arrived_ns: Sequence[int]
    """Of every command, accepted or not."""
    delays: Sequence[tuple[int, float]]
    """Of every tick that a person's command moved: when, and `command_delay_ms`."""
    shown_ns: Sequence[int]
    """When the cameras had a picture each that somebody watched."""

    @classmethod
    def read(cls, file: Path) -> "RobotLog":
        """What a robot that has ended wrote."""
        return cls(**json.loads(file.read_text()))


class _CountingLink(RobotLink):
    """Remembers when commands arrive: the mailbox has the newest only."""

    def __init__(self, link: LinkConfig, safety: SafetyConfig) -> None:
        super().__init__([RobotInfo(robot_id=ROBOT, spec=SPEC.to_json(), is_simulated=True)], link, safety)
        self.arrived_ns: list[int] = []

    def _take(self, message: Message) -> None:
        if isinstance(message, HumanCommand):
            self.arrived_ns.append(time.monotonic_ns())
        super()._take(message)


class BenchRobot:
    """A control loop and its cameras, each at its own rate."""

    def __init__(self, link: _CountingLink, safety: SafetyConfig, stopping: threading.Event) -> None:
        self._link, self._safety, self._stopping = link, safety, stopping
        self._moments = [tuple(_picture(camera, moment) for camera in range(4)) for moment in range(_NUM_MOMENTS)]
        self.delays: list[tuple[int, float]] = []
        self.shown_ns: list[int] = []

    @property
    def picture_bytes(self) -> float:
        """Mean size of what is sent for a picture."""
        return float(np.mean([len(frames.jpeg(picture)) for moment in self._moments for picture in moment]))

    def film(self) -> None:
        """Show pictures at the cameras' rate until told to stop.

        A whole period after the one before: the link drops what comes sooner.
        """
        while not self._stopping.wait(1 / CAMERA_FPS):
            if self._link.people(ROBOT).is_watched:
                self._link.show(ROBOT, self._moments[len(self.shown_ns) % _NUM_MOMENTS])
                self.shown_ns.append(time.monotonic_ns())

    def work(self) -> None:
        """Tick at the control rate until told to stop."""
        started_s, state, step_index = time.monotonic(), InterventionState(), 0
        while not self._stopping.wait(max(0.0, started_s + step_index / SPEC.control_rate_hz - time.monotonic())):
            now_ns, people = time.monotonic_ns(), self._link.people(ROBOT)
            state = advance(state, people, now_ns, self._safety)
            delay_ms = command_delay_ms(people, now_ns) if state.mode is ControlMode.CORRECTING else -1.0
            if state.mode is ControlMode.CORRECTING:
                self.delays.append((now_ns, delay_ms))
            step_index += 1
            report = RobotState(
                robot_id=ROBOT,
                mode=state.mode,
                episode_id="bench",
                step_index=step_index,
                task_id="bench",
                state=(0.0,) * len(SPEC.state),
                lease_epoch=people.lease.epoch if people.lease else 0,
                command_delay_ms=delay_ms,
            )
            self._link.report(ROBOT, report)


def _picture(camera: int, moment: int) -> UInt8:
    """A bench with things on it that move a little: uint8[360, 480, 3]."""
    rng = np.random.default_rng(camera)
    rows, columns = np.mgrid[0:360, 0:480]
    light = 90 + 60 * rows / 360 + 12 * np.sin(columns / 9 + rows / 23)
    picture = np.repeat(light[:, :, None], 3, axis=2)
    for _ in range(12):
        top, left = rng.integers(0, 300), rng.integers(0, 400)
        picture[top : top + rng.integers(20, 60), left + 3 * moment : left + 3 * moment + rng.integers(20, 80)] = (
            rng.integers(0, 255, 3)
        )
    picture += np.random.default_rng((camera, moment)).normal(0, _NOISE, picture.shape)
    pixels: UInt8 = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels


def main(argv: Sequence[str] | None = None) -> int:
    """Work until SIGTERM, then write the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="what to write at the end")
    args = parser.parse_args(argv)
    stopping, safety = threading.Event(), SafetyConfig()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    link = _CountingLink(config.load("link", LinkConfig), safety)
    robot = BenchRobot(link, safety, stopping)
    picture_bytes = robot.picture_bytes
    cameras = threading.Thread(target=robot.film)
    link.start()
    cameras.start()
    robot.work()
    cameras.join()
    link.close()
    log = RobotLog(
        picture_bytes=picture_bytes, arrived_ns=link.arrived_ns, delays=robot.delays, shown_ns=robot.shown_ns
    )
    args.file.write_text(json.dumps(dataclasses.asdict(log)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
