"""What must hold whatever breaks, counted from the robots' own records; pure but for reading tables.

nothing lost, nothing doubled    journals against the lake, boot by boot, topic by topic
no motion after a lost link      every step that was not the policy's
everybody comes back             every fault, within the limit
the loop goes on                 releases by the judge while things broke
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actor.asking import HelpConfig
from actor.journal import Counts, read_counts
from chaos.breaker import Broken
from corrections.intervention import SafetyConfig
from infra import config
from infra.topics import TOPICS
from learner.judge_bench import AUTHOR
from policy.schema import ControlMode
from storage.audit import Audit, audit
from storage.tables import Lake

MOTION_COLUMNS = (
    "robot_id", "episode_id", "step_index", "time_ns", "control_mode", "executed_action", "command_delay_ms",
)  # fmt: skip
Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Journals:
    """The robots' own counts of one topic, all boots together."""

    topic: str
    num_recorded: int
    num_dropped: int
    """Given up by a robot itself, and counted by it: a full queue or spool."""
    num_waiting: int
    """Still in a spool."""

    @property
    def num_delivered(self) -> int:
        """Acknowledged by the broker."""
        return self.num_recorded - self.num_dropped - self.num_waiting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Motion:
    """Steps in which somebody other than the policy decided, and those that should not have moved."""

    num_corrected: int
    """Moved by a person's command."""
    num_held: int
    """Paused, lost or stopped."""
    moved_while_held: tuple[str, ...]
    """Steps that moved although nobody might, in words."""
    moved_by_old_command: tuple[str, ...]
    """By a command older than the robot may execute, by the robot's own clock."""
    moved_while_parted: tuple[str, ...]
    """By a command while the line to people was broken for longer than the robot may go on, by our clock."""

    @property
    def is_safe(self) -> bool:
        """No motion after a lost link."""
        return not (self.moved_while_held or self.moved_by_old_command or self.moved_while_parted)


def longest_age_ms() -> float:
    """Age at which no command moves a robot any more.

    The oldest that is taken, in force for as long as one may be, in a tick that takes as long as one may.

    Raises:
        ConfigError: a setting is wrong.
    """
    safety, asking = config.load("safety", SafetyConfig), config.load("help", HelpConfig)
    return safety.max_command_age_ms + safety.hold_after_ms + asking.late_tick_s * 1000


def journals(spool: Path) -> dict[str, tuple[Journals, list[Counts]]]:
    """What all robot processes of a home counted themselves, by topic."""
    by_topic: dict[str, list[Counts]] = {}
    for counts in read_counts(spool):
        by_topic.setdefault(counts.topic, []).append(counts)
    return {topic: (_sum(topic, counts), counts) for topic, counts in sorted(by_topic.items())}


def balances(lake: Lake, spool: Path) -> dict[str, tuple[Journals, Audit]]:
    """Acknowledged against stored, for each topic that robots write.

    Raises:
        LakeError: a table cannot be read.
    """
    topics = {topic.name: topic for topic in TOPICS}
    return {
        name: (own, audit(lake, {counts.boot_id: counts.num_delivered for counts in boots}, topics[name]))
        for name, (own, boots) in journals(spool).items()
    }


def motion(rows: Sequence[Row], faults: Sequence[Broken], longest_ms: float) -> Motion:
    """Judge every step that was not the policy's.

    Args:
        rows: `MOTION_COLUMNS` of steps whose control mode is not autonomous.
        faults: as they went.
        longest_ms: from `longest_age_ms`.
    """
    moved = [row for row in rows if np.frombuffer(row["executed_action"], "<f4").any()]
    corrected = [row for row in moved if row["control_mode"] == ControlMode.CORRECTING]
    parted = [
        (fault.started_ns + int(longest_ms * 1e6), fault.ended_ns) for fault in faults if fault.fault.parts_people
    ]
    return Motion(
        num_corrected=len(corrected),
        num_held=sum(row["control_mode"] != ControlMode.CORRECTING for row in rows),
        moved_while_held=tuple(_in_words(row) for row in moved if row["control_mode"] != ControlMode.CORRECTING),
        moved_by_old_command=tuple(_in_words(row) for row in corrected if not row["command_delay_ms"] <= longest_ms),
        moved_while_parted=tuple(
            _in_words(row) for row in corrected if any(first < row["time_ns"] < last for first, last in parted)
        ),
    )


def num_promotions(releases: Sequence[Row], since_ns: int) -> int:
    """Versions that the judge released after a moment."""
    return sum(row["event"] == "promote" and row["author"] == AUTHOR and row["time_ns"] > since_ns for row in releases)


def _sum(topic: str, counts: Sequence[Counts]) -> Journals:
    return Journals(
        topic=topic,
        num_recorded=sum(one.num_recorded for one in counts),
        num_dropped=sum(one.num_dropped for one in counts),
        num_waiting=sum(one.num_waiting for one in counts),
    )


def _in_words(row: Row) -> str:
    return (
        f"{row['robot_id']} step {row['step_index']} of {row['episode_id']} ({row['control_mode']}), "
        f"command {row['command_delay_ms']:.0f} ms old, at {row['time_ns']}"
    )
