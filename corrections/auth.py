"""Who may connect to the gateway: shared secrets, never in a configuration file.

`TOUCHLINE_GATEWAY_TOKEN` admits operators and robots; where `TOUCHLINE_GATEWAY_ROBOT_TOKEN` is set too,
robots need that one, so that what lies on a robot does not make an operator. Without a token the
gateway listens on loopback only. Requests from web pages of other origins are refused always.

An enrolled robot needs no shared secret: its credential holds a token of its own (`infra/credentials.py`), which
admits it under its own name alone, until it is revoked. A process of several robots shows all their tokens.
"""

import hmac
import os
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path

from infra.credentials import Credential
from infra.enrolment import token_sha256
from infra.ports import is_loopback
from infra.roster import Role, Roster
from policy.errors import ConfigError

OPERATOR_VARIABLE = "TOUCHLINE_GATEWAY_TOKEN"
ROBOT_VARIABLE = "TOUCHLINE_GATEWAY_ROBOT_TOKEN"
ROBOT_PATH = "/robot"
OPERATOR_PATH = "/operator"
_SEPARATOR = ","


def operator_token(environ: Mapping[str, str] = os.environ, file: Path | None = None) -> str:
    """The operators' secret: the environment's, else the file's; empty where none is set."""
    if token := environ.get(OPERATOR_VARIABLE, ""):
        return token
    return file.read_text().strip() if file is not None and file.exists() else ""


def robot_token(environ: Mapping[str, str] = os.environ, file: Path | None = None) -> str:
    """The robots' secret: their own, else the operators'."""
    return environ.get(ROBOT_VARIABLE) or operator_token(environ, file)


def enrolled_robots(headers: Mapping[str, str], roster: Roster, now_ns: int) -> frozenset[str]:
    """The robots in good standing whose own tokens a request shows."""
    shown = {token_sha256(token) for token in _given(headers).split(_SEPARATOR)}
    return frozenset(
        member.name
        for member in roster.members.values()
        if Role.ROBOT in member.roles and member.token_sha256 in shown and not member.is_revoked(now_ns)
    )


def tokens_of(held: Iterable[Credential], environ: Mapping[str, str] = os.environ) -> str:
    """What the robots of one process show: the shared secret where the environment has one, else their own tokens."""
    return robot_token(environ) or _SEPARATOR.join(credential.token for credential in held)


def header(token: str) -> dict[str, str]:
    """The request header that carries a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def check_bind(host: str, tokens: Mapping[str, str]) -> None:
    """Refuse to listen beyond this machine without secrets.

    Raises:
        ConfigError: names the variable to set.
    """
    if not is_loopback(host) and not all(tokens.values()):
        raise ConfigError(
            f"set {OPERATOR_VARIABLE} before listening beyond this machine, or use host 127.0.0.1", host=host
        )


def refusal(
    path: str,
    headers: Mapping[str, str],
    tokens: Mapping[str, str],
    origins: tuple[str, ...],
    robots: Collection[str] = (),
) -> HTTPStatus | None:
    """Why a request to connect is refused; None if it is not.

    Args:
        path: of the request.
        headers: of the request.
        tokens: secret by path; empty admits everybody who can reach us.
        origins: web origins whose pages may connect.
        robots: enrolled ones that the request shows tokens of.
    """
    if path not in tokens:
        return HTTPStatus.NOT_FOUND
    origin = headers.get("Origin")
    if origin is not None and origin not in origins:
        return HTTPStatus.FORBIDDEN
    token = tokens[path]
    if path == ROBOT_PATH and robots:
        return None
    if token and not is_secret(headers, token):
        return HTTPStatus.UNAUTHORIZED
    return None


def is_secret(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request shows the shared secret."""
    return hmac.compare_digest(token.encode(), _given(headers).encode())


def _given(headers: Mapping[str, str]) -> str:
    return headers.get("Authorization", "").removeprefix("Bearer ")
