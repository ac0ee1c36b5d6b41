import itertools
from typing import Any

import numpy as np
import pytest

from corrections.intervention import (
    NOBODY,
    TABLE,
    Condition,
    InterventionState,
    People,
    SafetyConfig,
    advance,
    command_delay_ms,
    command_refusal,
    condition,
    human_action,
    ramp,
)
from corrections.protocol import HANDED_BACK, SILENT, HumanCommand, LeaseState, Stop
from policy.errors import ConfigError
from policy.schema import ControlMode
from tests.corrections_rig import SPEC

MS = 1_000_000
NOW = 10_000 * MS
SAFETY = SafetyConfig()


def lease(epoch: Any = 1, *, is_held: Any = True, end_reason: Any = "") -> Any:
    return LeaseState(robot_id="r", epoch=epoch, is_held=is_held, operator_id="ann", end_reason=end_reason)


def command(*, epoch: Any = 1, seq: Any = 1, sent_ns: Any = NOW, deadman: Any = True) -> HumanCommand:
    return HumanCommand(
        robot_id="r", lease_epoch=epoch, seq=seq, sent_ns=sent_ns, action=(1.0,), is_deadman_held=deadman
    )


def people(
    *,
    lease_: Any = None,
    heard_ms: Any = 0.0,
    command_ms: Any = None,
    deadman: Any = True,
    stop: Any = False,
    up: Any = True,
    epoch: Any = 1,
) -> Any:
    """What is known at NOW; ages in milliseconds."""
    return People(
        is_link_up=up,
        lease=lease(epoch) if lease_ is None else lease_,
        heard_ns=NOW - int(heard_ms * MS),
        command=None if command_ms is None else command(deadman=deadman, epoch=epoch),
        command_received_ns=0 if command_ms is None else NOW - int(command_ms * MS),
        stop=Stop(robot_id="r") if stop else None,
    )


SITUATIONS = {
    Condition.DRIVE: people(command_ms=0),
    Condition.WAIT: people(),
    Condition.FREE: NOBODY,
    Condition.GONE: people(lease_=lease(is_held=False, end_reason=SILENT)),
    Condition.STOP: people(command_ms=0, stop=True),
}
EXPECTED = {
    Condition.DRIVE: ControlMode.CORRECTING,
    Condition.WAIT: ControlMode.PAUSED,
    Condition.FREE: ControlMode.AUTONOMOUS,
    Condition.GONE: ControlMode.LOST,
    Condition.STOP: ControlMode.STOPPED,
}


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(ControlMode)
    assert all(set(row) == set(Condition) for row in TABLE.values())


@pytest.mark.parametrize(("mode", "wanted"), list(itertools.product(ControlMode, Condition)))
def test_every_mode_under_every_condition(mode: Any, wanted: Any) -> None:
    expected = EXPECTED[wanted]
    if mode is ControlMode.STOPPED and wanted is Condition.DRIVE:
        expected = ControlMode.PAUSED
    state = InterventionState(mode=mode)
    assert condition(state, SITUATIONS[wanted], NOW, SAFETY) is wanted
    assert advance(state, SITUATIONS[wanted], NOW, SAFETY).mode is expected


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (people(command_ms=250), Condition.DRIVE),
        (people(command_ms=250.001), Condition.WAIT),
        (people(command_ms=0, deadman=False), Condition.WAIT),
        (people(command_ms=0, up=False), Condition.WAIT),
        (people(heard_ms=3_000), Condition.WAIT),
        (people(heard_ms=3_000.001), Condition.GONE),
        (people(heard_ms=3_000.001, command_ms=3_000.001), Condition.GONE),
        (people(lease_=lease(is_held=False, end_reason=HANDED_BACK), up=False), Condition.FREE),
        (people(lease_=lease(is_held=False, end_reason=HANDED_BACK), stop=True), Condition.STOP),
    ],
)
def test_the_limits_to_the_microsecond(known: Any, wanted: Any) -> None:
    assert condition(InterventionState(), known, NOW, SAFETY) is wanted


def test_a_lost_lease_stays_lost_whatever_arrives_late() -> None:
    lost = advance(InterventionState(mode=ControlMode.CORRECTING), people(heard_ms=4_000), NOW, SAFETY)
    assert lost.mode is ControlMode.LOST
    assert lost.lost_epoch == 1
    for late in (
        people(command_ms=0),
        people(lease_=lease(is_held=False, end_reason=HANDED_BACK)),
        NOBODY,
    ):
        assert advance(lost, late, NOW, SAFETY).mode is ControlMode.LOST
    again = advance(lost, people(epoch=2), NOW, SAFETY)
    assert again.mode is ControlMode.PAUSED
    given = people(lease_=lease(2, is_held=False, end_reason=HANDED_BACK))
    assert advance(again, given, NOW, SAFETY).mode is ControlMode.AUTONOMOUS


