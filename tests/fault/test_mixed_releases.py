"""Robots one release older or newer keep working; what cannot be understood is set aside with its reason."""

from pathlib import Path

import pyarrow as pa

from infra import wire
from infra.memory_bus import MemoryBus
from infra.topics import DEAD_LETTERS, STEPS
from storage.tables import Lake
from tests.fault.test_disk_full import NO_BOUNDS, ingesting, until
from tests.lake_rig import delivered, make_step


def message_of(seq: int, *, version: int | None, since: int = 1, added: bool = False) -> bytes:
    """A step as a program of that schema version sends it; None for the first one, which did not say."""
    batch = wire.decode(STEPS, wire.encode([make_step(seq)]))
    told: dict[bytes | str, bytes | str] = (
        {} if version is None else {"schema_version": str(version), "compatible_since": str(since)}
    )
    columns = [*batch.columns[1:], pa.array([version or 1], pa.int64())]
    names = [*batch.schema.names[1:], "schema_version"]
    if added:
        columns.append(pa.array(["new"]))
        names.append("added_field")
    schema = pa.schema(
        [pa.field(n, c.type, nullable=False) for n, c in zip(names, columns, strict=True)], metadata=told
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return sink.getvalue().to_pybytes()


def test_older_and_newer_robots_beside_ours(tmp_path: Path) -> None:
    lake, bus = Lake(str(tmp_path / "lake")), MemoryBus()
    bus.ensure_topics()
    good = [
        message_of(0, version=None),
        wire.encode([make_step(1)]),
        message_of(2, version=2, added=True),
        message_of(3, version=5, added=True),
    ]
    bad = {
        message_of(4, version=2, since=2, added=True): "too new",
        message_of(5, version=0): "too old",
        message_of(6, version=1, added=True): "another schema",
    }
    for value in (*good[:2], *bad, *good[2:]):
        bus.append(STEPS.name, b"r0", value, {})
    with ingesting(lake, bus, NO_BOUNDS):
        until(lambda: len(delivered(lake)) == 4)
    assert delivered(lake) == [("b0", seq) for seq in range(4)]
    written_by = lake.read(STEPS, ["seq", "schema_version"]).sort_by("seq").column("schema_version").to_pylist()
    assert written_by == [1, 1, 2, 5]
    letters = [message for log in bus.log(DEAD_LETTERS) for message in log]
    assert [letter.value for letter in letters] == list(bad)
    for letter, reason in zip(letters, bad.values(), strict=True):
        assert reason in letter.headers["reason"].decode()
