"""Enrolled robots and services for tests that send messages or weights themselves."""

import functools

from infra import identity
from infra.home import Home
from infra.signing import MessageSigner, service_signer


def robots_of(home: Home) -> MessageSigner:
    """Signs as whichever robot a message is of; each is enrolled in this home when it first speaks."""
    return MessageSigner(functools.cache(functools.partial(identity.robot, home.path, is_simulated=True)))


def service_of(home: Home, name: str) -> MessageSigner:
    """Signs as one service of this home."""
    return service_signer(identity.service(home.path, name))
