"""Which weights act, and the engineer's moves: the same functions as the command line's.

    GET  /api/weights            everybody
    POST /api/weights/promote | rollback | rollout | shadow | freeze | thaw    engineers, each with a reason

The routes are plain functions: registry and broker block, so they run on the server's threads.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from console.access import Person, Role, Say, require, say
from console.api.weights_view import Json, Row, plan_view, robot_names, weights_view
from infra import freeze, releases, rollback_plan, rollout, shadow
from infra.ledger import Ledger
from infra.registry import PolicyRegistry
from infra.releases import CanaryCohort
from infra.rollout_state import RolloutConfig
from policy.errors import ConfigError, WeightsRejected
from policy.schema import Release

_CACHE_S = 2.0
_MAX_EXPIRY_S = 366 * 86_400.0

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]
Engineer = Annotated[Person, Depends(require(Role.ENGINEER))]
Audit = Annotated[Say, Depends(say)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Version = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Promotion(_Body):
    """A version for every robot."""

    version: Version
    reason: Reason
    force: bool = False


class Rollback(_Body):
    """Back to the previous champion, or to a named one."""

    version: Version | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    dry_run: bool = False


class Freezing(_Body):
    """No promotions for a while."""

    reason: Reason
    expires_s: Annotated[float, Field(ge=0, le=_MAX_EXPIRY_S)] = 0.0


class Thawing(_Body):
    """Promotions again."""

    reason: Reason


class RolloutMove(_Body):
    """One move of a staged rollout."""

    action: Literal["start", "next", "pause", "resume", "abort"]
    reason: Reason
    version: Version | None = None
    stage: int | None = None


class Shadowing(_Body):
    """A version that proposes beside the champion; null for none."""

    version: Version | None
    reason: Reason


class _Desk:
    """The registry and the ledger as the routes use them; what was seen is shown for two seconds."""

    def __init__(
        self,
        registry: PolicyRegistry,
        ledger: Ledger,
        cohort: CanaryCohort,
        stages: RolloutConfig,
        robots: Callable[[], Sequence[Row]],
        lines: Callable[[], Sequence[Row]],
    ) -> None:
        self.registry, self.ledger, self.cohort, self.stages = registry, ledger, cohort, stages
        self.robots, self._lines = robots, lines
        self._lock = threading.Lock()
        self._seen: tuple[float, Json] | None = None

    def view(self) -> Json:
        """What the page shows; one request asks the registry for all that come meanwhile."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > _CACHE_S:
                view = weights_view(
                    self.registry, self.cohort, self.stages, self.robots(), self._lines(), time.time_ns()
                )
                self._seen = (time.monotonic(), view)
            return self._seen[1]

    @contextmanager
    def moving(self) -> Iterator[None]:
        """A move: refusals get their status, and the next look is a fresh one."""
        try:
            yield
        except WeightsRejected as error:
            raise HTTPException(404, str(error)) from error
        except ConfigError as error:
            raise HTTPException(409, str(error)) from error
        finally:
            with self._lock:
                self._seen = None

    def taken(self, release: Release) -> Json:
        """The answer to a move that is in force."""
        is_waiting = self.ledger.flush() > 0
        return {
            "taken": True,
            "event": release.event,
            "version": release.policy_version,
            "previous_version": release.previous_version,
            "warning": "it is in force; its ledger line waits for Kafka" if is_waiting else "",
        }


