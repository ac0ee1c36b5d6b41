"""Labels and marks of the episodes screen, through a real gateway to the log."""

import asyncio

import pytest

from console.judgements import GatewayJudgements
from console.people.roles import Person, Role
from console.sockets.gateway_line import GatewayAddress
from infra.memory_bus import MemoryBus
from infra.ports import free_port
from infra.topics import AUDIT, LABELS, MARKS
from policy.errors import GatewayLost, WireError
from policy.schema import MarkKind, Outcome
from tests.corrections_rig import logged, running_gateway, until

ANN = Person(name="ann", role=Role.ENGINEER)


def judgements(port: int, token: str = "") -> GatewayJudgements:
    return GatewayJudgements(GatewayAddress(url=f"ws://127.0.0.1:{port}/operator", token=token))


def test_a_judgement_reaches_the_log_under_the_persons_name_and_role() -> None:
    bus = MemoryBus()

    async def run() -> None:
        async with running_gateway(bus, operator_token="secret") as gateway:
            said = judgements(gateway.port, "secret")
            await said.label(ANN, "b0/e1", Outcome.FAILURE, "wrong socket", 2)
            await said.mark(ANN, "b0/e1", 3, MarkKind.FLAG, "look")
            await until(lambda: bool(logged(bus, LABELS) and logged(bus, MARKS) and len(logged(bus, AUDIT)) > 1))

    asyncio.run(run())
    (label,) = logged(bus, LABELS)
    assert (label.author, label.episode_id, label.outcome, label.progress) == ("ann", "b0/e1", "failure", 2)
    (mark,) = logged(bus, MARKS)
    assert (mark.author, mark.kind, mark.note) == ("ann", "flag", "look")
    assert {(entry.author, entry.role) for entry in logged(bus, AUDIT)} == {("ann", "engineer")}


def test_what_cannot_be_said_is_refused_before_it_leaves() -> None:
    with pytest.raises(WireError, match="printable"):
        asyncio.run(judgements(1).label(ANN, "", Outcome.SUCCESS, "", 0))


def test_a_gateway_that_is_away_or_does_not_know_us_is_said() -> None:
    with pytest.raises(GatewayLost, match="did not take it"):
        asyncio.run(judgements(free_port()).label(ANN, "e", Outcome.SUCCESS, "", 0))

    async def stranger() -> None:
        async with running_gateway(operator_token="secret") as gateway:
            await judgements(gateway.port, "wrong").label(ANN, "e", Outcome.SUCCESS, "", 0)

    with pytest.raises(GatewayLost, match="check its token"):
        asyncio.run(stranger())
