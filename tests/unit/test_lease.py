from typing import Any

import pytest

from corrections.lease import LeaseBook, LeaseConfig
from corrections.protocol import GATEWAY_RESTARTED, HANDED_BACK, IDLE, SILENT
from policy.errors import ConfigError, LeaseRefused

S = 1_000_000_000
ANN, BOB = 1, 2


@pytest.fixture
def book() -> Any:
    return LeaseBook(LeaseConfig())


def test_a_free_robot_is_granted_and_every_grant_has_a_newer_epoch(book: Any) -> None:
    epochs = []
    for _ in range(3):
        book.acquire("r", ANN, "ann", 0)
        epochs.append(book.state("r").epoch)
        book.release("r", ANN, epochs[-1])
        assert book.state("r").end_reason == HANDED_BACK
    assert epochs == [1, 2, 3]


def test_a_second_person_is_refused_and_told_who_holds_it(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    with pytest.raises(LeaseRefused) as refused:
        book.acquire("r", BOB, "bob", 0)
    assert refused.value.details["holder"] == "ann"
    assert book.state("r", ANN).is_yours
    assert not book.state("r", BOB).is_yours


def test_a_person_holds_one_robot_at_a_time(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    book.acquire("r", ANN, "ann", 0)
    assert book.state("r").epoch == 1
    with pytest.raises(LeaseRefused, match="hand back the robot you hold"):
        book.acquire("q", ANN, "ann", 0)


def test_silence_of_three_seconds_ends_the_lease_and_renewals_keep_it(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    book.heard("r", ANN, 1, 2 * S)
    assert list(book.expire(5 * S)) == []
    assert list(book.expire(5 * S + 1)) == ["r"]
    assert book.state("r").end_reason == SILENT
    assert list(book.expire(9 * S)) == []
    with pytest.raises(LeaseRefused, match="do not hold"):
        book.heard("r", ANN, 1, 6 * S)


def test_a_dead_man_at_rest_for_a_minute_ends_the_lease(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    book.heard("r", ANN, 1, 10 * S, is_deadman_held=True)
    for second in range(12, 71, 2):
        book.heard("r", ANN, 1, second * S)
        assert list(book.expire(second * S)) == []
    book.heard("r", ANN, 1, 71 * S)
    assert list(book.expire(71 * S)) == ["r"]
    assert book.state("r").end_reason == IDLE


def test_old_epochs_and_strangers_cannot_command_renew_or_release(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    with pytest.raises(LeaseRefused, match="old lease"):
        book.heard("r", ANN, 0, 0)
    with pytest.raises(LeaseRefused, match="do not hold"):
        book.release("r", BOB, 1)
    assert book.state("r").is_held


def test_taking_a_held_robot_needs_a_reason(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    book.acquire("r", BOB, "bob", 0, force_reason="ann fell ill")
    assert book.state("r").operator_id == "bob"
    assert book.state("r").epoch == 2


def test_the_holder_may_give_or_keep_or_let_the_question_pass(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    assert book.ask("r", BOB, "bob", 0) == ANN
    with pytest.raises(LeaseRefused, match="asking already"):
        book.ask("r", 3, "cid", 0)
    assert book.answer("r", ANN, 0, give=False).session == BOB
    assert book.state("r", ANN).is_yours
    book.ask("r", BOB, "bob", 0)
    assert list(book.unanswered(10 * S)) == []
    assert [robot for robot, _ in book.unanswered(10 * S + 1)] == ["r"]
    book.ask("r", BOB, "bob", 0)
    with pytest.raises(LeaseRefused, match="nothing to answer"):
        book.answer("r", BOB, 0, give=True)
    book.answer("r", ANN, 0, give=True)
    assert book.state("r", BOB).is_yours


def test_a_person_who_reconnects_gets_the_robot_back_at_once_and_others_wait(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    assert book.session_closed(ANN) == ["r"]
    with pytest.raises(LeaseRefused):
        book.acquire("r", BOB, "bob", S)
    book.acquire("r", 7, "ann", S)
    assert book.state("r", 7).is_yours
    assert book.state("r").epoch == 2


def test_a_gateway_that_restarts_grants_only_epochs_the_robot_has_not_seen(book: Any) -> None:
    book.robot_connected("r", 41)
    assert book.state("r").end_reason == GATEWAY_RESTARTED
    book.acquire("r", ANN, "ann", 0)
    assert book.state("r").epoch == 42
    book.robot_connected("r", 42)
    assert book.state("r", ANN).is_yours, "a robot that reconnects in time keeps its holder"


def test_a_robot_that_gave_its_holder_up_ends_the_lease_once(book: Any) -> None:
    book.acquire("r", ANN, "ann", 0)
    assert not book.lost("r", 0)
    assert book.lost("r", 1)
    assert not book.lost("r", 1)


@pytest.mark.parametrize("wrong", [{"lost_after_s": 0}, {"idle_after_s": 1}, {"answer_within_s": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        LeaseConfig(**wrong)
