"""A lake for the benchmark of the console: many steps and episodes, with everything that people and critics add.

Written through ingest's own writer, in column batches, and compacted in between as maintenance does it; the
newest part stays in small files, as it is in a fleet that works.
"""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.lake_data import SPEC, pictures
from infra import wire
from infra.columns import arrow_schema
from infra.topics import (
    EPISODES,
    HELP_ANSWERS,
    HELP_REQUESTS,
    INTERVENTIONS,
    LABELS,
    MARKS,
    RELEASES,
    STEPS,
    VALUES,
    Topic,
)
from policy.schema import Episode, HelpAnswer, HelpRequest, Intervention, Label, Mark, Release
from storage.maintenance import MaintenanceConfig, maintain
from storage.pin import DataPin
from storage.tables import Lake
from storage.writer import TableWriter

_S = 10**9
_NUM_ROBOTS = 8
_NUM_VERSIONS = 10
_TASKS = ("plug", "latch", "cable")
_STEPS_PER_COMMIT = 100
"""Of each robot."""
_COMMITS_PER_COMPACTION = 230
"""So that some small files are left."""
_NUM_PICTURES = 5_000
"""Enough of them that compression finds no repetition, which robots do not offer either."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """How much there is."""

    num_episodes: int
    steps_per_episode: int
    start_ns: int

    @property
    def duration_ns(self) -> int:
        """Of one episode."""
        return int(self.steps_per_episode / SPEC.control_rate_hz * _S)

    def started_ns(self, number: int) -> int:
        """Robots work side by side, one episode after the other."""
        return self.start_ns + number // _NUM_ROBOTS * (self.duration_ns + _S)


def write(lake: Lake, size: Size, say: Callable[[str], None]) -> None:
    """Write all tables."""
    _write_steps(lake, size, say)
    for topic, batches in _small_tables(size):
        writer = TableWriter(lake, topic)
        for offset, batch in enumerate(batches):
            writer.take(0, offset, batch)
            if writer.num_rows > 50_000:
                writer.commit()
        writer.commit()
        say(f"{topic.name} written")


def keep_working(lake: Lake, size: Size, stopping: threading.Event) -> None:
    """Robots that go on at 20 Hz, and ingest with a commit twice a second, until `stopping`."""
    writer, frames, rng = TableWriter(lake, STEPS), pictures(), np.random.default_rng()
    # Episodes that no earlier run on this lake had.
    first, number = 0, int(time.time()) % 10_000_000 * _NUM_ROBOTS
    while not stopping.wait(0.5):
        offsets = writer.next_offsets
        for robot in range(_NUM_ROBOTS):
            partition = robot % STEPS.num_partitions
            writer.take(partition, offsets[partition], _step_batch(size, number + robot, first, 10, frames, rng))
            offsets[partition] += 1
        writer.commit()
        first += 10


def _write_steps(lake: Lake, size: Size, say: Callable[[str], None]) -> None:
    writer, frames, rng = TableWriter(lake, STEPS), pictures(_NUM_PICTURES), np.random.default_rng(0)
    offsets = dict.fromkeys(range(STEPS.num_partitions), 0)
    for wave in range(size.num_episodes // _NUM_ROBOTS):
        for first in range(0, size.steps_per_episode, _STEPS_PER_COMMIT):
            for robot in range(_NUM_ROBOTS):
                number = wave * _NUM_ROBOTS + robot
                partition = robot % STEPS.num_partitions
                count = min(_STEPS_PER_COMMIT, size.steps_per_episode - first)
                writer.take(partition, offsets[partition], _step_batch(size, number, first, count, frames, rng))
                offsets[partition] += 1
            writer.commit()
            if writer.num_commits % _COMMITS_PER_COMPACTION == 0:
                maintain(lake, STEPS, MaintenanceConfig(), retention_h=0)
                writer = TableWriter(lake, STEPS)
        if wave % 50 == 0:
            say(f"steps of {wave * _NUM_ROBOTS} of {size.num_episodes} episodes written")


def _step_batch(
    size: Size, number: int, first: int, count: int, frames: list[bytes], rng: np.random.Generator
) -> pa.RecordBatch:
    index = np.arange(first, first + count)
    time_ns = size.started_ns(number) + (index / SPEC.control_rate_hz * _S).astype(np.int64)
    is_helped = _is_helped(number) & (index >= 60) & (index < 90)
    fields: dict[str, Any] = {
        **_names(number),
        "seq": number // _NUM_ROBOTS * size.steps_per_episode + index,
        "step_index": index,
        "time_ns": time_ns,
        "observation_time_ns": time_ns,
        "control_mode": np.where(is_helped, "correcting", "autonomous").tolist(),
        "intervention_id": "",
        "operator_id": "",
        "proposed_action": _floats(rng, count, len(SPEC.action)),
        "executed_action": _floats(rng, count, len(SPEC.action)),
        "state": _floats(rng, count, len(SPEC.state)),
        "tactile": _floats(rng, count, len(SPEC.tactile)),
        "frames": [[frames[i], frames[k]] for i, k in rng.integers(len(frames), size=(count, 2)).tolist()],
        "chunk_index": 0,
        "is_terminal": False,
        "is_truncated": False,
        "command_delay_ms": float("nan"),
    }
    return _batch(STEPS, count, fields)


def _batch(topic: Topic, count: int, fields: dict[str, Any]) -> pa.RecordBatch:
    schema = arrow_schema(topic.record)
    fields = {"schema_version": 1, **fields}
    columns = []
    for field in schema:
        value = fields[field.name]
        is_column = isinstance(value, list | np.ndarray)
        columns.append(pa.array(value if is_column else [value] * count, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _floats(rng: np.random.Generator, count: int, width: int) -> list[bytes]:
    return [row.tobytes() for row in rng.normal(size=(count, width)).astype("<f4")]


def _names(number: int) -> dict[str, Any]:
    robot = number % _NUM_ROBOTS
    return {
        "spec_id": SPEC.spec_id,
        "robot_id": f"r{robot}",
        "boot_id": f"boot{robot}",
        "episode_id": episode_id(number),
        "source": "evaluation" if number % 10 == 9 else "rollout",
        "scene_seed": number,
        "task_id": _TASKS[number % len(_TASKS)],
        "instruction": "insert the plug into the blue socket",
        "policy_version": str(_version(number)),
    }


def episode_id(number: int) -> str:
    """As robots name them: boot and number."""
    return f"boot{number % _NUM_ROBOTS}-{number // _NUM_ROBOTS:06d}"


def _version(number: int) -> int:
    return 1 + min(number // 500, _NUM_VERSIONS - 1)


def _is_helped(number: int) -> bool:
    return number % 10 != 9 and number % 4 == 1


def _small_tables(size: Size) -> Iterator[tuple[Topic, Iterator[pa.RecordBatch]]]:
    numbers = range(size.num_episodes)
    helped = [number for number in numbers if _is_helped(number)]
    yield EPISODES, _records(EPISODES, [_episode(size, number) for number in numbers])
    yield INTERVENTIONS, _records(INTERVENTIONS, [_intervention(size, i, n) for i, n in enumerate(helped)])
    yield LABELS, _records(LABELS, [_label(size, i, n) for i, n in enumerate(numbers[::5])])
    yield MARKS, _records(MARKS, [_mark(size, i, n) for i, n in enumerate(numbers[::20])])
    yield HELP_REQUESTS, _records(HELP_REQUESTS, [_request(size, n) for n in helped])
    yield HELP_ANSWERS, _records(HELP_ANSWERS, [_answer(size, n) for n in helped])
    yield RELEASES, _records(RELEASES, list(_releases(size)))
    yield VALUES, _values(size)


def _records(topic: Topic, records: list[Any]) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(records), 1_000):
        yield wire.decode(topic, wire.encode(records[first : first + 1_000]))


def _values(size: Size) -> Iterator[pa.RecordBatch]:
    rng, seq, count = np.random.default_rng(1), 0, size.steps_per_episode
    for critic in ("train-8", "train-9"):
        for number in range(size.num_episodes):
            value = np.clip(np.linspace(-0.6, -0.1, count) + rng.normal(scale=0.05, size=count), -0.99, -0.01)
            advantage = rng.normal(scale=0.1, size=count)
            fields = {
                "boot_id": "learner",
                "seq": np.arange(seq, seq + count),
                "critic_version": critic,
                "episode_id": episode_id(number),
                "step_index": np.arange(count),
                "value": value,
                "return_to_go": np.linspace(-0.5, 0.0, count),
                "advantage": advantage,
                "improvement_indicator": advantage > 0.05,
            }
            seq += count
            yield _batch(VALUES, count, fields)


def _episode(size: Size, number: int) -> Episode:
    success = (number * 7919) % 100 < 50 + 4 * _version(number)
    return Episode(
        **_names(number),
        seq=number // _NUM_ROBOTS,
        release_role="champion",
        started_ns=size.started_ns(number),
        ended_ns=size.started_ns(number) + size.duration_ns,
        first_seq=number // _NUM_ROBOTS * size.steps_per_episode,
        num_steps=size.steps_per_episode,
        num_correction_steps=30 if _is_helped(number) else 0,
        num_interventions=1 if _is_helped(number) else 0,
        control_rate_hz=SPEC.control_rate_hz,
        outcome="success" if success else "failure",
        outcome_reason="" if success else "wrong socket",
        outcome_author="simulator",
    )


def _intervention(size: Size, seq: int, number: int) -> Intervention:
    start = size.started_ns(number)
    return Intervention(
        robot_id=f"r{number % _NUM_ROBOTS}", boot_id="gateway", seq=seq, intervention_id=f"{episode_id(number)}-i1",
        episode_id=episode_id(number), operator_id=("ann", "bob")[number % 2], lease_epoch=1, started_ns=start + 3 * _S,
        ended_ns=start + 9 * _S // 2, first_step_index=60, last_step_index=89, num_correction_steps=30,
        mean_command_delay_ms=12.0,
    )  # fmt: skip


def _label(size: Size, seq: int, number: int) -> Label:
    return Label(
        boot_id="gateway", seq=seq, episode_id=episode_id(number), outcome=("success", "failure")[number % 2],
        progress=number % 6, reason="", author="ann", time_ns=size.started_ns(number) + size.duration_ns + _S,
    )  # fmt: skip


def _mark(size: Size, seq: int, number: int) -> Mark:
    return Mark(
        boot_id="gateway", seq=seq, episode_id=episode_id(number), step_index=10, kind="flag", note="look",
        author="bob", time_ns=size.started_ns(number) + size.duration_ns + _S,
    )  # fmt: skip


def _request(size: Size, number: int) -> HelpRequest:
    return HelpRequest(
        robot_id=f"r{number % _NUM_ROBOTS}", boot_id="gateway", seq=number, request_id=f"{episode_id(number)}-h1",
        episode_id=episode_id(number), kind="take_over", trigger=("no_progress", "spread")[number % 2],
        severity="warning", reason="no progress for 2.0 s", question="Take over?", options="[]", deadline_s=30.0,
        fallback="hold", time_ns=size.started_ns(number) + 2 * _S,
    )  # fmt: skip


def _answer(size: Size, number: int) -> HelpAnswer:
    asked = size.started_ns(number) + 2 * _S
    return HelpAnswer(
        boot_id="gateway", seq=number, request_id=f"{episode_id(number)}-h1", robot_id=f"r{number % _NUM_ROBOTS}",
        kind="take_over", trigger="no_progress", result="taken_over", answer="", author="ann", asked_ns=asked,
        claimed_ns=asked + _S // 2, ended_ns=asked + 3 * _S,
    )  # fmt: skip


def _releases(size: Size) -> Iterator[Release]:
    per_version = size.num_episodes // _NUM_VERSIONS
    for version in range(1, _NUM_VERSIONS + 1):
        pin = DataPin(
            spec_id=SPEC.spec_id, offsets={"episodes": {0: (version - 1) * per_version // 1_000}}, floor=-1,
            num_episodes=1, num_steps=1, versions={},
        )  # fmt: skip
        evidence = json.dumps({"data_pin": pin.to_json(), "metrics": {"action_gap": 0.4, "held_out_loss": 0.1}})
        time_ns = size.started_ns((version - 1) * per_version)
        for seq, (event, what) in enumerate((("candidate", evidence), ("promote", "{}"))):
            yield Release(
                boot_id="judge", seq=2 * version + seq, time_ns=time_ns + seq * _S, event=event,
                policy_version=str(version), previous_version=str(version - 1) if version > 1 else "",
                author="judge", reason="better", evidence=what,
            )  # fmt: skip
