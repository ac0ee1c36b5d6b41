"""Knocking at a broker: TLS and login on a line of our own, one step at a time, so that a refusal gets its name.

kafka-python 3.0.12 tells a wrong password, an unknown authority and a silent broker alike, as a time-out: it drops
what a broker says before it hangs up. What is sent here is Kafka's protocol: a length, then SaslHandshake (key 17,
version 1) or SaslAuthenticate (36, 0), with RFC 5802 inside. https://kafka.apache.org/protocol
"""

import contextlib
import socket
import ssl
import struct

from kafka.net.sasl.scram import ScramClient

from infra import tls
from infra.kafka_login import PASSWORD_VARIABLE, Login
from policy.errors import BusRefused

_TIMEOUT_S = 5.0
_HANDSHAKE, _AUTHENTICATE = (17, 1), (36, 0)
_MAX_ANSWER_BYTES = 1 << 16
_REFUSED = 58
"""SASL_AUTHENTICATION_FAILED."""


def knock(host: str, port: int, context: ssl.SSLContext | None, login: Login | None, mechanism: str) -> None:
    """Return when a broker lets us in, or is not there at all: then its client will say so.

    Raises:
        BusRefused: TLS or the login failed; says which, and what to mend.
    """
    if problem := tls.problem_of(host, port, context):
        server = f"{host}:{port}"
        raise BusRefused(f"no word with Kafka: {problem}; mend kafka.security_protocol or kafka.ca_file", server=server)
    if context is None or login is None:
        return
    with (
        contextlib.suppress(OSError, struct.error, ValueError, KeyError),  # it went away, or is no broker
        socket.create_connection((host, port), _TIMEOUT_S) as line,
        context.wrap_socket(line, server_hostname=host) as secured,
    ):
        _log_in(secured, login, mechanism)


def _log_in(line: ssl.SSLSocket, login: Login, mechanism: str) -> None:
    (code,) = struct.unpack_from(">h", _ask(line, _HANDSHAKE, _text(mechanism)))
    if code:
        raise BusRefused(f"Kafka does not offer {mechanism}: mend kafka.sasl_mechanism", code=code)
    client = ScramClient(login.username, login.password, mechanism)
    client.process_server_first_message(_token(_ask(line, _AUTHENTICATE, _bytes(client.first_message())), login))
    _token(_ask(line, _AUTHENTICATE, _bytes(client.final_message())), login)


def _token(answer: bytes, login: Login) -> bytes:
    """What the broker says next: int16 code, int16 length and message, int32 length and token."""
    code, length = struct.unpack_from(">hh", answer)
    if code == _REFUSED:
        raise BusRefused(
            "Kafka does not know this account, or not with this password: make it (touchline acl render), "
            f"or mend kafka.username and {PASSWORD_VARIABLE}",
            username=login.username,
        )
    start = 4 + max(0, length)
    (size,) = struct.unpack_from(">i", answer, start)
    return answer[start + 4 : start + 4 + size]


def _ask(line: ssl.SSLSocket, request: tuple[int, int], body: bytes) -> bytes:
    content = struct.pack(">hhi", *request, 0) + _text("touchline-knock") + body
    line.sendall(struct.pack(">i", len(content)) + content)
    (size,) = struct.unpack(">i", _read(line, 4))
    return _read(line, min(size, _MAX_ANSWER_BYTES))[4:]


def _read(line: ssl.SSLSocket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            raise ConnectionResetError("hung up")
        data += part
    return data


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _bytes(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data