@pytest.mark.parametrize("before", [people(stop=True, command_ms=0), people(heard_ms=4_000, command_ms=0)])
def test_after_a_stop_or_a_loss_the_dead_man_must_be_let_go_once(before: Any) -> None:
    state = advance(InterventionState(mode=ControlMode.CORRECTING), before, NOW, SAFETY)
    for _ in range(3):
        state = advance(state, people(command_ms=0, epoch=2), NOW, SAFETY)
        assert state.mode is ControlMode.PAUSED
    state = advance(state, people(command_ms=0, deadman=False, epoch=2), NOW, SAFETY)
    assert state.mode is ControlMode.PAUSED
    assert advance(state, people(command_ms=0, epoch=2), NOW, SAFETY).mode is ControlMode.CORRECTING


def test_motion_grows_from_zero_to_full_over_the_ramp_and_starts_again_after_a_pause() -> None:
    state = advance(InterventionState(), people(command_ms=0), NOW, SAFETY)
    gains = [ramp(state, NOW + ms * MS, SAFETY) for ms in (0, 50, 100, 200, 5_000)]
    assert gains == [0.0, 0.25, 0.5, 1.0, 1.0]
    assert ramp(InterventionState(mode=ControlMode.PAUSED), NOW, SAFETY) == 0.0
    assert ramp(state, NOW, SafetyConfig(takeover_ramp_ms=0)) == 1.0
    paused = advance(state, people(), NOW + 100 * MS, SAFETY)
    later = NOW + 150 * MS
    assert ramp(advance(paused, people(command_ms=0), later, SAFETY), later, SAFETY) == 0.0


@pytest.mark.parametrize(
    ("arriving", "known", "reason"),
    [
        (command(), NOBODY, "no_lease"),
        (command(), people(lease_=lease(is_held=False)), "no_lease"),
        (command(epoch=0), people(), "epoch"),
        (command(epoch=2), people(), "epoch"),
        (command(seq=1), people(command_ms=0), "seq"),
        (command(seq=2), people(command_ms=0), ""),
        (command(sent_ns=NOW - 100 * MS), people(), ""),
        (command(sent_ns=NOW - 100 * MS - 1), people(), "stale"),
        (command(sent_ns=NOW + 5 * MS), people(), ""),
        (command(sent_ns=NOW + 5 * MS + 1), people(), "future"),
    ],
)
def test_what_the_robot_drops_on_arrival(arriving: Any, known: Any, reason: Any) -> None:
    assert command_refusal(arriving, known, NOW, SAFETY) == reason


def test_a_command_becomes_an_action_in_the_robots_units_and_zero_stands_still() -> None:
    wanted = HumanCommand(robot_id="r", lease_epoch=1, seq=1, sent_ns=0, action=(1.0, -1.0), is_deadman_held=True)
    np.testing.assert_allclose(human_action(wanted, SPEC, 1.0), [1.0, -0.5, 0.0])
    np.testing.assert_allclose(human_action(wanted, SPEC, 0.5), [0.5, -0.25, 0.0])
    assert human_action(wanted, SPEC, 1.0).dtype == np.float32
    too_many = HumanCommand(robot_id="r", lease_epoch=1, seq=1, sent_ns=0, action=(0.0,) * 6, is_deadman_held=True)
    assert human_action(too_many, SPEC, 1.0).tolist() == [0.0, 0.0, 0.0]


def test_the_age_of_the_command_in_force_is_known() -> None:
    assert command_delay_ms(people(command_ms=0), NOW + 30 * MS) == 30
    assert np.isnan(command_delay_ms(NOBODY, NOW))


def test_the_holder_is_named_only_while_they_hold() -> None:
    assert people().operator_id == "ann"
    assert people().is_held
    assert people(lease_=lease(is_held=False)).operator_id == ""
    assert not NOBODY.is_held


@pytest.mark.parametrize(
    "wrong",
    [{"max_command_age_ms": 0}, {"hold_after_ms": 50}, {"lost_after_ms": 250}, {"takeover_ramp_ms": -1}],
)
def test_limits_that_contradict_each_other_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        SafetyConfig(**wrong)
