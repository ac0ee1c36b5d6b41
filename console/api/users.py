"""Who may come in and as what; for admins. Passwords come in and never go out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from console.access import Access, Person, Role, Say, require, say
from console.people.users import Directory

Admin = Annotated[Person, Depends(require(Role.ADMIN))]
Audit = Annotated[Say, Depends(say)]


class NewUser(BaseModel):
    """Somebody to add, or to give a new password and role."""

    name: str
    password: str
    role: str


def router(access: Access, directory: Directory) -> APIRouter:
    """The routes; plain functions, because a hash takes 100 ms and must not hold the event loop."""
    routes = APIRouter(prefix="/api/users")

    @routes.get("")
    def people(person: Admin) -> dict[str, Any]:
        return {"users": [{"name": p.name, "role": p.role} for p in directory.people()]}

    @routes.post("", status_code=201)
    def add(user: NewUser, person: Admin, audit: Audit) -> dict[str, Any]:
        added = directory.add(user.name, user.password, Role.of(user.role))
        access.sessions.end_all(added.name)
        audit(person, "add_user", added.name, "", {"role": added.role})
        return {"name": added.name, "role": added.role}

    @routes.delete("/{name:path}", status_code=204)
    def remove(name: str, person: Admin, audit: Audit) -> None:
        removed = directory.remove(name)
        access.sessions.end_all(removed)
        audit(person, "remove_user", removed)

    return routes
