"""Who belongs to the fleet, and whose signature stands for what.

    robot      its own rollout messages           steps, episodes, interventions, help requests, telemetry
    service    every other topic                  labels, marks, audit, releases, values, help answers
    publisher  weights                            the learner
    releaser   release orders: what may act       the judge, the console, the command line

Public keys only: `enrolment.py` keeps them, `credentials.py` the private halves.
"""

import base64
import binascii
import dataclasses
import enum
import functools
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from infra.keys import PublicKey
from policy.errors import ConfigError, SignatureRefused


class Role(enum.StrEnum):
    """What a signature of somebody may stand for."""

    ROBOT = "robot"
    SERVICE = "service"
    PUBLISHER = "publisher"
    RELEASER = "releaser"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnrolledKey:
    """One public key of a member, and how long it counts."""

    public: str
    since_ns: int
    not_after_ns: int = 0
    """From when on it no longer counts; 0 for no end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Member:
    """A robot or a service."""

    name: str
    roles: tuple[Role, ...]
    keys: tuple[EnrolledKey, ...]
    """The newest last; older ones count until their end, so that what they signed is still taken."""
    token_sha256: str
    """Of the secret with which it dials in to the gateway."""
    revoked_ns: int = 0
    """From when on nothing of it counts; 0 for a member in good standing."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Member":
        """What `dataclasses.asdict` and JSON made of one.

        Raises:
            TypeError, ValueError, KeyError: it is none.
        """
        keys = tuple(EnrolledKey(**key) for key in fields["keys"])
        return cls(**{**fields, "roles": tuple(Role(role) for role in fields["roles"]), "keys": keys})

    def is_revoked(self, now_ns: int) -> bool:
        """Whether nothing of it counts any more."""
        return 0 < self.revoked_ns <= now_ns


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stamp:
    """A signature, and who says to have made it."""

    signer: str
    key_id: str
    signature: bytes

    def to_text(self) -> str:
        """One line, for a tag of the registry."""
        signature = base64.b64encode(self.signature).decode()
        return json.dumps({"signer": self.signer, "key_id": self.key_id, "signature": signature})

    @classmethod
    def from_text(cls, text: str) -> "Stamp":
        """What `to_text` wrote.

        Raises:
            SignatureRefused: it is none.
        """
        try:
            fields = json.loads(text)
            signer, key_id, signature = (fields[name] for name in ("signer", "key_id", "signature"))
            if not (isinstance(signer, str) and isinstance(key_id, str)):
                raise TypeError("names must be text")
            return cls(signer=signer, key_id=key_id, signature=base64.b64decode(signature, validate=True))
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
            raise SignatureRefused("not a signature", cause=str(error)[:100]) from error


class Roster:
    """The members, by name."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members: Mapping[str, Member] = {member.name: member for member in members}

    def verify(
        self, stamp: Stamp, statement: bytes, roles: Collection[Role], now_ns: int, *, outlives_key: bool = False
    ) -> Member:
        """The member who made a stamp.

        Args:
            stamp: as it came.
            statement: what it is to stand for.
            roles: of which the signer must have one.
            now_ns: wall time of the verifier: what a sender says of its own time proves nothing.
            outlives_key: whether it still counts when its key was replaced. Weights do, for as long as they lie in
                the registry; who has lost a publisher's key revokes the publisher.

        Raises:
            SignatureRefused: it does not count, and why.
        """
        member = self.members.get(stamp.signer)
        if member is None:
            raise SignatureRefused("signed by nobody who is enrolled; touchline robot add enrols", signer=stamp.signer)
        if member.is_revoked(now_ns):
            raise SignatureRefused("the signer is revoked", signer=stamp.signer)
        if not set(roles).intersection(member.roles):
            raise SignatureRefused("the signer may not sign this", signer=stamp.signer, roles="+".join(member.roles))
        key = next((key for key in member.keys if _public_key(key.public).key_id == stamp.key_id), None)
        if key is None:
            raise SignatureRefused("the key is not the signer's", signer=stamp.signer, key_id=stamp.key_id)
        if 0 < key.not_after_ns <= now_ns and not outlives_key:
            raise SignatureRefused(
                "the key was replaced and its overlap is over", signer=stamp.signer, key_id=stamp.key_id
            )
        if not _public_key(key.public).fits(stamp.signature, statement):
            raise SignatureRefused("altered, or not signed by the key that it names", signer=stamp.signer)
        return member


@functools.lru_cache(maxsize=4096)
def _public_key(text: str) -> PublicKey:
    """A key, read once: the same few verify every message.

    Raises:
        SignatureRefused: the file that holds it is damaged.
    """
    try:
        return PublicKey.from_text(text)
    except ConfigError as error:
        raise SignatureRefused("an enrolled key is damaged", cause=str(error)) from error
