"""What exactly-once costs: `python -m benchmarks.ingest [--messages N] [--steps N]`.

The same messages, decoded and appended to a Delta table with as many commits, by the plainest loop that
could do it (the baseline), and through ingest's writer: offsets, delivered ranges, one commit. Then the same once
more with each message's signature checked.
"""

import argparse
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
from deltalake import write_deltalake

from benchmarks.lake_data import episode, pictures
from infra import identity, wire
from infra.enrolment import Enrolments
from infra.signing import service_signer
from infra.topics import STEPS
from storage.provenance import Provenance
from storage.tables import Lake, table_schema
from storage.writer import TableWriter

_MESSAGES_PER_COMMIT = 10
Way: TypeAlias = Callable[[Lake, Sequence[bytes]], list[float]]
Opened: TypeAlias = Callable[[bytes], pa.RecordBatch]


def plain(lake: Lake, messages: Sequence[bytes]) -> list[float]:
    """Append without any bookkeeping; seconds per commit."""
    table, schema = lake.open(STEPS), table_schema(STEPS)
    took: list[float] = []
    rows: list[pa.RecordBatch] = []
    for offset, message in enumerate(messages):
        batch = wire.decode(STEPS, message)
        origin: list[Any] = [
            pa.array([0] * batch.num_rows, pa.int32()),
            pa.array([offset] * batch.num_rows, pa.int64()),
            pa.array([0] * batch.num_rows, pa.int64()),
        ]
        rows.append(pa.RecordBatch.from_arrays([*batch.columns, *origin], schema=schema))
        if len(rows) == _MESSAGES_PER_COMMIT:
            started = time.perf_counter()
            write_deltalake(table, pa.Table.from_batches(rows), mode="append")
            took.append(time.perf_counter() - started)
            rows.clear()
    return took


def decoded(message: bytes) -> pa.RecordBatch:
    """The records of a message, whoever sent it."""
    return wire.decode(STEPS, message)


def signed(home: Path, messages: Sequence[bytes]) -> Opened:
    """As `decoded`, after asking who signed the message; the messages are signed now."""
    robot = identity.robot(home, "replay", is_simulated=True)
    headers = service_signer(robot).headers
    stamps = {message: headers(STEPS, robot.name, message) for message in messages}
    provenance = Provenance(Enrolments(home))

    def opened(message: bytes) -> pa.RecordBatch:
        provenance.signer_of(STEPS, stamps[message], message)
        return decoded(message)

    return opened


def exactly_once(lake: Lake, messages: Sequence[bytes], opened: Opened = decoded) -> list[float]:
    """Through `TableWriter`; seconds per commit."""
    writer = TableWriter(lake, STEPS)
    took = []
    for offset, message in enumerate(messages):
        writer.take(0, offset, opened(message))
        if offset % _MESSAGES_PER_COMMIT == _MESSAGES_PER_COMMIT - 1:
            started = time.perf_counter()
            writer.commit()
            took.append(time.perf_counter() - started)
    return took


def rate(name: str, way: Way, messages: Sequence[bytes], num_steps: int) -> float:
    """Steps per second of one way, which is printed too."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        commits = way(Lake(folder), messages)
        found = len(messages) * num_steps / (time.perf_counter() - started)
    print(
        f"{name:<14}{found:>10,.0f} steps/s   commit p50 {1e3 * statistics.median(commits):6.1f} ms, "
        f"last fifth {1e3 * statistics.median(commits[-len(commits) // 5 :]):6.1f} ms"
    )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print rows per second of each, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="messages to store")
    parser.add_argument("--steps", type=int, default=10, help="steps in a message")
    args = parser.parse_args(argv)
    frames = pictures()
    messages = [wire.encode(episode(4 * n, args.steps, frames)[0]) for n in range(args.messages)]
    with tempfile.TemporaryDirectory() as home:
        checked = functools.partial(exactly_once, opened=signed(Path(home), messages))
        ways: dict[str, Way] = {"plain": plain, "exactly once": exactly_once, "and signed": checked}
        rates = {name: rate(name, way, messages, args.steps) for name, way in ways.items()}
    print(f"ratio exactly once / plain: {rates['exactly once'] / rates['plain']:.2f}")
    print(f"ratio and signed / exactly once: {rates['and signed'] / rates['exactly once']:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
