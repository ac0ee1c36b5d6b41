"""State machine: produce, crash, send again, replay late, rebuild - each (boot_id, seq) once in the table."""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from infra import wire
from infra.topics import HELP_REQUESTS, STEPS
from policy.errors import OffsetConflict
from policy.schema import HelpRequest
from storage.offsets import Ledger, SeqRanges
from storage.tables import Lake
from storage.writer import TableWriter
from tests.lake_rig import delivered, make_step

NUM_PARTITIONS = 2
BOOTS = ("a", "b", "c", "d")


class ModelTable:
    """A Delta table in a list: rows and the ledger's JSON change together or not at all."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.ledger = Ledger().to_json()

    def recall(self, boot_id: str) -> SeqRanges:
        return SeqRanges([(seq, seq) for boot, seq in self.rows if boot == boot_id])


class ExactlyOnce(RuleBasedStateMachine):
    """The rule against a log, with a ledger so small that boots are always being forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[list[list[tuple[str, int]]]] = [[] for _ in range(NUM_PARTITIONS)]
        self.sent: dict[str, int] = dict.fromkeys(BOOTS, 0)
        self.table = ModelTable()
        self.recover()

    def recover(self) -> None:
        self.ledger = Ledger.from_json(self.table.ledger, self.table.recall, max_boots=2)
        self.buffer: list[tuple[str, int]] = []
        self.position = {p: self.ledger.offsets.get(p, -1) + 1 for p in range(NUM_PARTITIONS)}

    @rule(boot=st.sampled_from(BOOTS), count=st.integers(1, 5), partition=st.integers(0, NUM_PARTITIONS - 1))
    def produce(self, boot: str, count: int, partition: int) -> None:
        first = self.sent[boot]
        self.log[partition].append([(boot, seq) for seq in range(first, first + count)])
        self.sent[boot] += count

    @rule(boot=st.sampled_from(BOOTS), data=st.data(), partition=st.integers(0, NUM_PARTITIONS - 1))
    def send_again_or_late(self, boot: str, data: st.DataObject, partition: int) -> None:
        if self.sent[boot]:
            seqs = data.draw(st.lists(st.integers(0, self.sent[boot] - 1), min_size=1, max_size=6))
            self.log[partition].append([(boot, seq) for seq in seqs])

    @rule(partition=st.integers(0, NUM_PARTITIONS - 1), count=st.integers(1, 4))
    def consume(self, partition: int, count: int) -> None:
        for offset in range(self.position[partition], min(self.position[partition] + count, len(self.log[partition]))):
            message = self.log[partition][offset]
            is_new = self.ledger.take(partition, offset, [b for b, _ in message], [s for _, s in message])
            self.buffer += [pair for pair, new in zip(message, is_new, strict=True) if new]
            self.position[partition] = offset + 1

    @rule()
    def commit(self) -> None:
        self.table.rows += self.buffer
        self.table.ledger = self.ledger.to_json()
        self.ledger.forget_oldest()
        self.buffer = []

    @rule()
    def crash(self) -> None:
        self.recover()

    @rule()
    def commit_then_crash_before_knowing(self) -> None:
        self.commit()
        self.recover()

    @rule(partition=st.integers(0, NUM_PARTITIONS - 1), back=st.integers(0, 5))
    def read_again_from_before(self, partition: int, back: int) -> None:
        self.position[partition] = max(0, self.position[partition] - back)

    @rule()
    def lose_the_ledger(self) -> None:
        self.commit()
        stored = Ledger.from_json(self.table.ledger, self.table.recall).offsets
        self.table.ledger = Ledger(stored, is_whole=not self.table.rows).to_json()
        self.recover()

    @invariant()
    def nothing_is_doubled(self) -> None:
        assert len(set(self.table.rows)) == len(self.table.rows)

    def teardown(self) -> None:
        for partition in range(NUM_PARTITIONS):
            self.consume(partition, len(self.log[partition]))
        self.commit()
        assert set(self.table.rows) == {pair for log in self.log for message in log for pair in message}
        assert len(set(self.table.rows)) == len(self.table.rows)


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class ExactlyOnceInDelta(RuleBasedStateMachine):
    """The same, through `TableWriter` and a real table."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lake = Lake(str(Path(self.folder.name)))
        self.log: list[pa.RecordBatch] = []
        self.num_sent = 0
        self.recover()

    def recover(self) -> None:
        self.writer = TableWriter(self.lake, HELP_REQUESTS)
        self.position = self.writer.next_offsets.get(0, 0)

    @rule(count=st.integers(1, 4))
    def produce(self, count: int) -> None:
        self.append(list(range(self.num_sent, self.num_sent + count)))
        self.num_sent += count

    @precondition(lambda self: self.num_sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        self.append(data.draw(st.lists(st.integers(0, self.num_sent - 1), min_size=1, max_size=4)))

    @rule(does_commit=st.booleans())
    def consume(self, does_commit: bool) -> None:
        for offset in range(self.position, len(self.log)):
            self.writer.take(0, offset, self.log[offset])
        self.position = len(self.log)
        if does_commit:
            self.writer.commit()

    @rule()
    def crash(self) -> None:
        self.recover()

    def append(self, seqs: list[int]) -> None:
        requests = [
            HelpRequest(
                robot_id="r",
                boot_id="b",
                seq=seq,
                request_id="",
                episode_id="",
                kind="take_over",
                trigger="",
                severity="warning",
                reason="",
                question="",
                options="[]",
                deadline_s=0,
                fallback="continue",
                time_ns=0,
            )
            for seq in seqs
        ]
        self.log.append(wire.decode(HELP_REQUESTS, wire.encode(requests)))

    def teardown(self) -> None:
        self.consume(True)
        assert delivered(self.lake, HELP_REQUESTS) == [("b", seq) for seq in range(self.num_sent)]
        self.folder.cleanup()


TestExactlyOnceInDelta = ExactlyOnceInDelta.TestCase
TestExactlyOnceInDelta.settings = settings(
    max_examples=6, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class ExactlyOnceInAGroup(RuleBasedStateMachine):
    """Three writers on one table; partitions are dealt anew at any moment, and who lost some hears of it late."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lake = Lake(str(Path(self.folder.name)))
        self.log: list[list[list[tuple[str, int]]]] = [[] for _ in range(STEPS.num_partitions)]
        self.sent = [0] * STEPS.num_partitions
        self.dealt: list[frozenset[int]] = [frozenset(), frozenset(), frozenset(range(STEPS.num_partitions))]
        self.writers = [self.opened(member) for member in range(3)]

    def opened(self, member: int) -> tuple[TableWriter, dict[int, int]]:
        writer = TableWriter(self.lake, STEPS, self.dealt[member])
        return writer, {partition: writer.next_offsets.get(partition, 0) for partition in self.dealt[member]}

    @rule(partition=st.integers(0, STEPS.num_partitions - 1), count=st.integers(1, 3), is_again=st.booleans())
    def produce(self, partition: int, count: int, is_again: bool) -> None:
        first = 0 if is_again else self.sent[partition]
        self.log[partition].append([(f"b{partition}", seq) for seq in range(first, first + count)])
        self.sent[partition] = max(self.sent[partition], first + count)

    @rule(owners=st.lists(st.integers(0, 2), min_size=STEPS.num_partitions, max_size=STEPS.num_partitions))
    def deal(self, owners: list[int]) -> None:
        self.dealt = [frozenset(p for p, owner in enumerate(owners) if owner == member) for member in range(3)]

    @rule(member=st.integers(0, 2))
    def hear_of_the_deal(self, member: int) -> None:
        self.writers[member] = self.opened(member)

    @rule(member=st.integers(0, 2))
    def take(self, member: int) -> None:
        writer, position = self.writers[member]
        for partition, start in position.items():
            for offset in range(start, len(self.log[partition])):
                pairs = self.log[partition][offset]
                steps = [make_step(seq, boot_id=boot_id) for boot_id, seq in pairs]
                writer.take(partition, offset, wire.decode(STEPS, wire.encode(steps)))
            position[partition] = len(self.log[partition])

    @rule(member=st.integers(0, 2))
    def commit(self, member: int) -> None:
        try:
            self.writers[member][0].commit()
        except OffsetConflict:
            self.hear_of_the_deal(member)

    def teardown(self) -> None:
        for member in range(3):
            self.hear_of_the_deal(member)
            self.take(member)
            self.commit(member)
        wanted = [(f"b{partition}", seq) for partition, count in enumerate(self.sent) for seq in range(count)]
        assert delivered(self.lake) == wanted
        self.folder.cleanup()


TestExactlyOnceInAGroup = ExactlyOnceInAGroup.TestCase
TestExactlyOnceInAGroup.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_ranges_hold_exactly_what_was_taken() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        ranges, model = SeqRanges(), set()
        for seq in rng.integers(0, 30, size=25).tolist():
            assert ranges.take(seq) == (seq not in model)
            model.add(seq)
        assert {s for first, last in ranges for s in range(first, last + 1)} == model
        pairs = list(ranges)
        assert all(b > a + 1 for (_, a), (b, _) in itertools.pairwise(pairs))
