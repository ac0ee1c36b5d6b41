"""Signed weights and signed release orders: whoever can write the registry still cannot move a robot.

    weights   the publisher's stamp over version, spec, the hash of all files, and the tags that change what is done
    order     a releaser's stamp over "this version, with these files, is champion (canary) since this moment"

Both are tags of the version. The alias says what acts; the order proves that somebody who may decide said so.
Its time only grows, so that an older order for an older version, put back by somebody else, is known as such.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

from infra.credentials import Credential
from infra.keys import statement
from infra.registry import SIZE_TAG, PolicyRegistry, PolicyVersion
from infra.roster import Role, Roster, Stamp
from policy.errors import SignatureRefused, WeightsRejected

POLICY = "policy"
CRITIC = "critic"
SIGNATURE_TAG = "signature"
_ORDER_TAG = "order_{}"
_SIGNED_TAGS = ("guidance_reference", "guidance_scale", SIZE_TAG)
"""Tags that change what a version does on a robot, its disk included."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """Somebody's word that a version acts."""

    time_ns: int
    """When it was given, by the clock of who gave it; above that of every order before it."""
    stamp: Stamp


class Trust:
    """Whose weights and orders count, by the roster of this moment."""

    def __init__(self, roster: Callable[[], Roster], clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._roster, self._clock_ns = roster, clock_ns

    def check_weights(self, version: PolicyVersion, kind: str = POLICY) -> None:
        """Refuse weights that no publisher signed.

        Raises:
            WeightsRejected: not signed, altered, or signed by somebody who may not; ask again after `registry.verify`
                has tied the files to the version's hash.
        """
        self._verify(version, version.tags.get(SIGNATURE_TAG, ""), _weights_statement(version, kind), Role.PUBLISHER)

    def order_of(self, version: PolicyVersion, role: str) -> Order:
        """The order by which a version acts.

        Raises:
            WeightsRejected: there is none of somebody who may give it.
        """
        order = _read_order(version, role)
        if order is None:
            raise WeightsRejected("nobody signed its release", version=version.version, role=role)
        self._verify(version, order.stamp.to_text(), _order_statement(version, role, order.time_ns), Role.RELEASER)
        return order

    def _verify(self, version: PolicyVersion, stamp: str, signed: bytes, role: Role) -> None:
        if not stamp:
            raise WeightsRejected("the weights are not signed", version=version.version)
        try:
            self._roster().verify(Stamp.from_text(stamp), signed, {role}, self._clock_ns(), outlives_key=True)
        except SignatureRefused as error:
            raise WeightsRejected("a signature was refused", version=version.version, cause=str(error)) from error


def fetch(
    registry: PolicyRegistry, version: PolicyVersion, directory: Path, trust: Trust | None, kind: str = POLICY
) -> Path:
    """Download a version to `directory / version`, once its signature is known: what nobody signed takes no disk.

    Args:
        registry: where it is.
        version: as the registry has it.
        directory: where to put it.
        trust: whose weights count; None takes whatever the registry has (tests).
        kind: what they are weights of.

    Raises:
        WeightsRejected: nobody who may signed it, or its files are not those that were published.
    """
    if trust is not None:
        trust.check_weights(version, kind)
    return registry.fetch(version, directory)


def sign_weights(registry: PolicyRegistry, signer: Credential, version: PolicyVersion, kind: str = POLICY) -> None:
    """Leave the publisher's stamp on a version that it has just uploaded."""
    registry.set_tag(version.version, SIGNATURE_TAG, _weights_stamp(signer, version, kind))


def is_signed_by(signer: Credential, version: PolicyVersion, kind: str = POLICY) -> bool:
    """Whether the version has this publisher's stamp; Ed25519 gives the same signature each time."""
    return version.tags.get(SIGNATURE_TAG) == _weights_stamp(signer, version, kind)


def give_order(registry: PolicyRegistry, signer: Credential, version: str, role: str) -> None:
    """Sign that a version acts from now on; done before the alias moves, which is what robots look at.

    Raises:
        WeightsRejected: no such version.
    """
    ordered, before = registry.get(version), registry.alias(role)
    earlier = [_read_order(known, role) for known in (ordered, *([registry.get(before)] if before else []))]
    # A clock that is behind must not make a rollback look old.
    time_ns = max(time.time_ns(), *(order.time_ns + 1 for order in earlier if order), 0)
    stamp = signer.stamp(_order_statement(ordered, role, time_ns))
    content = json.dumps({"time_ns": time_ns, "stamp": stamp.to_text()})
    registry.set_tag(version, _ORDER_TAG.format(role), content)


def _read_order(version: PolicyVersion, role: str) -> Order | None:
    try:
        content = json.loads(version.tags[_ORDER_TAG.format(role)])
        return Order(time_ns=int(content["time_ns"]), stamp=Stamp.from_text(content["stamp"]))
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _weights_stamp(signer: Credential, version: PolicyVersion, kind: str) -> str:
    return signer.stamp(_weights_statement(version, kind)).to_text()


def _weights_statement(version: PolicyVersion, kind: str) -> bytes:
    tags = {name: version.tags[name] for name in _SIGNED_TAGS if name in version.tags}
    return statement(
        "weights", kind, version.version, version.spec_id, version.sha256, json.dumps(tags, sort_keys=True)
    )


def _order_statement(version: PolicyVersion, role: str, time_ns: int) -> bytes:
    return statement("order", role, version.version, version.sha256, str(time_ns))
