"""The columns, indexes and sums behind the console's pages, without a lake."""

import itertools
import json
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from console.history import buckets, filters, step_modes, value_index
from console.history.columns import GrowingColumns, Names
from console.history.filters import Filters
from console.history.history import History, HistoryConfig
from console.history.ledger_view import read_ledger
from console.history.people import Helps, options_of
from console.history.question import groups, version_order
from console.history.reader import _Cache
from console.history.step_modes import StepModeIndex
from console.history.value_digest import ADVANTAGE_EDGES, KINDS, digest
from console.history.value_index import EpisodeValues, ValueIndex
from infra import wire
from infra.topics import STEPS, VALUES, Topic
from policy.errors import ConfigError, LakeError
from storage.tables import Lake, columns_of, table_schema
from tests.history_rig import make_release, make_values
from tests.lake_rig import make_step


def batch(topic: Topic, records: list[Any], columns: tuple[str, ...], *, offset: int = 0) -> pa.RecordBatch:
    """As a tail gives it."""
    rows = wire.decode(topic, wire.encode(records))
    origin: list[Any] = [
        pa.array([0] * rows.num_rows, pa.int32()),
        pa.array([offset] * rows.num_rows, pa.int64()),
        pa.array([0] * rows.num_rows, pa.int64()),
    ]
    whole = pa.RecordBatch.from_arrays([*rows.columns, *origin], schema=table_schema(topic))
    return whole.select(columns_of(topic, [*columns, "kafka_partition", "kafka_offset"]).names)


def steps(index: list[int], *, mode: str = "autonomous", offset: int = 0, episode_id: str = "e") -> pa.RecordBatch:
    records = [make_step(i, episode_id=episode_id, step_index=i, control_mode=mode) for i in index]
    return batch(STEPS, records, step_modes.COLUMNS, offset=offset)


def values(critic: str, *, offset: int, num_steps: int = 4, value: float = -0.5, first_seq: int = 0) -> pa.RecordBatch:
    records = make_values(first_seq, critic, "e", num_steps, value=value, returned=-0.5, advantage=0.1)
    return batch(VALUES, records, value_index.COLUMNS, offset=offset)


# --- people --------------------------------------------------------------------------------------


def test_requests_find_their_answers_whichever_is_read_first() -> None:
    def rows(*found: tuple[str, int]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"request_id": name, "time_ns": time_ns} for name, time_ns in found])

    def answers(*found: tuple[str, str]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"request_id": name, "result": result} for name, result in found])

    helps = Helps()
    helps.answer(answers(("early", "answered")))
    helps.ask(rows(("open", 3), ("late", 2)))
    helps.ask(rows(("early", 1)))
    before = helps.frozen()
    helps.answer(answers(("late", "expired"), ("early", "taken_over")))
    after = {own.request["request_id"]: own.result for own in helps.frozen()}
    assert after == {"early": "answered", "late": "expired", "open": ""}
    assert {own.request["request_id"]: own.result for own in before} == {"early": "answered", "late": "", "open": ""}


# --- columns -------------------------------------------------------------------------------------


def test_what_was_handed_out_stays_while_columns_grow() -> None:
    columns = GrowingColumns({"n": np.int64, "text": object})
    columns.append({"n": np.array([1, 2]), "text": np.array(["a", "b"], object)})
    before = columns.frozen()
    for first in range(2, 5000, 100):
        columns.append({"n": np.arange(first, first + 100), "text": np.array(["c"] * 100, object)})
    assert before["n"].tolist() == [1, 2]
    assert columns.frozen()["n"][-1] == columns.num_rows - 1
    with pytest.raises(ValueError, match="read-only"):
        before["n"][0] = 7


def test_codes_stay_as_names_come() -> None:
    names = Names(["success"])
    assert names.codes(pa.array(["b", "success", "b"])).tolist() == [1, 0, 1]
    assert names.codes(pa.array([], pa.string())).tolist() == []
    assert (names.find("success"), names.find("never")) == (0, -1)


# --- steps ---------------------------------------------------------------------------------------


