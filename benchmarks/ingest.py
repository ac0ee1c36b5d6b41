"""What exactly-once costs: `python -m benchmarks ingest [--messages N] [--steps N] [--turns N]`.

The same steps in the same commits, by `write_deltalake` of ready Arrow batches (the baseline: nothing to decode, to
check or to remember), and by ingest itself: messages from a bus in memory, decoded, checked against the embodiment,
delivered ranges, offsets in the commit. Then once more with each message's signature checked. The rate is per core:
steps over processor time of all threads, so a busy machine changes it little.
"""

import argparse
import functools
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from benchmarks.figures import Figure, publish, ratios, take_turns
from benchmarks.lake_data import SPEC, distinct, episode, pictures
from infra import identity, wire
from infra.bus import Message
from infra.enrolment import Enrolments
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.signing import MessageSigner
from infra.topics import STEPS
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.ingest import IngestConfig, TopicIngest
from storage.provenance import Provenance
from storage.removals import Removals
from storage.tables import Lake, table_schema
from storage.writer import REOPEN_COMMITS

_MESSAGES_PER_COMMIT = 10
_COUNTER = "touchline_ingested_records_total"


class _Until(threading.Event):
    """Set when so many records were stored; asked often, so it must cost nothing."""

    def __init__(self, num_records: int) -> None:
        super().__init__()
        self._num_records = num_records

    def stored(self, num_records: float) -> None:
        """Some more were."""
        self._num_records -= round(num_records)
        if self._num_records <= 0:
            self.set()


class _Counting(Metrics):
    """Tells of every commit."""

    def __init__(self, until: _Until) -> None:
        super().__init__()
        self._until = until

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        super().count(name, amount, **labels)
        if name == _COUNTER:
            self._until.stored(amount)


def sent(home: Path, num_messages: int, num_steps: int) -> MemoryBus:
    """A bus that holds the messages, signed."""
    bus, frames = MemoryBus(), pictures()
    bus.ensure_topics()
    signer = MessageSigner(functools.cache(functools.partial(identity.robot, home, is_simulated=True)))
    producer = bus.producer("bench", signer=signer)
    for number in range(num_messages):
        producer.send(STEPS, distinct(episode(number, num_steps, frames)[0]))
    return bus


def ready(bus: MemoryBus) -> list[pa.Table]:
    """What the baseline writes: the rows of each commit, as ingest makes them of the same messages."""
    messages = [message for partition in bus.log(STEPS.name) for message in partition]
    firsts = range(0, len(messages), _MESSAGES_PER_COMMIT)
    groups = (messages[first : first + _MESSAGES_PER_COMMIT] for first in firsts)
    return [pa.Table.from_batches([_rows(message) for message in group]) for group in groups]


def plain(tables: Sequence[pa.Table]) -> float:
    """Append them; steps per second of processor time."""

    def store(lake: Lake) -> None:
        for number, rows in enumerate(tables):
            if number % REOPEN_COMMITS == 0:
                handle = lake.open(STEPS)
            properties = WriterProperties(compression="UNCOMPRESSED")
            write_deltalake(handle, rows, mode="append", writer_properties=properties)

    return _rate(store, sum(rows.num_rows for rows in tables))


def exactly_once(bus: MemoryBus, num_records: int, specs_dir: Path, provenance: Provenance | None) -> float:
    """Ingest them; steps per second of processor time."""

    def store(lake: Lake) -> None:
        until = _Until(num_records)
        metrics = _Counting(until)
        TopicIngest(
            STEPS,
            lake,
            bus,
            config=IngestConfig(max_poll_messages=_MESSAGES_PER_COMMIT, flush_bytes=1),
            metrics=metrics,
            stopping=until,
            guard=EmbodimentGuard(specs_dir),
            removals=Removals(lake),
            disk=LakeDisk(lake.url, DiskConfig(warn_free_bytes=0, min_free_bytes=0), metrics),
            provenance=provenance,
        ).run()

    return _rate(store, num_records)


def _rate(store: Callable[[Lake], None], num_records: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.process_time()
        store(Lake(folder))
        return num_records / (time.process_time() - started_s)


def _rows(message: Message) -> pa.RecordBatch:
    batch = wire.decode(STEPS, message.value)
    origin: list[Any] = [
        pa.array([message.partition] * batch.num_rows, pa.int32()),
        pa.array([message.offset] * batch.num_rows, pa.int64()),
        pa.array([0] * batch.num_rows, pa.int64()),
    ]
    return pa.RecordBatch.from_arrays([*batch.columns, *origin], schema=table_schema(STEPS))


def measure(num_messages: int, num_steps: int, num_turns: int) -> list[Figure]:
    """All three ways, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        bus, specs_dir = sent(home, num_messages, num_steps), home / "specs"
        specs_dir.mkdir()
        (specs_dir / f"{SPEC.spec_id}.json").write_text(SPEC.to_json())
        tables, num_records = ready(bus), num_messages * num_steps
        ingest = functools.partial(exactly_once, bus, num_records, specs_dir)
        ways = {
            "plain": lambda: plain(tables),
            "ingest": lambda: ingest(None),
            "signed": lambda: ingest(Provenance(Enrolments(home))),
        }
        rates = take_turns(ways, num_turns)
    return [
        Figure.of("ready batches", rates["plain"], unit="steps/s per core"),
        Figure.of("ingest, unsigned", rates["ingest"], unit="steps/s per core"),
        Figure.of("ingest, signatures checked", rates["signed"], unit="steps/s per core"),
        Figure.of(
            "ingest",
            ratios(rates["ingest"], rates["plain"]),
            against="write_deltalake of ready batches",
            at_least=0.6,
            bounded_by="decoding and checking each message",
        ),
        Figure.of("ingest with signatures", ratios(rates["signed"], rates["ingest"]), against="ingest without"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rates, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000, help="messages to store")
    parser.add_argument("--steps", type=int, default=10, help="steps in a message")
    parser.add_argument("--turns", type=int, default=7, help="how often each way is measured")
    parser.add_argument("--quick", action="store_true", help="40 messages, one turn: to see that it works")
    args = parser.parse_args(argv)
    size = (40, args.steps, 1) if args.quick else (args.messages, args.steps, args.turns)
    publish(measure(*size))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
