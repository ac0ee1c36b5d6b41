"""Robots that replay recorded senses, as a fleet's task names them: `--task benchmarks.replay_robots:SmallRobot`.

What they sense is made up once per process, so that neither a simulator nor a camera is part of a figure.
"""

import functools

import numpy as np
from PIL import Image

from policy.schema import UInt8
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.replay_robot import Recording, ReplayRobot

TASK_ID = "replay"
INSTRUCTION = "insert the plug"


def spec_of(name: str, *, num_cameras: int, side: int, rate_hz: float) -> EmbodimentSpec:
    """Six joints, 24 touch channels, three action channels, square cameras."""
    return EmbodimentSpec(
        name=name,
        control_rate_hz=rate_hz,
        state=tuple(ChannelSpec(name=f"joint_{i}", unit="rad", low=-4.0, high=4.0) for i in range(6)),
        tactile=tuple(ChannelSpec(name=f"touch_{i}", unit="N") for i in range(24)),
        action=tuple(ChannelSpec(name=f"move_{i}", unit="m", low=-1.0, high=1.0) for i in range(3)),
        cameras=tuple(CameraSpec(name=f"camera_{i}", height=side, width=side) for i in range(num_cameras)),
    )


@functools.cache
def recording(spec: EmbodimentSpec, num_steps: int) -> Recording:
    """Pictures, joints and touch that change all the time, so that nobody finds the robot stuck."""
    rng = np.random.default_rng(0)
    return Recording(
        spec=spec,
        task_id=TASK_ID,
        instruction=INSTRUCTION,
        frames=tuple(_film(rng, num_steps, camera.height) for camera in spec.cameras),
        state=rng.normal(size=(num_steps, len(spec.state))).astype(np.float32),
        tactile=rng.normal(size=(num_steps, len(spec.tactile))).astype(np.float32),
    )


def _film(rng: np.random.Generator, num_steps: int, side: int) -> UInt8:
    """Soft light and shade, uint8[N, side, side, 3]; as a JPEG about as large as a picture of a plain bench."""
    coarse = rng.integers(30, 220, (num_steps, 8, 8, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(picture).resize((side, side))) for picture in coarse])


class SmallRobot(ReplayRobot):
    """One 64x64 camera at 20 Hz; episodes of ten seconds."""

    def __init__(self) -> None:
        super().__init__(recording(spec_of("replay-small", num_cameras=1, side=64, rate_hz=20.0), 200))


class PlugRobot(ReplayRobot):
    """Two 64x64 cameras at 20 Hz, as the plug robot has; episodes of ten seconds."""

    def __init__(self) -> None:
        super().__init__(recording(spec_of("replay-plug", num_cameras=2, side=64, rate_hz=20.0), 200))


class FourCameraRobot(ReplayRobot):
    """Four 128x128 cameras at 50 Hz in real time; episodes of one second, so that many of them end."""

    is_simulated = False

    def __init__(self) -> None:
        super().__init__(recording(spec_of("replay-four", num_cameras=4, side=128, rate_hz=50.0), 51))
