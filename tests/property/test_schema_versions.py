"""Two releases understand each other: an added field is filled with its default, or left out."""

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import wire
from infra.columns import field_types
from infra.topics import EPISODES, LABELS, STEPS, Topic
from policy.errors import SchemaError, WireError
from policy.schema import Float32
from storage.tables import Lake
from storage.tail import Tail
from storage.writer import TableWriter
from tests.lake_rig import make_episode, make_label, make_step

KNOWN = {STEPS: make_step(1), EPISODES: make_episode(1, 3), LABELS: make_label(1, "e", "success", 2)}
DEFAULTS: list[tuple[type, Any]] = [
    (str, "nobody"),
    (int, -1),
    (float, 0.5),
    (bool, True),
    (Float32, np.array([1.0, 2.0], np.float32)),
    (tuple[bytes, ...], (b"a", b"")),
]
ADDED = st.lists(st.sampled_from(DEFAULTS), min_size=1, max_size=4)
TOPIC = st.sampled_from(list(KNOWN))


@contextlib.contextmanager
def release(version: int, since: int) -> Iterator[None]:
    """Act as a program of this schema version."""
    with mock.patch.multiple(wire, SCHEMA_VERSION=version, COMPATIBLE_SINCE=since):
        yield


def _same_value(value: Any) -> Any:
    return value


def next_release(topic: Topic, added: list[tuple[type, Any]]) -> Topic:
    """The topic with a record type that has more fields."""
    fields: list[Any] = [("schema_version", int, dataclasses.field(default=2))]
    for number, (hint, value) in enumerate(added):
        fields.append(
            (f"added_{number}", hint, dataclasses.field(default_factory=functools.partial(_same_value, value)))
        )
    record = dataclasses.make_dataclass("Newer", fields, bases=(topic.record,), frozen=True, kw_only=True, eq=False)
    return dataclasses.replace(topic, record=record)


def grown(record: object, newer: Topic, **fields: Any) -> Any:
    known = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}  # type: ignore[arg-type]
    return newer.record(**{**known, "schema_version": 2, **fields})


def same(left: Any, right: Any) -> bool:
    return bool(np.array_equal(left, right, equal_nan=isinstance(left, float | np.ndarray)))


@given(TOPIC, ADDED)
def test_an_older_message_is_filled_with_defaults(topic: Topic, added: list[tuple[type, Any]]) -> None:
    newer, sent = next_release(topic, added), KNOWN[topic]
    message = wire.encode([sent, sent])
    with release(2, since=1):
        (found, _) = wire.records(newer, wire.decode(newer, message))
    for name in field_types(topic.record):
        assert same(getattr(found, name), getattr(sent, name)), name
    for number, (_, value) in enumerate(added):
        assert same(getattr(found, f"added_{number}"), value)


@given(TOPIC, ADDED)
def test_a_newer_message_loses_the_fields_that_we_do_not_know(topic: Topic, added: list[tuple[type, Any]]) -> None:
    newer = next_release(topic, added)
    with release(2, since=1):
        message = wire.encode([grown(KNOWN[topic], newer)])
    (found,) = wire.records(topic, wire.decode(topic, message))
    assert found.schema_version == 2  # the row says who wrote it
    for name in set(field_types(topic.record)) - {"schema_version"}:
        assert same(getattr(found, name), getattr(KNOWN[topic], name)), name


@given(TOPIC, ADDED)
def test_a_change_that_is_more_than_a_field_is_refused_both_ways(topic: Topic, added: list[tuple[type, Any]]) -> None:
    newer = next_release(topic, added)
    with release(2, since=2):
        message = wire.encode([grown(KNOWN[topic], newer)])
        with pytest.raises(WireError, match="too old for this one"):
            wire.decode(newer, wire_of_version_1(topic))
    with pytest.raises(WireError, match="too new for this one"):
        wire.decode(topic, message)


def wire_of_version_1(topic: Topic) -> bytes:
    with release(1, since=1):
        return wire.encode([KNOWN[topic]])


def test_a_field_without_default_and_a_field_of_another_type_are_refused() -> None:
    bare = dataclasses.make_dataclass("Bare", [("added", str)], bases=(LABELS.record,), frozen=True, kw_only=True)
    with release(2, since=1), pytest.raises(WireError, match=r"another schema.*added"):
        wire.decode(dataclasses.replace(LABELS, record=bare), wire_of_version_1(LABELS))
    changed = next_release(LABELS, [(int, 1)])
    other = next_release(LABELS, [(str, "1")])
    with release(2, since=1):
        message = wire.encode([grown(KNOWN[LABELS], changed)])
        with pytest.raises(WireError, match="another schema"):
            wire.decode(other, message)


def test_our_own_version_may_not_bring_fields_that_we_do_not_know() -> None:
    with release(1, since=1):
        message = wire.encode([grown(KNOWN[LABELS], next_release(LABELS, [(int, 1)]), schema_version=1)])
    with pytest.raises(WireError, match="another schema"):
        wire.decode(LABELS, message)


@settings(max_examples=10)
@given(TOPIC, ADDED)
def test_a_lake_of_the_release_before_is_read_and_written_on(topic: Topic, added: list[tuple[type, Any]]) -> None:
    newer = next_release(topic, added)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        put(lake, topic, KNOWN[topic], seq=0)
        tail = Tail(lake, newer)
        assert [batch.num_rows for batch in tail.read()] == [1]
        with release(2, since=1):
            put(lake, newer, grown(KNOWN[topic], newer), seq=1, added_0=added[0][1])
        followed = tail.read()
        rows = lake.read(newer).sort_by("seq")
        for number in range(len(added)):
            old, new = rows.column(f"added_{number}").to_pylist()
            assert old == new == followed[0].column(f"added_{number}")[0].as_py()
        with pytest.raises(SchemaError, match="newer release"):
            lake.open(topic)


def put(lake: Lake, topic: Topic, record: Any, seq: int, **fields: Any) -> None:
    writer = TableWriter(lake, topic)
    message = wire.encode([dataclasses.replace(record, seq=seq, **fields)])
    assert writer.take(0, seq, wire.decode(topic, message)) == 1
    writer.commit()
