"""The two things that every router asks of the server: who is this, and write down what they did.

    Writer = Annotated[Person, Depends(require(Role.OPERATOR))]
    Audit = Annotated[Say, Depends(say)]

    def router(lake: History) -> APIRouter:
        routes = APIRouter(prefix="/api/episodes")

        @routes.post("/{episode_id}/labels")
        def label(episode_id: str, body: NewLabel, person: Writer, audit: Audit) -> dict[str, bool]:
            ...
            audit(person, "label", episode_id, body.reason, {"outcome": body.outcome})

`require` answers 401 to nobody, 403 to somebody of a lesser role, and on anything but GET and HEAD 403
to a request without the session's CSRF word or from another origin. A router says what is wrong with
`HTTPException(status, "words")` or lets a `TouchlineError` pass: both become `{"error": "words"}`.
"""

import dataclasses
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from fastapi import HTTPException, Request

from console.people.origins import Origins
from console.people.roles import Person, Role
from console.people.sessions import Session, Sessions

__all__ = ["Access", "Person", "Role", "Say", "require", "say", "session_of"]

COOKIE = "touchline_session"
CSRF_HEADER = "X-Touchline-CSRF"
_READS = frozenset({"GET", "HEAD"})


class Say(Protocol):
    """Writes one line of the audit; never waits for the broker."""

    def __call__(
        self,
        person: Person,
        action: str,
        subject: str,
        reason: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """`person` did `action` (a verb: label, promote) to `subject` (an episode, a version, a robot)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """What `require` and `say` need; the app carries one as `app.state.access`."""

    sessions: Sessions
    origins: Origins
    say: Say


def require(role: Role) -> Callable[[Request], Awaitable[Person]]:
    """A FastAPI dependency: the signed-in person, who is at least of `role`.

    Raises (when called):
        HTTPException: 401 or 403, in words.
    """

    async def person(request: Request) -> Person:
        session = session_of(request)
        access: Access = request.app.state.access
        if request.method not in _READS:
            _check_write(request, session, access.origins)
        if not session.person.role.includes(role):
            access.say(session.person, "refused", f"{request.method} {request.url.path}", f"needs the role {role}")
            raise HTTPException(403, f"this needs the role {role}; you are {session.person.role}: ask an admin")
        return session.person

    return person


async def say(request: Request) -> Say:
    """A FastAPI dependency: the audit."""
    access: Access = request.app.state.access
    return access.say


def session_of(request: Request) -> Session:
    """The session of a request.

    Raises:
        HTTPException: 401: nobody is signed in.
    """
    access: Access = request.app.state.access
    session = access.sessions.find(request.cookies.get(COOKIE, ""))
    if session is None:
        raise HTTPException(401, "sign in first: you are not, or your session is over")
    return session


def _check_write(request: Request, session: Session, origins: Origins) -> None:
    if not origins.allows(request.headers.get("origin", "")):
        raise HTTPException(403, "this page does not come from this console: open the console's own address")
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), session.csrf.encode()):
        raise HTTPException(403, f"the header {CSRF_HEADER} is missing or old: reload the page")
