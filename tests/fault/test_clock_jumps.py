"""A wall clock that jumps by an hour, either way, changes nothing that a robot does and nobody's last word."""

import asyncio
import time

import pytest

from corrections.protocol import HumanCommand
from infra.memory_bus import MemoryBus
from infra.topics import LABELS
from policy.outcome import Judgement, latest
from policy.schema import ControlMode, Episode, Outcome
from tests.actor_rig import NUM_STEPS, Rig
from tests.corrections_rig import DEADLINE_S, logged, operator, running_gateway, until

HOUR_NS = 3_600_000_000_000
JUMPS = pytest.mark.parametrize("jump_ns", [HOUR_NS, -HOUR_NS], ids=["forward", "back"])
_NOW = time.time_ns


def jump(monkeypatch: pytest.MonkeyPatch, jump_ns: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: _NOW() + jump_ns)


def what_happened(rig: Rig) -> list[object]:
    done = [(step.seq, step.step_index, step.control_mode, step.executed_action.tolist()) for step in rig.steps]
    ended = [(one.num_steps, one.num_correction_steps, one.outcome) for one in rig.shelf.of(Episode)]
    return [*done, *ended, *rig.robot.scenes]


def drive(rig: Rig, num_ticks: int) -> None:
    """A person pushes, with a new command in every tick."""
    for seq in range(num_ticks):
        rig.hold(command=(0.1, 0.1), seq=seq + 1)
        command = rig.link.now.command
        assert isinstance(command, HumanCommand)
        rig.tick()


@JUMPS
def test_a_robot_goes_on_as_if_nothing_had_been(monkeypatch: pytest.MonkeyPatch, jump_ns: int) -> None:
    runs = []
    for by_ns in (0, jump_ns):
        jump(monkeypatch, 0)
        rig = Rig()
        rig.tick(3)
        jump(monkeypatch, by_ns)
        rig.tick(2)
        drive(rig, 4)
        jump(monkeypatch, 0)
        drive(rig, 2)
        rig.hand_back()
        rig.tick(NUM_STEPS)
        runs.append(what_happened(rig))
        modes = [step.control_mode for step in rig.steps]
        assert modes.count(ControlMode.CORRECTING) == 6
        assert set(modes) == {ControlMode.AUTONOMOUS, ControlMode.CORRECTING}
        rig.inference.close()
    assert runs[0] == runs[1]


def last_word(bus: MemoryBus) -> str:
    judgements = [
        Judgement(time_ns=label.time_ns, offset=offset, outcome=label.outcome)
        for offset, label in enumerate(logged(bus, LABELS))
    ]
    return latest(Outcome.UNLABELLED, judgements)


@JUMPS
def test_the_last_label_wins_whatever_the_gateways_clock_says(monkeypatch: pytest.MonkeyPatch, jump_ns: int) -> None:
    bus = MemoryBus()

    async def scenario() -> None:
        async with running_gateway(bus) as gateway, operator(gateway) as client:
            said = ((0, Outcome.FAILURE), (jump_ns, Outcome.SUCCESS), (0, Outcome.TIMED_OUT))
            for by_ns, outcome in said:
                jump(monkeypatch, by_ns)
                await client.label("e1", outcome)
                await until(lambda outcome=outcome: last_word(bus) == outcome, DEADLINE_S)  # type: ignore[misc]

    asyncio.run(scenario())
    assert len(logged(bus, LABELS)) == 3
