"""What somebody may do: four roles, each with everything that the one before may."""

import dataclasses
import enum

from policy.errors import ConfigError


class Role(enum.StrEnum):
    """From seeing to everything."""

    VIEWER = "viewer"
    """Sees everything and may stop any robot."""
    OPERATOR = "operator"
    """Claims, answers, takes over, drives, labels and marks."""
    ENGINEER = "engineer"
    """Promotes, freezes, rolls back, clears stops and forces leases."""
    ADMIN = "admin"
    """Says who else may."""

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)

    @classmethod
    def of(cls, word: str) -> "Role":
        """The role of that name.

        Raises:
            ConfigError: there is none; names those that there are.
        """
        if word not in cls.__members__.values():
            raise ConfigError(f"no such role; use one of {', '.join(cls)}", got=word[:80])
        return cls(word)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """Who is asking, and what they may do."""

    name: str
    role: Role
