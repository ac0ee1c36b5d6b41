"""A small lake whose every figure is known by hand, and the console's routes in front of it.

e0 demonstration | e1 e2 e3 rollouts of version 1 (success, failure, success with help)
e4 e7 e8 rollouts of version 2 (success, timed out in another task, unlabelled) | e5 e6 evaluation of 2 and 1
Every episode but e0 (20 steps) has 40 steps at 20 Hz: 2 s of robot time.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI

from console import errors
from console.access import COOKIE, CSRF_HEADER, Access
from console.api import episodes, fleet, learning, series
from console.history.fleet_watch import FleetWatch
from console.history.history import History
from console.history.reader import EpisodeReader
from console.history.specs import SpecFiles
from console.live import Live
from console.people.origins import Origins
from console.people.roles import Person, Role
from console.people.sessions import Sessions
from console.sockets.gateway_line import GatewayAddress
from infra.home import Home
from infra.topics import EPISODES, HELP_ANSWERS, HELP_REQUESTS, INTERVENTIONS, MARKS, RELEASES, SAMPLINGS, STEPS, VALUES
from policy.schema import HelpAnswer, HelpRequest, Intervention, Mark, Release, Sampling, Value
from storage.pin import DataPin
from storage.tables import Lake
from tests.lake_rig import Filler, make_episode, make_step, toy_spec

S = 1_000_000_000
ADDRESS = "http://127.0.0.1:8780"


def make_release(
    seq: int, event: str, version: str, at_s: float, *, before: str = "", last_offset: int = -1
) -> Release:
    """A line of the ledger; of a candidate, with a pin up to an offset of the episodes topic."""
    evidence: dict[str, Any] = {}
    if event == "candidate":
        pin = DataPin(
            spec_id=toy_spec().spec_id,
            offsets={"episodes": {0: last_offset}},
            floor=-1,
            num_episodes=1,
            num_steps=1,
            versions={},
        )
        metrics = {"action_gap": 0.5, "noise_gap": 0.25, "indicator_gain": 0.125, "held_out_loss": 0.75}
        evidence = {"data_pin": pin.to_json(), "metrics": metrics}
    return Release(
        boot_id="ledger", seq=seq, time_ns=int(at_s * S), event=event, policy_version=version,
        previous_version=before, author="judge", reason="because", evidence=json.dumps(evidence),
    )  # fmt: skip


def make_values(
    seq: int, critic: str, episode_id: str, num_steps: int, *, value: float, returned: float, advantage: float
) -> list[Value]:
    """The same judgement of every step; positive above 0."""
    return [
        Value(
            boot_id="critic", seq=seq + step, critic_version=critic, episode_id=episode_id, step_index=step,
            value=value, return_to_go=returned, advantage=advantage, improvement_indicator=advantage > 0,
        )
        for step in range(num_steps)
    ]  # fmt: skip


def make_request(seq: int, episode_id: str, at_s: float, trigger: str = "no_progress") -> HelpRequest:
    """A robot asks."""
    return HelpRequest(
        robot_id="r0", boot_id="b0", seq=seq, request_id=f"q{seq}", episode_id=episode_id, kind="choose",
        trigger=trigger, severity="warning", reason="no progress for 2.0 s", question="Which socket?",
        options='["red", "blue"]', deadline_s=30.0, fallback="hold", time_ns=int(at_s * S),
    )  # fmt: skip


def make_answer(seq: int, result: str, asked_s: float, ended_s: float, *, claimed_s: float = 0.0) -> HelpAnswer:
    """How the request of that number ended."""
    return HelpAnswer(
        boot_id="gateway", seq=seq, request_id=f"q{seq}", robot_id="r0", kind="choose", trigger="no_progress",
        result=result, answer="red" if result == "answered" else "", author="ann" if claimed_s else "",
        asked_ns=int(asked_s * S), claimed_ns=int(claimed_s * S), ended_ns=int(ended_s * S),
    )  # fmt: skip


def make_intervention(seq: int, episode_id: str, start_s: float, end_s: float, operator: str = "ann") -> Intervention:
    """Somebody drove, in steps 20 to 29."""
    return Intervention(
        robot_id="r1", boot_id="b0", seq=seq, intervention_id=f"i{seq}", episode_id=episode_id, operator_id=operator,
        lease_epoch=1, started_ns=int(start_s * S), ended_ns=int(end_s * S), first_step_index=20, last_step_index=29,
        num_correction_steps=10, mean_command_delay_ms=float("nan"),
    )  # fmt: skip


def make_sampling(seq: int, version: str, episode_id: str, *, number: int, corrections: int, at_s: float) -> Sampling:
    """What the training of a version drew from an episode, first at a moment."""
    return Sampling(
        boot_id=f"train-{version}", seq=seq, policy_version=version, episode_id=episode_id, num_sampled=number,
        num_corrections_sampled=corrections, first_sampled_ns=int(at_s * S),
        first_correction_sampled_ns=int(at_s * S) if corrections else 0,
    )  # fmt: skip


def make_mark(seq: int, episode_id: str, kind: str, note: str = "") -> Mark:
    """Somebody points at an episode."""
    return Mark(
        boot_id="gateway", seq=seq, episode_id=episode_id, step_index=3, kind=kind, note=note, author="bob",
        time_ns=seq + 1,
    )  # fmt: skip


def fill(lake: Lake) -> Filler:
    """Write the episodes of the module's docstring, and what people and critics said of them."""
    filler = Filler(lake)
    rollout = {"source": "rollout", "release_role": "champion"}
    evaluation = {"source": "evaluation", "release_role": ""}
    runs: list[dict[str, Any]] = [
        {"source": "demonstration", "policy_version": "", "release_role": "", "ended_s": 1000},
        {**rollout, "policy_version": "1", "ended_s": 2000},
        {**rollout, "policy_version": "1", "ended_s": 2100, "outcome": "failure", "outcome_reason": "wrong socket"},
        {**rollout, "policy_version": "1", "ended_s": 2200, "robot_id": "r1"},
        {**rollout, "policy_version": "2", "ended_s": 4000},
        {**evaluation, "policy_version": "2", "ended_s": 4100},
        {**evaluation, "policy_version": "1", "ended_s": 4150, "outcome": "failure"},
        {
            **rollout,
            "policy_version": "2",
            "ended_s": 4200,
            "robot_id": "r1",
            "task_id": "pour",
            "outcome": "timed_out",
        },
        {**rollout, "policy_version": "2", "ended_s": 4300, "robot_id": "r1", "outcome": "unlabelled"},
    ]
    for number, fields in enumerate(runs):
        ended_s = fields.pop("ended_s")
        helped = {"num_interventions": 1, "num_correction_steps": 10} if number == 3 else {}
        times = {"started_ns": (ended_s - 10) * S, "ended_ns": ended_s * S}
        if number == 3:
            put_helped_run(filler, number, **fields, **helped, **times)
        else:
            filler.put_run(number, 40 if number else 20, **fields, **times)
    say(filler)
    return filler