def test_modes_come_out_of_order_and_in_pieces() -> None:
    index = StepModeIndex()
    index.take(steps([4, 5], mode="correcting", offset=3))
    index.take(steps([1, 0], offset=1))
    found = index.get("e")
    assert found is not None
    assert found.bands() == [("autonomous", 0, 1), ("unknown", 2, 3), ("correcting", 4, 5)]
    assert (found.first_offset, found.last_offset) == (1, 3)
    index.take(steps([2, 3], mode="paused", offset=2))
    index.take(steps([2, 3], mode="paused", offset=2))  # a read that failed half-way comes again
    again = index.get("e")
    assert again is not None
    assert again.bands()[1] == ("paused", 2, 3)
    assert found.bands()[1] == ("unknown", 2, 3)


def test_steps_that_cannot_be_are_left_out() -> None:
    index = StepModeIndex()
    index.take(steps([0, 1 << 30]))
    index.take(steps([1], mode="dancing"))
    found = index.get("e")
    assert found is not None
    assert found.bands() == [("autonomous", 0, 0), ("unknown", 1, 1)]


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_critic_wins_in_whatever_order_its_rows_come(seed: int) -> None:
    batches = [
        values("old", offset=1, value=-0.9),
        values("new", offset=2, num_steps=2, value=-0.2),
        values("new", offset=3, num_steps=4, value=-0.3),
        values("old", offset=0, value=-0.8),
    ]
    random.Random(seed).shuffle(batches)
    index = ValueIndex()
    for rows in batches:
        index.take(rows)
    found = index.get("e")
    assert found is not None
    assert (found.critic, found.step.tolist()) == ("new", [0, 1, 2, 3])
    assert found.value == pytest.approx([-0.3] * 4)
    assert index.critics() == ["new", "old"]


def judged(advantage: list[float], *, value: float = -0.55, returned: float = -0.4) -> EpisodeValues:
    n = len(advantage)
    return EpisodeValues(
        critic="c", last_offset=0, step=np.arange(n, dtype=np.int32), value=np.full(n, value, np.float32),
        return_to_go=np.full(n, returned, np.float32), advantage=np.array(advantage, np.float32),
        is_positive=np.array(advantage) > 0,
    )  # fmt: skip


def test_a_digest_counts_every_step_once_by_kind() -> None:
    index = StepModeIndex()
    index.take(steps([0, 1]))
    index.take(steps([2], mode="correcting"))
    found = digest(judged([0.305, -5.0, 0.205]), index.get("e"), source=1, num_steps=3)
    assert found.histogram.sum(axis=1).tolist() == [0, 2, 1]
    assert found.histogram[KINDS.index("rollout"), 0] == 1  # beyond the edge counts at the edge
    assert found.num_positive.tolist() == [0, 1, 1]
    assert found.lowest_positive == pytest.approx(0.305)
    place = int(np.flatnonzero(found.histogram[KINDS.index("correction")])[0])
    assert ADVANTAGE_EDGES[place] <= 0.205 < ADVANTAGE_EDGES[place + 1]
    assert found.calibration[:, 4] == pytest.approx([3, -1.65, -1.2])
    demonstrated = digest(judged([0.1]), None, source=0, num_steps=1)
    assert demonstrated.histogram.sum(axis=1).tolist() == [1, 0, 0]


def test_what_a_critic_does_not_know_counts_nowhere() -> None:
    found = digest(judged([float("nan"), 0.1], returned=float("nan")), None, source=1, num_steps=2)
    assert found.histogram.sum() == 1
    assert found.calibration.sum() == 0


# --- buckets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_points", "num_buckets"), [(1, 1), (7, 3), (100_000, 2000), (5, 2000), (0, 10)])
def test_buckets_keep_extremes_and_never_exceed_what_was_asked(num_points: int, num_buckets: int) -> None:
    series = np.random.default_rng(num_points).normal(size=num_points)
    cuts = buckets.edges(num_points, num_buckets)
    low, high = buckets.bounds(series, cuts)
    assert len(low) == len(high) == min(num_points, num_buckets)
    for number, (first, last) in enumerate(itertools.pairwise(cuts)):
        assert (low[number], high[number]) == (series[first:last].min(), series[first:last].max())


def test_a_stretch_without_numbers_is_null() -> None:
    series = np.array([1.0, np.nan, np.nan, np.nan, np.inf, 2.0])
    assert buckets.bounds(series, buckets.edges(6, 3)) == ([1.0, None, 2.0], [1.0, None, 2.0])


