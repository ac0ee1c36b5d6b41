"""Records for the tests of the lake: small episodes of a toy embodiment, as robots would send them."""

import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from infra import wire
from infra.topics import EPISODES, LABELS, STEPS, Topic
from policy.schema import Episode, Label, Step
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from storage.tables import Lake
from storage.writer import TableWriter

SIDE = 8


def toy_spec(name: str = "toy", num_actions: int = 2) -> EmbodimentSpec:
    """Two cameras of 8x8, three state channels, one of touch."""
    return EmbodimentSpec(
        name=name,
        control_rate_hz=20.0,
        state=tuple(ChannelSpec(name=f"s{i}", unit="m") for i in range(3)),
        tactile=(ChannelSpec(name="t0", unit="N"),),
        action=tuple(ChannelSpec(name=f"a{i}", unit="m", low=-1.0, high=1.0) for i in range(num_actions)),
        cameras=(CameraSpec(name="scene", height=SIDE, width=SIDE), CameraSpec(name="wrist", height=SIDE, width=SIDE)),
    )


def jpeg(level: int) -> bytes:
    """A flat picture."""
    sink = io.BytesIO()
    Image.fromarray(np.full((SIDE, SIDE, 3), level, np.uint8)).save(sink, "JPEG")
    return sink.getvalue()


def raw(level: int) -> bytes:
    """A flat picture, as pixels."""
    return bytes([level]) * (SIDE * SIDE * 3)


def make_step(seq: int = 0, **fields: Any) -> Step:
    """One step; its state and action hold `seq`."""
    spec = toy_spec()
    known: dict[str, Any] = {
        "spec_id": spec.spec_id,
        "robot_id": "r0",
        "boot_id": "b0",
        "seq": seq,
        "episode_id": "e0",
        "step_index": seq,
        "time_ns": time.time_ns(),
        "observation_time_ns": time.time_ns(),
        "source": "rollout",
        "scene_seed": 0,
        "task_id": "toy",
        "instruction": "push it",
        "policy_version": "1",
        "control_mode": "autonomous",
        "intervention_id": "",
        "operator_id": "",
        "proposed_action": np.full(2, seq, np.float32),
        "executed_action": np.full(2, seq, np.float32),
        "state": np.full(3, seq, np.float32),
        "tactile": np.full(1, seq, np.float32),
        "frames": (raw(seq % 256), jpeg(seq % 256)),
        "chunk_index": 0,
        "is_terminal": False,
        "is_truncated": False,
        "command_delay_ms": float("nan"),
    }
    return Step(**{**known, **fields})


def make_episode(number: int, num_steps: int, *, boot_id: str = "b0", first_seq: int = 0, **fields: Any) -> Episode:
    """The row that ends an episode."""
    known: dict[str, Any] = {
        "spec_id": toy_spec().spec_id,
        "robot_id": "r0",
        "boot_id": boot_id,
        "seq": number,
        "episode_id": f"{boot_id}/e{number}",
        "source": "rollout",
        "scene_seed": number,
        "task_id": "toy",
        "instruction": "push it",
        "policy_version": "1",
        "release_role": "champion",
        "started_ns": 1,
        "ended_ns": 2,
        "first_seq": first_seq,
        "num_steps": num_steps,
        "num_correction_steps": 0,
        "num_interventions": 0,
        "control_rate_hz": 20.0,
        "outcome": "success",
        "outcome_reason": "",
        "outcome_author": "simulator",
    }
    return Episode(**{**known, **fields})


def make_label(seq: int, episode_id: str, outcome: str, time_ns: int) -> Label:
    """Somebody's judgement."""
    return Label(
        boot_id="console", seq=seq, episode_id=episode_id, outcome=outcome, progress=0, reason="",
        author="ann", time_ns=time_ns,
    )  # fmt: skip


def make_run(number: int, num_steps: int, *, boot_id: str = "b0", **fields: Any) -> tuple[list[Step], Episode]:
    """A whole episode: its steps and its row; `fields` go to both where both have them."""
    first_seq = number * 1000
    shared = {name: value for name, value in fields.items() if name in Step.__dataclass_fields__}
    steps = [
        make_step(
            first_seq + i, **{"boot_id": boot_id, "episode_id": f"{boot_id}/e{number}", "step_index": i, **shared}
        )
        for i in range(num_steps)
    ]
    own = {name: value for name, value in fields.items() if name in Episode.__dataclass_fields__}
    return steps, make_episode(number, num_steps, boot_id=boot_id, first_seq=first_seq, **own)


class Filler:
    """Writes records into tables the way ingest does, one message per call."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._writers: dict[str, TableWriter] = {}
        self._offsets: dict[tuple[str, int], int] = {}

    def put(self, topic: Topic, records: Sequence[object], partition: int = 0) -> None:
        """One message, one commit."""
        if topic.name not in self._writers:
            self._writers[topic.name] = TableWriter(self.lake, topic)
        offset = self._offsets.get((topic.name, partition), -1) + 1
        self._offsets[topic.name, partition] = offset
        writer = self._writers[topic.name]
        writer.take(partition, offset, wire.decode(topic, wire.encode(records)))
        writer.commit()

    def put_run(self, number: int, num_steps: int, **fields: Any) -> None:
        """A whole episode."""
        steps, episode = make_run(number, num_steps, **fields)
        self.put(STEPS, steps, partition=number % STEPS.num_partitions)
        self.put(EPISODES, [episode])

    def put_label(self, seq: int, episode_id: str, outcome: str, time_ns: int) -> None:
        """One label."""
        self.put(LABELS, [make_label(seq, episode_id, outcome, time_ns)])


def delivered(lake: Lake, topic: Topic = STEPS) -> list[tuple[str, int]]:
    """(boot_id, seq) of every row, sorted; doubles stay visible."""
    rows: pa.Table = lake.read(topic, ["boot_id", "seq"])
    pairs: list[tuple[Any, Any]] = [(row["boot_id"], row["seq"]) for row in rows.to_pylist()]
    return sorted(pairs)
