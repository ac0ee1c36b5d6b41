"""Steps for the benchmarks of the lake: two 64x64 JPEG cameras, as the plug robot records them."""

import dataclasses
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from policy.schema import Episode, Step
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec

SIDE = 64
SPEC = EmbodimentSpec(
    name="bench",
    control_rate_hz=20.0,
    state=tuple(ChannelSpec(name=f"s{i}", unit="m") for i in range(6)),
    tactile=tuple(ChannelSpec(name=f"t{i}", unit="N") for i in range(24)),
    action=tuple(ChannelSpec(name=f"a{i}", unit="m", low=-1.0, high=1.0) for i in range(3)),
    cameras=(CameraSpec(name="scene", height=SIDE, width=SIDE), CameraSpec(name="wrist", height=SIDE, width=SIDE)),
)


def pictures(num_pictures: int = 50, side: int = SIDE) -> list[bytes]:
    """Smooth noise as JPEG, about 1.2 KB each at 64x64."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(num_pictures):
        small = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        sink = io.BytesIO()
        small.resize((side, side)).save(sink, "JPEG")
        found.append(sink.getvalue())
    return found


def episode(
    number: int, num_steps: int, frames: list[bytes], spec: EmbodimentSpec = SPEC
) -> tuple[list[Step], Episode]:
    """One episode of robot `number % 4`; the spec has as many channels as ours, and two cameras."""
    rng = np.random.default_rng(number)
    robot = f"r{number % 4}"
    first = number // 4 * num_steps
    shared = {
        "spec_id": spec.spec_id,
        "robot_id": robot,
        "boot_id": f"{robot}-boot",
        "episode_id": f"e{number}",
        "source": "rollout",
        "scene_seed": number,
        "task_id": "plug",
        "instruction": "insert the plug",
        "policy_version": "1",
    }
    steps = [
        Step(
            **shared,  # type: ignore[arg-type]
            seq=first + index,
            step_index=index,
            time_ns=first + index,
            observation_time_ns=first + index,
            control_mode="autonomous",
            intervention_id="",
            operator_id="",
            proposed_action=rng.normal(size=3).astype(np.float32),
            executed_action=rng.normal(size=3).astype(np.float32),
            state=rng.normal(size=6).astype(np.float32),
            tactile=rng.normal(size=24).astype(np.float32),
            frames=(frames[index % len(frames)], frames[(index + number) % len(frames)]),
            chunk_index=0,
            is_terminal=index == num_steps - 1,
            is_truncated=False,
            command_delay_ms=float("nan"),
        )
        for index in range(num_steps)
    ]
    end = Episode(
        **shared,  # type: ignore[arg-type]
        seq=number // 4,
        release_role="champion",
        started_ns=0,
        ended_ns=1,
        first_seq=first,
        num_steps=num_steps,
        num_correction_steps=0,
        num_interventions=0,
        control_rate_hz=20.0,
        outcome="success",
        outcome_reason="",
        outcome_author="simulator",
    )
    return steps, end


def distinct(steps: Sequence[Step]) -> list[Step]:
    """The same steps, each picture in bytes of its own: what repeats, Parquet stores once (its dictionary)."""
    return [
        dataclasses.replace(step, frames=tuple(_marked(frame, f"{step.robot_id} {step.seq}") for frame in step.frames))
        for step in steps
    ]


def _marked(jpeg: bytes, mark: str) -> bytes:
    """The same picture with a comment."""
    start, comment = jpeg[:2], b"\xff\xfe" + (2 + len(mark)).to_bytes(2, "big") + mark.encode()
    return start + comment + jpeg[2:]