def test_buckets_of_time_leave_out_what_is_empty() -> None:
    times = np.array([0, 1, 90, 99], np.int64)
    starts, cuts = buckets.by_time(times, 0, 100, 10)
    assert starts.tolist() == [0, 90]
    assert cuts.tolist() == [0, 2, 4]


# --- filters -------------------------------------------------------------------------------------


def test_a_query_string_says_what_the_filters_say() -> None:
    asked = Filters(task=("a b", "ü&?"), assisted=False, since_ns=5, help="missed")
    parsed = filters.parse({"task": ["a b,ü&?"], "assisted": ["false"], "since_ns": ["5"], "help": ["missed"]})
    assert parsed == asked
    assert asked.query(version="3", task="x") == "task=x&version=3&assisted=false&help=missed&since_ns=5"
    assert filters.parse({}) == Filters()


@pytest.mark.parametrize("text", ["1e3", "٣", "--1", "1.0", " 1", "0x1"])
def test_numbers_are_plain_digits(text: str) -> None:
    with pytest.raises(ConfigError, match="limit must be a whole number from 1 to 9"):
        filters.whole_number("limit", [text], 1, 9)


# --- the ledger ----------------------------------------------------------------------------------


def test_roles_follow_the_ledger() -> None:
    rows = [
        make_release(0, "candidate", "1", 1),
        make_release(1, "promote", "1", 2),
        make_release(2, "candidate", "2", 3),
        make_release(3, "canary", "2", 4),
        make_release(4, "promote", "2", 5, before="1"),
        make_release(5, "candidate", "3", 6),
        make_release(6, "reject", "3", 7),
        make_release(7, "canary", "4", 8),
    ]
    ledger = read_ledger([vars(row) for row in reversed(rows)])
    assert dict(ledger.role) == {"1": "previous", "2": "champion", "3": "rejected", "4": "canary"}
    back = read_ledger([*(vars(row) for row in rows), vars(make_release(8, "rollback", "1", 9, before="2"))])
    assert dict(back.role) == {"1": "champion", "2": "rejected", "3": "rejected", "4": "canary"}


def test_a_damaged_record_is_no_pin_and_no_numbers() -> None:
    row = {**vars(make_release(0, "candidate", "1", 1)), "evidence": '{"data_pin": "{}", "metrics": {"a": "b"}}'}
    found = read_ledger([row, {**row, "policy_version": "2", "evidence": "{"}]).candidates
    assert [(own.pin, dict(own.metrics)) for own in found.values()] == [(None, {}), (None, {})]


def test_options_that_are_no_list_are_none() -> None:
    assert options_of({"options": json.dumps(["a", 2])}) == ["a", "2"]
    assert [options_of({"options": text}) for text in ("", "{", '{"a": 1}', "3")] == [[], [], [], []]


# --- small things --------------------------------------------------------------------------------


def test_groups_and_versions_in_order() -> None:
    rows = np.array([True, True, False, True])
    found = list(groups(rows, np.array([1, 0, 0, 1]), np.array([2, 2, 2, 2])))
    assert [(key, own.tolist()) for key, own in found] == [
        ((0, 2), [False, True, False, False]),
        ((1, 2), [True, False, False, True]),
    ]
    assert list(groups(np.zeros(2, np.bool_), np.array([1, 0]))) == []
    assert version_order(["10", "9", "base"]) == ["base", "9", "10"]


def test_the_cache_stays_within_its_budget_and_makes_each_thing_once() -> None:
    cache, made = _Cache(10), []

    def get(key: str) -> None:
        cache.get(key, lambda: made.append(key), lambda _: 4)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]
    threads = [threading.Thread(target=get, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache._num_bytes <= 10


def test_data_that_nobody_foresaw_shows_and_does_not_end_the_thread(tmp_path: Path) -> None:
    history = History(Lake(str(tmp_path)), config=HistoryConfig(poll_s=0.01))
    looks = threading.Semaphore(0)

    def fail() -> None:
        looks.release()
        raise ZeroDivisionError("odd data")

    history.refresh = fail  # type: ignore[method-assign]
    history.start()
    assert all(looks.acquire(timeout=10) for _ in range(2))
    history.close()
    with pytest.raises(LakeError, match="odd data"):
        history.snapshot()
