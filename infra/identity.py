"""Who this process is: the credentials of its robots or of its service, found in its home.

The machine that keeps the fleet's members enrols its own services and simulated robots by itself: who can
write that home could do it anyway. A real robot is enrolled by a person (`touchline robot add`).
"""

from collections.abc import Iterable
from pathlib import Path

from infra import credentials
from infra.credentials import Credential
from infra.enrolment import Enrolments
from infra.roster import Role, Roster
from infra.weight_signing import Trust
from policy.errors import ConfigError

SERVICES: dict[str, tuple[Role, ...]] = {
    "ingest": (),
    "gateway": (Role.SERVICE,),
    "console": (Role.SERVICE, Role.RELEASER),
    "critic": (Role.SERVICE,),
    "judge": (Role.SERVICE, Role.RELEASER),
    "learner": (Role.SERVICE, Role.PUBLISHER),
    "release": (Role.SERVICE, Role.RELEASER),
}
"""Services by name, and what their signatures stand for; `release` is the command line (promote, rollback, ...).

Ingest says nothing to anybody: it is one of them for its account at the broker."""

_AUTHOR = "this machine"


def enrol_services(home: Path) -> None:
    """See that every service of the table has its credential, before robots are told whom to trust."""
    for name in SERVICES:
        service(home, name)


def service(home: Path, name: str) -> Credential:
    """The credential of one of our services; made where it has none.

    Raises:
        ConfigError: it is enrolled, but its credential is not here.
    """
    return _found(home, name) or _enrol(home, name, SERVICES[name])


def robot(home: Path, name: str, *, is_simulated: bool) -> Credential:
    """The credential of one of this process's robots; a simulated one's is made where it has none.

    Raises:
        ConfigError: it is not enrolled; names the command.
    """
    if found := _found(home, name):
        return found
    if not is_simulated:
        raise ConfigError(
            f"the robot is not enrolled: run touchline robot add {name} on the machine that runs ingest, "
            f"and put the file it writes at {credentials.file_of(home, name)}"
        )
    enrol_services(home)
    return _enrol(home, name, (Role.ROBOT,))


def trust(home: Path, held: Iterable[Credential]) -> Trust:
    """Whose weights and release orders count here: the members of this home, else those named at enrolment."""
    held, enrolments = list(held), Enrolments(home)
    if all(credential.name in enrolments.roster().members for credential in held):
        return Trust(enrolments.roster)
    roster = Roster(member for credential in held for member in credential.trusted)
    return Trust(lambda: roster)


def _found(home: Path, name: str) -> Credential | None:
    file = credentials.file_of(home, name)
    return credentials.read(file) if file.exists() else None


def _enrol(home: Path, name: str, roles: tuple[Role, ...]) -> Credential:
    try:
        return Enrolments(home).add(
            name, roles, file=credentials.file_of(home, name), author=_AUTHOR, reason="enrolled itself"
        )
    except ConfigError:
        if found := _found(home, name):  # a process beside this one was quicker
            return found
        raise
