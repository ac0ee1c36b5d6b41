"""Robots ask, people answer, watchers speak for robots, and all of it is written down: over real sockets."""

import asyncio
import dataclasses
import json
from typing import Any

from corrections import answers
from corrections import help_messages as helping
from corrections import operator_messages as messages
from corrections.operator_client import OperatorClient
from corrections.operator_messages import PeerKind
from corrections.protocol import Help
from infra.memory_bus import MemoryBus
from infra.topics import AUDIT, HELP_ANSWERS, HELP_REQUESTS, LABELS, MARKS
from policy.schema import ControlMode, HelpKind, MarkKind, Outcome
from tests.corrections_rig import DEADLINE_S, logged, operator, robot_url, running_gateway, ticking, until

OPTIONS = (answers.TAKE_OVER, answers.TRY_AGAIN, answers.GO_ON)
STUCK = Help(request_id="h1", kind=HelpKind.CHOOSE, trigger="no_progress", reason="no progress", options=OPTIONS)


async def refused(client: OperatorClient, request: str) -> str:
    """Why the gateway refused the last message of this type."""
    await client.wait_for(lambda: request in client.refusals, DEADLINE_S)
    return client.refusals.pop(request).reason


def test_a_robot_asks_a_person_claims_and_answers_and_the_robot_hears() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    robot.help = STUCK
                    await ann.wait_for(lambda: bool(ann.help), DEADLINE_S)
                    (told,) = ann.help
                    assert (told.robot_id, told.episode_id, told.options) == ("r1", "e1", OPTIONS)
                    await ann.send(helping.Claim(request_id="h1"))
                    await bob.wait_for(lambda: bool(bob.help) and bob.help[0].claimed_by == "ann", DEADLINE_S)
                    await bob.send(helping.AnswerHelp(request_id="h1", answer="go on"))
                    assert "ann looks after this request" in await refused(bob, "answer_help")
                    await ann.send(helping.AnswerHelp(request_id="h1", answer="no idea"))
                    assert "expected='take over, try again, go on'" in await refused(ann, "answer_help")
                    await ann.send(helping.AnswerHelp(request_id="h1", answer="go on"))
                    await until(lambda: bool(robot.link.people("r1").answers))
                    (heard,) = robot.link.people("r1").answers
                    assert (heard.request_id, heard.answer, heard.author) == ("h1", "go on", "ann")
                    await bob.wait_for(lambda: not bob.help, DEADLINE_S)
                    await until(lambda: bool(logged(bus, HELP_ANSWERS)))
        (answer,) = logged(bus, HELP_ANSWERS)
        assert (answer.result, answer.answer, answer.author, answer.trigger) == (
            "answered",
            "go on",
            "ann",
            "no_progress",
        )
        assert answer.asked_ns <= answer.claimed_ns <= answer.ended_ns
        assert logged(bus, HELP_REQUESTS) == [], "the robot itself records what it asks"
        assert [(entry.author, entry.action) for entry in logged(bus, AUDIT)] == [("ann", "claim"), ("ann", "answer")]

    asyncio.run(scenario())


def test_a_robot_whose_line_was_down_hears_the_answer_when_it_is_back() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway, operator(gateway) as ann:
            with ticking(robot_url(gateway)) as robot:
                robot.help = STUCK
                await ann.wait_for(lambda: bool(ann.help), DEADLINE_S)
                await ann.send(helping.AnswerHelp(request_id="h1", answer="go on"))
                await until(lambda: bool(robot.link.people("r1").answers))
            with ticking(robot_url(gateway)) as again:
                await until(lambda: bool(again.link.people("r1").answers))

    asyncio.run(scenario())


def test_only_services_speak_for_robots_and_their_values_reach_who_watches() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        ask = helping.RaiseHelp(
            robot_id="r1",
            episode_id="e1",
            kind=HelpKind.CHOOSE,
            trigger="value_drop",
            reason="value fell 0.42 in 3 s",
            options=OPTIONS,
        )
        value = helping.LiveValue(robot_id="r1", episode_id="e1", step_index=4, value=-0.4, critic_version="3")
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)):
                async with (
                    operator(gateway, "ann") as ann,
                    operator(gateway, "critic", kind=PeerKind.SERVICE) as critic,
                ):
                    await ann.wait_for(lambda: "r1" in ann.seen, DEADLINE_S)
                    await critic.send(dataclasses.replace(ask, episode_id="e0"))
                    assert "that episode is over" in await refused(critic, "raise_help")
                    await ann.send(ask)
                    assert "only services" in await refused(ann, "raise_help")
                    await ann.send(helping.Values(values=(value,)))
                    assert "only services" in await refused(ann, "values")
                    await critic.send(ask)
                    await critic.send(ask)
                    await critic.send(helping.Values(values=(value,)))
                    await ann.wait_for(lambda: bool(ann.help) and "r1" in ann.values, DEADLINE_S)
                    assert ann.values["r1"] == value
                    await ann.acquire("r1")
                    await ann.wait_for(lambda: not ann.help, DEADLINE_S)
                    await critic.send(ask)
                    assert "a person has this robot already" in await refused(critic, "raise_help")
                    await until(lambda: bool(logged(bus, HELP_ANSWERS)))
                    await ann.release()
        (request,), (answer,) = logged(bus, HELP_REQUESTS), logged(bus, HELP_ANSWERS)
        assert (request.trigger, request.reason, json.loads(request.options)) == (
            "value_drop",
            "value fell 0.42 in 3 s",
            list(OPTIONS),
        )
        assert (answer.request_id, answer.result, answer.author) == (request.request_id, "taken_over", "ann")

    asyncio.run(scenario())


