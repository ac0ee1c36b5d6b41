"""Signed messages: who sent a Kafka message, over its topic and every byte of it, in its headers.

A message is a batch, so this costs one signature for many records. The bytes name robot, boot and
sequence number of each record, and are signed as they are. A message that waits in a spool is signed when it is sent.
"""

import hashlib
from collections.abc import Callable

from infra.bus import Headers
from infra.credentials import Credential
from infra.keys import statement
from infra.roster import Role, Stamp
from infra.topics import ROBOT_TOPICS, SHARED_TOPICS, Topic
from policy.errors import ConfigError, SchemaError, SignatureRefused

SIGNER_HEADER = "signer"
KEY_HEADER = "signing_key"
SIGNATURE_HEADER = "signature"


class MessageSigner:
    """Signs as the robots of one process, or as one service."""

    def __init__(self, credential_of: Callable[[str], Credential]) -> None:
        """Start.

        Args:
            credential_of: whose signature a message with this key needs; raises ConfigError where it is not here.
        """
        self._credential_of = credential_of

    def headers(self, topic: Topic, key: str, value: bytes) -> dict[str, bytes]:
        """The headers that say who sent a message.

        Raises:
            SchemaError: nobody here can sign it.
        """
        try:
            credential = self._credential_of(key)
        except ConfigError as error:
            raise SchemaError("nobody here can sign this", topic=topic.name, key=key, cause=str(error)) from error
        stamp = credential.stamp(message_statement(topic, credential.name, value))
        return {
            SIGNER_HEADER: stamp.signer.encode(),
            KEY_HEADER: stamp.key_id.encode(),
            SIGNATURE_HEADER: stamp.signature,
        }


def service_signer(credential: Credential) -> MessageSigner:
    """Signs everything as one service."""
    return MessageSigner(lambda key: credential)


def message_statement(topic: Topic, signer: str, value: bytes) -> bytes:
    """What is signed of a message."""
    return statement("message", topic.name, signer, hashlib.sha256(value).hexdigest())


def writers_of(topic: Topic) -> frozenset[Role]:
    """Whose messages a topic takes."""
    if topic.name in SHARED_TOPICS:
        return frozenset({Role.ROBOT, Role.SERVICE})
    return frozenset({Role.ROBOT if topic.name in ROBOT_TOPICS else Role.SERVICE})


def stamp_of(headers: Headers) -> Stamp:
    """The stamp in a message's headers.

    Raises:
        SignatureRefused: there is none.
    """
    try:
        signer, key_id = headers[SIGNER_HEADER].decode(), headers[KEY_HEADER].decode()
        return Stamp(signer=signer, key_id=key_id, signature=bytes(headers[SIGNATURE_HEADER]))
    except (KeyError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise SignatureRefused("not signed") from error