def router(
    *,
    registry: PolicyRegistry,
    ledger: Ledger,
    cohort: CanaryCohort,
    stages: RolloutConfig,
    robots: Callable[[], Sequence[Row]],
    lines: Callable[[], Sequence[Row]],
) -> APIRouter:
    """The routes.

    Args:
        registry: the truth.
        ledger: takes a line for each move.
        cohort: section [canary]; names the fleet.
        stages: section [rollout].
        robots: what each robot said last; see `weights_view`.
        lines: the ledger so far, `evidence` parsed.
    """
    routes = APIRouter(prefix="/api/weights")
    desk = _Desk(registry, ledger, cohort, stages, robots, lines)

    @routes.get("")
    def weights(person: Viewer) -> dict[str, Any]:
        return desk.view()

    @routes.post("/promote")
    def promote(body: Promotion, person: Engineer, audit: Audit) -> dict[str, Any]:
        with desk.moving():
            done = releases.promote(
                registry, ledger, body.version, author=person.name, reason=body.reason, force=body.force
            )
        audit(person, "promote", body.version, body.reason, {"force": body.force})
        return desk.taken(done)

    @routes.post("/rollback")
    def roll_back(body: Rollback, person: Engineer, audit: Audit) -> dict[str, Any]:
        with desk.moving():
            if body.dry_run:
                names = robot_names(cohort, desk.robots())
                return plan_view(rollback_plan.plan(registry, cohort, names, version=body.version))
            if not body.reason:
                raise HTTPException(400, "reason: say why, in words")
            done = releases.rollback(registry, ledger, author=person.name, reason=body.reason, version=body.version)
        audit(person, "rollback", done.policy_version, body.reason, {"from": done.previous_version})
        return desk.taken(done)

    @routes.post("/rollout")
    def roll_out(body: RolloutMove, person: Engineer, audit: Audit) -> dict[str, Any]:
        with desk.moving():
            done = _move(registry, ledger, cohort, stages, body, person.name)
        audit(person, f"rollout_{body.action}", done.policy_version, body.reason)
        return desk.taken(done)

    _add_shadow_and_freeze(routes, desk)
    return routes


def _add_shadow_and_freeze(routes: APIRouter, desk: _Desk) -> None:
    @routes.post("/shadow")
    def cast(body: Shadowing, person: Engineer, audit: Audit) -> dict[str, Any]:
        with desk.moving():
            if body.version is None:
                done = shadow.clear_shadow(desk.registry, desk.ledger, author=person.name, reason=body.reason)
            else:
                done = shadow.set_shadow(
                    desk.registry, desk.ledger, body.version, author=person.name, reason=body.reason
                )
        audit(person, done.event, body.version or done.previous_version, body.reason)
        return desk.taken(done)

    @routes.post("/freeze")
    def stop_promotions(body: Freezing, person: Engineer, audit: Audit) -> dict[str, Any]:
        expires_ns = time.time_ns() + int(body.expires_s * 1e9) if body.expires_s else 0
        with desk.moving():
            done = freeze.freeze(
                desk.registry, desk.ledger, author=person.name, reason=body.reason, expires_ns=expires_ns
            )
        audit(person, "freeze", done.policy_version, body.reason, {"expires_ns": expires_ns})
        return desk.taken(done)

    @routes.post("/thaw")
    def allow_promotions(body: Thawing, person: Engineer, audit: Audit) -> dict[str, Any]:
        with desk.moving():
            done = freeze.thaw(desk.registry, desk.ledger, author=person.name, reason=body.reason)
        audit(person, "thaw", done.policy_version, body.reason)
        return desk.taken(done)


def _move(
    registry: PolicyRegistry,
    ledger: Ledger,
    cohort: CanaryCohort,
    stages: RolloutConfig,
    body: RolloutMove,
    author: str,
) -> Release:
    if (body.action == "start") != (body.version is not None):
        raise HTTPException(400, "version: only start takes one, and needs it")
    if body.version is not None:
        return rollout.start(
            registry, ledger, body.version, cohort=cohort, config=stages, author=author, reason=body.reason
        )
    if body.action == "next":
        return rollout.next_stage(registry, ledger, author=author, reason=body.reason, from_stage=body.stage)
    move: dict[str, Callable[..., Release]] = {
        "pause": rollout.pause,
        "resume": rollout.resume,
        "abort": rollout.abort,
    }
    return move[body.action](registry, ledger, author=author, reason=body.reason)