def test_an_unjudged_episode_is_answered_with_a_label() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as ann:
                    robot.unlabelled_episode_id = "e0"
                    await ann.wait_for(lambda: bool(ann.help), DEADLINE_S)
                    (asked,) = ann.help
                    assert (asked.kind, asked.severity, asked.episode_id) == ("confirm_outcome", "info", "e0")
                    await ann.send(helping.AnswerHelp(request_id=asked.request_id, answer="failure"))
                    await ann.wait_for(lambda: ann.receipt is not None, DEADLINE_S)
                    await ann.wait_for(lambda: not ann.help, DEADLINE_S)
                    await until(lambda: bool(logged(bus, HELP_ANSWERS)))
                    assert robot.link.people("r1").answers == (), "the robot is elsewhere by now"
        (label,), (answer,) = logged(bus, LABELS), logged(bus, HELP_ANSWERS)
        assert (label.episode_id, label.outcome, label.author) == ("e0", "failure", "ann")
        assert (answer.result, answer.answer) == ("answered", "failure")

    asyncio.run(scenario())


def test_marks_instructions_and_progress_are_recorded_where_they_belong() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway) as ann:
                    await ann.wait_for(lambda: "r1" in ann.seen and ann.seen["r1"].state.step_index > 2, DEADLINE_S)
                    for mark in (
                        messages.MarkEpisode(episode_id="e1", note="dropped it"),
                        messages.MarkEpisode(episode_id="e1", kind=MarkKind.FLAG),
                        messages.MarkEpisode(episode_id="old", step_index=7, kind=MarkKind.RECOVERED),
                    ):
                        await ann.send(mark)
                    await ann.wait_for(lambda: ann.marked is not None and ann.marked.episode_id == "old", DEADLINE_S)
                    await ann.acquire("r1")
                    await ann.instruct("r1", "the red one")
                    await ann.label("e1", Outcome.FAILURE, "dropped", progress=3)
                    await until(lambda: len(logged(bus, MARKS)) == 4 and bool(logged(bus, LABELS)))
                    assert robot.link.people("r1").instruction == "the red one"
                    await ann.release()
        moment, flag, recovered, words = logged_by_kind(bus)
        assert moment.step_index >= 2
        assert (flag.step_index, recovered.step_index, recovered.episode_id) == (-1, 7, "old")
        assert (words.note, words.episode_id) == ("the red one", "e1")
        assert logged(bus, LABELS)[0].progress == 3

    asyncio.run(scenario())


def test_anybody_instructs_a_free_robot_and_nobody_anothers() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    await ann.wait_for(lambda: "r1" in ann.seen, DEADLINE_S)
                    await ann.instruct("r1", "the red one")
                    await until(lambda: robot.link.people("r1").instruction == "the red one")
                    await bob.acquire("r1")
                    await ann.instruct("r1", "the blue one")
                    assert "somebody else holds this robot" in await refused(ann, "instruct")
                    await bob.release()
                    robot.episode_id = ""
                    await ann.wait_for(lambda: not ann.seen["r1"].state.episode_id, DEADLINE_S)
                    await ann.wait_for(lambda: not ann.leases["r1"].is_held, DEADLINE_S)
                    await ann.instruct("r1", "the blue one")
                    assert "between two episodes" in await refused(ann, "instruct")
                    await until(lambda: bool(logged(bus, MARKS)))
        (words,) = logged(bus, MARKS)
        assert (words.note, words.author) == ("the red one", "ann")

    asyncio.run(scenario())


def logged_by_kind(bus: MemoryBus) -> list[Any]:
    marks = {mark.kind: mark for mark in logged(bus, MARKS)}
    return [marks[kind] for kind in (MarkKind.MOMENT, MarkKind.FLAG, MarkKind.RECOVERED, MarkKind.INSTRUCTION)]


def test_a_ping_is_answered_at_once() -> None:
    async def scenario() -> None:
        async with running_gateway() as gateway, operator(gateway) as ann:
            await ann.send(messages.Ping(id=41))
            await ann.wait_for(lambda: ann.pong is not None, DEADLINE_S)
            assert ann.pong == messages.Pong(id=41)

    asyncio.run(scenario())


def test_every_takeover_stop_label_and_mark_is_in_the_audit() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        async with running_gateway(bus) as gateway:
            with ticking(robot_url(gateway)) as robot:
                async with operator(gateway, "ann") as ann, operator(gateway, "bob") as bob:
                    await ann.wait_for(lambda: "r1" in ann.seen, DEADLINE_S)
                    await ann.acquire("r1")
                    await bob.acquire("r1", force_reason="ann has left")
                    await ann.stop("r1", "smoke")
                    await until(lambda: robot.mode is ControlMode.STOPPED)
                    await bob.clear_stop("r1", "looked")
                    await until(lambda: robot.mode is not ControlMode.STOPPED)
                    await bob.label("e1", Outcome.SUCCESS)
                    await bob.send(messages.MarkEpisode(episode_id="e1"))
                    await until(lambda: len(logged(bus, AUDIT)) == 6)
                    await bob.release()
        entries = {entry.action: entry for entry in logged(bus, AUDIT)}
        assert {action: entry.author for action, entry in entries.items()} == {
            "take_over": "ann",
            "force_take_over": "bob",
            "stop": "ann",
            "clear_stop": "bob",
            "label": "bob",
            "mark": "bob",
        }
        forced = entries["force_take_over"]
        assert (forced.subject, forced.reason, json.loads(forced.detail)) == ("r1", "ann has left", {"holder": "ann"})

    asyncio.run(scenario())
