"""What chaos breaks, and how it judges what is left."""

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from chaos.breaker import Broken
from chaos.faults import Fault, Way, schedule
from chaos.options import ChaosConfig
from chaos.promises import Journals, Motion, motion, num_promotions
from chaos.report import Report
from policy.errors import ConfigError
from storage.audit import Audit

PROCESSES = ("kafka", "gateway", "actor-0", "actor-1", "demonstrator")
S = 1_000_000_000
LONGEST_MS = 850.0
QUIET = Motion(num_corrected=3, num_held=2, moved_while_held=(), moved_by_old_command=(), moved_while_parted=())


def faults(seed: int, num: int) -> list[Fault]:
    return list(itertools.islice(schedule(PROCESSES, seed=seed, freeze_s=10.0, pause_s=3.0), num))


def broken(way: Way = Way.KILL, victim: str = "gateway", *, recovery_s: float = 2.0, **fields: Any) -> Broken:
    known: dict[str, Any] = {
        "fault": Fault(way=way, victim=victim, lasts_s=0.0, pause_s=0.0),
        "was_driven": True,
        "started_ns": 100 * S,
        "ended_ns": 110 * S,
        "recovered_ns": int((100 if way is Way.KILL else 110) * S + recovery_s * S),
        "missing": "",
        "is_cut_short": False,
    }
    return Broken(**{**known, **fields})


def row(mode: str = "correcting", action: float = 1.0, *, delay_ms: float = 50.0, time_ns: int = 0) -> dict[str, Any]:
    return {
        "robot_id": "r",
        "episode_id": "e",
        "step_index": 3,
        "time_ns": time_ns,
        "control_mode": mode,
        "executed_action": np.array([0.0, action], "<f4").tobytes(),
        "command_delay_ms": delay_ms,
    }


def report(*, config: ChaosConfig | None = None, found: Motion = QUIET, **fields: Any) -> Report:
    own = Journals(topic="steps", num_recorded=10, num_dropped=1, num_waiting=2)
    balance = Audit(num_sent=7, num_in_lake=7, num_lost=0, num_doubled=0, num_unannounced=0)
    known: dict[str, Any] = {
        "config": config or ChaosConfig(),
        "fleet": {},
        "wall_s": 60.0,
        "is_interrupted": False,
        "faults": (broken(), broken(recovery_s=4.0)),
        "balances": {"steps": (own, balance)},
        "motion": found,
        "releases": {"candidate": 1, "promote": 1, "reject": 0},
    }
    return Report(**{**known, **fields})


def test_the_schedule_depends_on_the_seed_alone() -> None:
    assert faults(3, 30) == faults(3, 30)
    assert faults(3, 30) != faults(4, 30)


def test_every_fault_comes_once_before_any_comes_again() -> None:
    deck = {(way, name) for name in PROCESSES[:-1] for way in (Way.KILL, Way.FREEZE)}
    deck |= {(Way.CUT, "robot-line"), (Way.CUT, "operator-line")}
    dealt = faults(0, 3 * len(deck))
    for first in range(0, len(dealt), len(deck)):
        assert {(fault.way, fault.victim) for fault in dealt[first : first + len(deck)]} == deck
    assert all(fault.lasts_s == 0 if fault.way is Way.KILL else 2 <= fault.lasts_s <= 10 for fault in faults(0, 30))


def test_kinds_do_not_depend_on_a_process_s_number() -> None:
    assert broken(victim="actor-11").fault.kind == "kill actor"
    assert broken(Way.CUT, "robot-line").fault.kind == "cut robot-line"


def test_a_kill_is_recovered_from_since_the_kill_and_a_freeze_since_its_end() -> None:
    assert broken(recovery_s=2.0).recovery_s == pytest.approx(2.0)
    assert broken(Way.FREEZE, recovery_s=2.0).recovery_s == pytest.approx(2.0)
    assert math.isinf(broken(recovered_ns=0).recovery_s)


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (row("lost"), "moved_while_held"),
        (row("paused"), "moved_while_held"),
        (row("stopped", -1.0), "moved_while_held"),
        (row(delay_ms=851.0), "moved_by_old_command"),
        (row(delay_ms=math.nan), "moved_by_old_command"),
        (row(time_ns=105 * S), "moved_while_parted"),
    ],
)
def test_motion_that_nobody_may_cause_is_found(step: dict[str, Any], field: str) -> None:
    found = motion([row(), row("lost", 0.0), step], [broken()], LONGEST_MS)
    assert not found.is_safe
    assert len(getattr(found, field)) == 1
    assert "r step 3 of e" in getattr(found, field)[0]


def test_motion_by_fresh_commands_is_fine() -> None:
    allowed = [
        row(delay_ms=850.0),
        row("lost", 0.0),
        row(time_ns=100 * S + int(0.8 * S)),  # the robot may go on for so long
        row(time_ns=111 * S),
    ]
    assert motion(allowed, [broken()], LONGEST_MS).is_safe
    assert motion([row(time_ns=105 * S)], [broken(victim="ingest")], LONGEST_MS).is_safe


def test_only_the_judges_releases_after_the_first_fault_count() -> None:
    ledger = [
        {"event": "promote", "author": "judge", "time_ns": 1},
        {"event": "promote", "author": "judge", "time_ns": 3},
        {"event": "promote", "author": "bob", "time_ns": 3},
        {"event": "reject", "author": "judge", "time_ns": 3},
    ]
    assert num_promotions(ledger, since_ns=2) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"found": Motion(**{**vars(QUIET), "moved_while_held": ("a step",)})},
        {"faults": (broken(recovered_ns=0, missing="ingest does not answer"),)},
        {"releases": {"candidate": 3, "promote": 0, "reject": 3}},
        {"balances": {}},
    ],
)
def test_one_broken_promise_breaks_the_run(fields: dict[str, Any]) -> None:
    assert report().promises_held
    assert not report(**fields).promises_held
    assert "A PROMISE WAS BROKEN" in report(**fields).to_markdown()


@pytest.mark.parametrize(("num_lost", "num_doubled"), [(1, 0), (0, 1)])
def test_a_lost_or_doubled_record_breaks_the_run(num_lost: int, num_doubled: int) -> None:
    own = Journals(topic="steps", num_recorded=7, num_dropped=0, num_waiting=0)
    balance = Audit(num_sent=7, num_in_lake=7, num_lost=num_lost, num_doubled=num_doubled, num_unannounced=0)
    assert not report(balances={"steps": (own, balance)}).promises_held


def test_a_run_that_a_person_ended_owes_no_promotion_and_not_the_last_recovery() -> None:
    cut_short = broken(recovered_ns=0, missing="not yet", is_cut_short=True)
    ended = report(
        is_interrupted=True, faults=(broken(), cut_short), releases={"candidate": 0, "promote": 0, "reject": 0}
    )
    assert ended.promises_held
    assert ended.recovery()["kill gateway"]["num"] == 1


def test_the_report_is_strict_json_and_names_what_never_came_back() -> None:
    found = report(faults=(broken(), broken(recovered_ns=0, missing="ingest does not answer")))
    content = json.loads(found.to_json())
    assert content["faults"][1]["recovery_s"] is None
    assert content["journals"]["steps"]["delivered"] == 7
    assert content["recovery"]["kill gateway"]["num"] == 2
    assert "- kill gateway: ingest does not answer" in found.to_markdown()


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"faults": -1}, {"robots": 0}, {"recover_s": 0}])
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ChaosConfig(**wrong)