def put_helped_run(filler: Filler, number: int, **fields: Any) -> None:
    """An episode of 40 steps, of which a person drives 20 to 29."""
    modes = ["autonomous"] * 20 + ["correcting"] * 10 + ["autonomous"] * 10
    steps = [
        make_step(
            number * 1000 + index,
            episode_id=f"b0/e{number}",
            step_index=index,
            control_mode=mode,
            state=np.array([index, -index, 0.0], np.float32),
        )
        for index, mode in enumerate(modes)
    ]
    filler.put(STEPS, steps, partition=1)
    filler.put(EPISODES, [make_episode(number, 40, first_seq=number * 1000, **fields)])


def say(filler: Filler) -> None:
    """What people, critics and the ledger say."""
    filler.put(INTERVENTIONS, [make_intervention(0, "b0/e3", 2194, 2197)])
    filler.put(
        HELP_REQUESTS,
        [make_request(0, "b0/e3", 2192), make_request(1, "b0/e4", 3995), make_request(2, "b0/e7", 4195, "watchdog")],
    )
    filler.put(
        HELP_ANSWERS,
        [
            make_answer(0, "taken_over", 2192, 2197, claimed_s=2193),
            make_answer(1, "self_resolved", 3995, 3996),
            make_answer(2, "expired", 4195, 4200),
        ],
    )
    filler.put(MARKS, [make_mark(0, "b0/e2", "flag", "<b>look</b>"), make_mark(1, "b0/e3", "moment")])
    filler.put(VALUES, make_values(0, "c1", "b0/e1", 40, value=-0.55, returned=-0.25, advantage=0.105))
    filler.put(VALUES, make_values(100, "c2", "b0/e1", 40, value=-0.35, returned=-0.25, advantage=0.105))
    filler.put(VALUES, make_values(200, "c2", "b0/e2", 40, value=-0.95, returned=-1.0, advantage=-0.205))
    filler.put(VALUES, make_values(300, "c2", "b0/e3", 40, value=-0.35, returned=-0.4, advantage=0.305))
    filler.put(
        SAMPLINGS,
        [
            make_sampling(0, "2", "b0/e3", number=412, corrections=120, at_s=2500),
            make_sampling(1, "2", "b0/e1", number=30, corrections=0, at_s=2501),
        ],
    )
    filler.put(
        RELEASES,
        [
            make_release(0, "candidate", "1", 1500, last_offset=0),
            make_release(1, "promote", "1", 1600),
            make_release(2, "candidate", "2", 3000, before="1", last_offset=3),
            make_release(3, "promote", "2", 3500, before="1"),
        ],
    )


