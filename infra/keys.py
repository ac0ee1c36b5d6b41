"""Ed25519 signatures (RFC 8032) and secrets made from their keys: the only module that imports `cryptography`.

What is signed is a statement: a purpose and its parts, each with its length before it, so that no two
statements are the same bytes and a signature made for one purpose is good for no other. Long parts go in
as their SHA-256, which this kind of machine computes three times faster than Ed25519's own SHA-512.
"""

import base64
import binascii
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from policy.errors import ConfigError

_KEY_ID_CHARS = 16
_SECRET_BYTES = 32


class PrivateKey:
    """A key that signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> "PrivateKey":
        """The key that `to_text` wrote.

        Raises:
            ConfigError: it is none; the text is not repeated.
        """
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True)))
        except (ValueError, binascii.Error) as error:
            raise ConfigError("not a private key") from error

    def to_text(self) -> str:
        """The secret itself."""
        return base64.b64encode(self._key.private_bytes_raw()).decode()

    def sign(self, statement: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(statement)

    def secret_for(self, purpose: str) -> str:
        """A secret made from this key for another purpose (HKDF, RFC 5869): it says nothing of the key."""
        derived = HKDF(algorithm=SHA256(), length=_SECRET_BYTES, salt=None, info=statement(purpose))
        return base64.urlsafe_b64encode(derived.derive(self._key.private_bytes_raw())).decode().rstrip("=")


class PublicKey:
    """A key that verifies."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes_raw()
        self.text = base64.b64encode(raw).decode()
        self.key_id = hashlib.sha256(raw).hexdigest()[:_KEY_ID_CHARS]
        """Names the key in headers, files and logs."""

    @classmethod
    def from_text(cls, text: str) -> "PublicKey":
        """The key that `text` was taken from.

        Raises:
            ConfigError: it is none.
        """
        try:
            return cls(Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True)))
        except (ValueError, binascii.Error) as error:
            raise ConfigError("not a public key", text=text) from error

    def fits(self, signature: bytes, statement: bytes) -> bool:
        """Whether the signature is this key's over the statement."""
        try:
            self._key.verify(signature, statement)
        except InvalidSignature:
            return False
        return True


def statement(purpose: str, *parts: str) -> bytes:
    """The bytes to sign for a purpose."""
    encoded = [part.encode() for part in ("touchline", purpose, *parts)]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)
