import dataclasses
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import wire
from infra.columns import arrow_schema, field_types
from infra.topics import STEPS, TOPICS, Topic
from policy.errors import SchemaError, WireError
from policy.schema import Float32, Step

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INT64 = st.integers(-(2**63), 2**63 - 1)
BY_TYPE: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: INT64,
    float: st.floats(allow_nan=True),
    bool: st.booleans(),
    Float32: st.lists(st.floats(width=32), max_size=5).map(lambda values: np.array(values, np.float32)),
    tuple[bytes, ...]: st.lists(st.binary(max_size=20), max_size=3).map(tuple),
}


def records_of(topic: Topic) -> st.SearchStrategy[Any]:
    fields = {name: BY_TYPE[hint] for name, hint in field_types(topic.record).items()}
    fields["schema_version"] = st.just(1)
    if "seq" in fields:
        fields["seq"] = st.integers(0, 2**63 - 1)
    return st.builds(topic.record, **fields)


MESSAGES = st.sampled_from(TOPICS).flatmap(
    lambda topic: st.tuples(st.just(topic), st.lists(records_of(topic), min_size=1, max_size=3))
)
STEP = records_of(STEPS)


def is_same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True)
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


@given(MESSAGES)
def test_decoding_what_was_encoded_gives_the_same_records(message: tuple[Topic, list[Any]]) -> None:
    topic, sent = message
    batch = wire.decode(topic, wire.encode(sent))
    assert batch.schema.equals(arrow_schema(topic.record))
    found = wire.records(topic, batch)
    assert len(found) == len(sent)
    for before, after in zip(sent, found, strict=True):
        for field in dataclasses.fields(before):
            assert is_same(getattr(before, field.name), getattr(after, field.name)), field.name


@given(st.sampled_from(TOPICS), st.binary(max_size=400))
def test_no_bytes_crash_the_decoder(topic: Topic, data: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode(topic, data)


@settings(max_examples=200)
@given(STEP, st.data())
def test_damaged_messages_are_refused_or_still_records(step: Step, data: st.DataObject) -> None:
    message = bytearray(wire.encode([step]))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        batch = wire.decode(STEPS, bytes(message))
    except WireError:
        return
    assert len(wire.records(STEPS, batch)) == batch.num_rows


@given(STEP, st.integers(1, 200))
def test_messages_cut_short_are_refused(step: Step, num_missing: int) -> None:
    with pytest.raises(WireError):
        wire.decode(STEPS, wire.encode([step])[:-num_missing])


@given(STEP, st.integers().filter(lambda version: version != 1 and abs(version) < 2**63))
def test_an_unknown_schema_version_is_refused(step: Step, version: int) -> None:
    other = dataclasses.replace(step, schema_version=version)
    with pytest.raises(WireError, match="unknown schema version"):
        wire.decode(STEPS, wire.encode([other]))


@given(MESSAGES, st.sampled_from(TOPICS))
def test_messages_of_another_topic_are_refused(message: tuple[Topic, list[Any]], other: Topic) -> None:
    topic, sent = message
    if topic is other:
        return
    with pytest.raises(WireError, match=r"another schema|limit"):
        wire.decode(other, wire.encode(sent))


def batch_with(step: Step, name: str, column: Any) -> bytes:
    batch = wire.decode(STEPS, wire.encode([step]))
    columns = [column if field == name else batch.column(field) for field in batch.schema.names]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=batch.schema))
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("robot_id", pa.array([None], pa.string()), "without a value"),
        ("frames", pa.array([[b"a", None]], pa.list_(pa.binary())), "without a value"),
        ("state", pa.array([b"abc"], pa.binary()), "whole float32"),
        ("seq", pa.array([-1], pa.int64()), "negative sequence"),
    ],
)
@settings(max_examples=1)
@given(step=STEP)
def test_values_that_break_the_contract_are_refused(step: Step, name: str, column: Any, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        wire.decode(STEPS, batch_with(step, name, column))


@settings(max_examples=1)
@given(step=STEP)
def test_what_does_not_fit_is_refused_when_written(step: Step) -> None:
    for change in ({"robot_id": 3}, {"step_index": 2**64}, {"robot_id": None}, {"frames": (b"a", None)}):
        with pytest.raises(SchemaError):
            wire.encode([dataclasses.replace(step, **change)])
    with pytest.raises(SchemaError, match="several types"):
        wire.encode([step, "step"])


@settings(max_examples=1)
@given(step=STEP)
def test_a_message_over_the_limit_is_refused_unread(step: Step) -> None:
    with pytest.raises(WireError, match="limit"):
        wire.decode(STEPS, b"\x00" * (STEPS.max_message_bytes + 1))
