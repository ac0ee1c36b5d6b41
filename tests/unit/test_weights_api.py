"""GET and POSTs of /api/weights: shapes, roles, refusals in words, and what each leaves behind."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from console import errors
from console.access import CSRF_HEADER, Access
from console.api import weights
from console.people.origins import Origins
from console.people.roles import Person, Role
from console.people.sessions import Sessions
from infra import freeze, releases, shadow
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.releases import CanaryCohort
from infra.rollout_state import RolloutConfig

ORIGIN = "http://127.0.0.1:8780"
FLEET = ("r0", "r1", "r2", "r3")
Row = Mapping[str, Any]


class Desk:
    """A console with this one router; versions 1 to 3, 1 the champion."""

    def __init__(self, directory: Path) -> None:
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.ledger = Ledger(self.bus.producer("test"), timeout_s=0.1)
        self.registry = MemoryRegistry(directory / "registry")
        (directory / "c").mkdir()
        (directory / "c" / "weights").write_text("w")
        for _ in range(3):
            self.registry.publish(directory / "c", tags={"spec_id": "s"})
        self.registry.set_alias("champion", "1")
        self.audit: list[tuple[str, str, str, str]] = []
        self.robots: list[Row] = []
        self.lines: list[Row] = []
        self.sessions = Sessions(idle_s=60, lifetime_s=60)
        app = FastAPI()
        errors.install(app)
        app.state.access = Access(sessions=self.sessions, origins=Origins([ORIGIN]), say=self._say)
        app.include_router(
            weights.router(
                registry=self.registry,
                ledger=self.ledger,
                cohort=CanaryCohort(fleet=FLEET),
                stages=RolloutConfig(stages=("1", "2", "all")),
                robots=lambda: self.robots,
                lines=lambda: self.lines,
            )
        )
        self._app = app

    def _say(
        self, person: Person, action: str, subject: str, reason: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        self.audit.append((person.name, action, subject, reason))

    def ask(self, method: str, path: str, role: Role = Role.ENGINEER, body: object = None) -> httpx.Response:
        """One request of somebody who just signed in."""
        cookie, session = self.sessions.start(Person(name="ann", role=role))

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport,
                base_url=ORIGIN,
                cookies={"touchline_session": cookie},
                headers={"Origin": ORIGIN, CSRF_HEADER: session.csrf},
            ) as browser:
                return await browser.request(method, f"/api/weights{path}", json=body)

        return asyncio.run(answer())

    def post(self, path: str, expected: int = 200, **body: object) -> dict[str, Any]:
        answer = self.ask("POST", f"/{path}", body=body)
        assert answer.status_code == expected, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def view(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", "", Role.VIEWER).json()
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_before_anything_was_released(desk: Desk) -> None:
    desk.registry.delete_alias("champion")
    view = desk.view()
    assert view["aliases"] == {"champion": None, "canary": None, "previous": None, "shadow": None}
    assert (view["frozen"], view["verdict"], view["rollout"], view["ledger"]) == (None, None, None, [])
    assert [row["version"] for row in view["candidates"]] == ["3", "2", "1"]
    assert view["planned"] == {"stages": [1, 2, 4], "robots": list(FLEET), "min_s": 120.0, "min_robot_minutes": 5.0}
    assert view["robots"][0] == {
        "robot_id": "r0",
        "version": "",
        "role": "",
        "age_s": None,
        "versions_behind": None,
        "last_swap_ns": 0,
        "wanted": None,
    }


def test_a_rollout_as_the_page_sees_it(desk: Desk) -> None:
    assert desk.post("rollout", action="start", version="2", reason=" good ")["event"] == "canary"
    desk.registry.set_tag(
        "2", releases.VERDICT_TAG, json.dumps({"version": "2", "at_ns": time.time_ns(), "num_robot_minutes": 1.5})
    )
    desk.robots = [{"robot_id": "r9", "version": "1", "role": "champion", "task_id": "plug"}]
    desk.lines = [
        {
            "time_ns": 1,
            "event": "candidate",
            "policy_version": "2",
            "previous_version": "1",
            "author": "learner",
            "reason": "round 1",
            "evidence": {"metrics": {"loss": 0.5, "error": float("nan")}, "rate": float("nan")},
            "boot_id": "b",
        },
    ]
    desk.post("rollout", action="pause", reason="lunch")
    view = desk.view()
    state = view["rollout"]
    assert (state["version"], state["champion"], state["state"], state["stage"]) == ("2", "1", "paused", 0)
    assert (state["stages"], state["robots"], state["next_robots"]) == ([1, 2, 4], ["r0"], ["r0", "r1"])
    assert (state["author"], state["reason"]) == ("ann", "lunch")
    assert state["soak"]["num_robot_minutes"] == 1.5
    assert view["verdict"]["version"] == "2"
    assert [row["wanted"]["version"] for row in view["robots"]] == ["2", "1", "1", "1", "1"]
    assert view["robots"][-1]["robot_id"] == "r9"
    assert view["ledger"][0]["evidence"] == {"metrics": {"loss": 0.5, "error": None}, "rate": None}
    candidate = view["candidates"][1]
    assert (candidate["version"], candidate["status"], candidate["metrics"]) == ("2", "canary", {"loss": 0.5})


def test_every_move_of_a_rollout(desk: Desk) -> None:
    moves = [("next", "rollout_stage"), ("pause", "rollout_pause"), ("resume", "rollout_resume")]
    desk.post("rollout", action="start", version="2", reason="good")
    assert [desk.post("rollout", action=action, reason="so")["event"] for action, _ in moves] == [e for _, e in moves]
    assert "moved on" in desk.post("rollout", 409, action="next", reason="so", stage=0)["error"]
    assert desk.post("rollout", action="next", reason="so", stage=1)["event"] == "promote"
    assert desk.view()["aliases"]["champion"] == "2"
    desk.post("rollout", action="start", version="3", reason="good")
    assert desk.post("rollout", action="abort", reason="smoke")["event"] == "rollout_abort"
    assert "no rollout" in desk.post("rollout", 409, action="abort", reason="again")["error"]
    assert desk.audit[0] == ("ann", "rollout_start", "2", "good")
    assert desk.audit[-1] == ("ann", "rollout_abort", "3", "smoke")


def test_promote_and_roll_back(desk: Desk) -> None:
    assert desk.post("promote", version="2", reason="good") == {
        "taken": True,
        "event": "promote",
        "version": "2",
        "previous_version": "1",
        "warning": "",
    }
    plan = desk.post("rollback", dry_run=True)
    assert (plan["from"], plan["to"]) == ("2", "1")
    assert plan["robots"][0] == {
        "robot_id": "r0",
        "now": {"version": "2", "role": "champion"},
        "then": {"version": "1", "role": "champion"},
        "changes": True,
    }
    assert desk.view()["aliases"]["champion"] == "2"
    assert "reason" in desk.post("rollback", 400)["error"]
    desk.post("rollback", reason="drops plugs")
    assert desk.view()["aliases"] == {"champion": "1", "canary": None, "previous": None, "shadow": None}
    assert desk.audit == [("ann", "promote", "2", "good"), ("ann", "rollback", "1", "drops plugs")]


def test_freeze_and_thaw(desk: Desk) -> None:
    desk.post("freeze", reason="audit", expires_s=3600)
    frozen = desk.view()["frozen"]
    assert (frozen["author"], frozen["reason"]) == ("ann", "audit")
    assert 3500e9 < frozen["expires_ns"] - frozen["since_ns"] < 3700e9
    assert "frozen" in desk.post("promote", 409, version="2", reason="good")["error"]
    desk.post("promote", version="2", reason="all the same", force=True)
    desk.post("thaw", reason="done")
    assert desk.view()["frozen"] is None
    assert not freeze.is_frozen(desk.registry)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("promote", {"version": "99", "reason": "good"}, 404, "no such version"),
        ("promote", {"version": "1", "reason": "good"}, 409, "champion already"),
        ("promote", {"version": "2", "reason": "   "}, 400, "reason"),
        ("promote", {"version": "2"}, 400, "reason"),
        ("promote", {"version": "2", "reason": "x" * 501}, 400, "reason"),
        ("promote", {"version": "2", "reason": "good", "forced": True}, 400, "forced"),
        ("rollback", {"reason": "bad"}, 409, "no previous champion"),
        ("freeze", {"reason": "audit", "expires_s": -1}, 400, "expires_s"),
        ("shadow", {"version": "99", "reason": "good"}, 404, "no such version"),
        ("shadow", {"version": None, "reason": "good"}, 409, "no shadow"),
        ("shadow", {"reason": "good"}, 400, "version"),
        ("rollout", {"action": "jump", "reason": "good"}, 400, "action"),
        ("rollout", {"action": "start", "reason": "good"}, 400, "version"),
        ("rollout", {"action": "next", "reason": "good", "version": "2"}, 400, "version"),
    ],
)
def test_refusals_in_words(desk: Desk, path: str, body: dict[str, object], status: int, words: str) -> None:
    assert words in desk.post(path, status, **body)["error"]
    assert desk.registry.aliases() == {"champion": "1"}
    assert desk.audit == []


def test_a_shadow_and_what_is_said_of_it(desk: Desk) -> None:
    assert desk.post("shadow", version="2", reason="a look")["event"] == "shadow"
    view = desk.view()
    assert (view["aliases"]["shadow"], view["aliases"]["champion"], view["shadow_report"]) == ("2", "1", None)
    report = {"version": "2", "champion": "1", "num_steps": 1240, "num_robots": 8, "ratio": 0.8}
    desk.registry.set_tag("2", shadow.SHADOW_TAG, json.dumps(report))
    assert desk.post("shadow", 409, version="1", reason="a look")["error"].startswith("the champion acts already")
    assert desk.view()["shadow_report"] == report
    desk.post("promote", version="3", reason="good")
    assert desk.view()["shadow_report"] is None  # it was compared with another champion
    assert desk.post("shadow", version=None, reason="seen")["event"] == "shadow_end"
    assert desk.view()["aliases"]["shadow"] is None
    assert desk.audit[0] == ("ann", "shadow", "2", "a look")
    assert desk.audit[-1] == ("ann", "shadow_end", "2", "seen")


@pytest.mark.parametrize("path", ["promote", "rollback", "freeze", "thaw", "rollout", "shadow"])
def test_only_engineers_move_weights(desk: Desk, path: str) -> None:
    body = {"version": "2", "reason": "good", "action": "start"}
    assert desk.ask("POST", f"/{path}", Role.OPERATOR, body).status_code == 403
    assert desk.registry.aliases() == {"champion": "1"}


def test_a_registry_or_broker_that_is_away(desk: Desk) -> None:
    desk.bus.is_available = False
    assert "waits for Kafka" in desk.post("promote", version="2", reason="good")["warning"]
    desk.registry.is_available = False
    assert desk.ask("GET", "").status_code == 503
    assert desk.ask("POST", "/thaw", body={"reason": "x"}).status_code == 503


def test_one_look_serves_many(desk: Desk) -> None:
    first = desk.view()
    desk.registry.set_alias("champion", "3")
    assert desk.view() == first
    desk.post("promote", version="2", reason="good")
    assert desk.view()["aliases"]["champion"] == "2"
