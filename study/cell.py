"""A cell: one computation of a study, named by what it is made of.

    base        demonstrations -> policy -> held-out success
    collect     policy, people -> episodes
    candidate   base, all episodes so far, algorithm -> policy -> held-out success
    fleet       base, people, learner, a clock -> success over fleet minutes
    critic      base, episodes -> what a value function is worth on episodes that it did not see
    drift       base, people, learner, gate, a world that changes -> success over promotions

A cell's id is the hash of its kind, settings, parents and the rules it is computed by, so a result is found again by
whoever asks the same question, and a changed setting asks a new one.
"""

import dataclasses
import enum
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy.errors import SchemaError

Finding = dict[str, Any]
"""A cell's result: plain JSON."""


class Kind(enum.StrEnum):
    """What a cell computes."""

    BASE = "base"
    COLLECT = "collect"
    CANDIDATE = "candidate"
    FLEET = "fleet"
    CRITIC = "critic"
    DRIFT = "drift"


_RULES: Mapping[tuple[Kind, str], str] = {
    (Kind.BASE, ""): "goals in hindsight",
    **dict.fromkeys(((kind, "") for kind in (Kind.COLLECT, Kind.FLEET, Kind.DRIFT)), "time waits for people"),
    **dict.fromkeys(((Kind.CANDIDATE, name) for name in ("recap", "recap_random")), "poor help counts as little"),
}
"""What a kind, and for candidates an algorithm, computes by now that it did not at first: a cell that was computed
before is another one."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One computation."""

    kind: Kind
    settings: Mapping[str, Any]
    """Plain JSON; the functions in `work.py` say which are read."""
    parents: tuple["Cell", ...] = ()
    """Cells whose artefacts it reads, in order."""

    @functools.cached_property
    def id(self) -> str:
        """Sixteen hex digits that change with anything it is made of."""
        made_of: list[Any] = [self.kind, dict(self.settings), [parent.id for parent in self.parents]]
        rule = _RULES.get((self.kind, self.settings.get("algorithm", "")))
        made_of += [rule] if rule else []
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]

    def with_ancestors(self) -> Iterator["Cell"]:
        """Every cell that this one needs, parents first, itself last; some more than once."""
        for parent in self.parents:
            yield from parent.with_ancestors()
        yield self

    def to_json(self) -> str:
        """For the process that computes it: itself, and its parents by id and kind."""
        parents = [{"id": parent.id, "kind": parent.kind} for parent in self.parents]
        return json.dumps({"id": self.id, "kind": self.kind, "settings": dict(self.settings), "parents": parents})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """A cell as its process gets it."""

    id: str
    kind: Kind
    settings: Mapping[str, Any]
    parents: tuple[tuple[str, Kind], ...]
    """(id, kind) of each."""

    @classmethod
    def from_json(cls, text: str) -> "Order":
        """The inverse of `Cell.to_json`.

        Raises:
            SchemaError: it is not one.
        """
        try:
            fields = json.loads(text)
            parents = tuple((parent["id"], Kind(parent["kind"])) for parent in fields["parents"])
            return cls(id=fields["id"], kind=Kind(fields["kind"]), settings=fields["settings"], parents=parents)
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError("not a cell", cause=str(error)) from error