class Heard:
    """Judgements that were taken."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    async def label(self, person: Person, episode_id: str, outcome: str, reason: str, progress: int) -> None:
        self.said.append(("label", person.name, episode_id, str(outcome), reason, progress))

    async def mark(self, person: Person, episode_id: str, step_index: int, kind: str, note: str) -> None:
        self.said.append(("mark", person.name, episode_id, step_index, str(kind), note))


class Pages:
    """The routes of one lake, and a signed-in person who asks."""

    def __init__(self, history: History, lake: Lake, home: Home, *, now_s: float, role: Role = Role.OPERATOR) -> None:
        (home.path / "specs").mkdir(parents=True, exist_ok=True)
        spec = toy_spec()
        (home.path / "specs" / f"{spec.spec_id}.json").write_text(spec.to_json())
        sessions = Sessions(idle_s=3600, lifetime_s=3600)
        self.history = history
        self.clock = [int(now_s * S)]
        """Now, in ns; a test may move it."""
        self.watch, self.judgements = FleetWatch(home, now_ns=lambda: self.clock[0]), Heard()
        app = FastAPI()
        errors.install(app)
        app.state.access = Access(sessions=sessions, origins=Origins([ADDRESS]), say=lambda *_: None)
        reader = EpisodeReader(lake, cache_bytes=1 << 20)
        app.include_router(episodes.router(history, reader, SpecFiles(home.path / "specs"), self.judgements))
        self.live = Live(GatewayAddress(url="ws://127.0.0.1:9/operator"))
        for own in (learning, series):
            app.include_router(own.router(history, self.watch, now_ns=lambda: self.clock[0]))
        app.include_router(fleet.router(history, self.watch, self.live, now_ns=lambda: self.clock[0]))
        self._app = app
        cookie, session = sessions.start(Person(name="ann", role=role))
        self._cookies, self._headers = {COOKIE: cookie}, {"Origin": ADDRESS, CSRF_HEADER: session.csrf}

    def ask(self, method: str, path: str, *, is_signed_in: bool = True, **kwargs: Any) -> httpx.Response:
        """One request."""

        async def request() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self._app),
                base_url=ADDRESS,
                cookies=self._cookies if is_signed_in else {},
                headers=self._headers,
            ) as http:
                return await http.request(method, path, **kwargs)

        return asyncio.run(request())

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of an answer that must be good."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, status: int, **params: Any) -> str:
        """The words of an answer that must be refused."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == status, answer.text
        return str(answer.json()["error"])


def pages(folder: Path, *, role: Role = Role.OPERATOR, now_s: float = 5000.0, is_filled: bool = True) -> Pages:
    """Routes over the filled lake, or over one where nothing ever happened."""
    lake = Lake(str(folder / "lake"))
    if is_filled:
        fill(lake)
    history = History(lake, now_ns=lambda: int(now_s * S))
    history.refresh()
    return Pages(history, lake, Home(folder / "home"), now_s=now_s, role=role)
