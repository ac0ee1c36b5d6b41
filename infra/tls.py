"""TLS for every door: what we show, whom we believe, and in words what is wrong with a port.

Nothing of ours listens or dials beyond this machine without it.
"""

import contextlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from infra.ports import is_loopback
from policy.errors import ConfigError

_PROBE_S = 5.0
_SECURE = ("wss", "https")


def check_files(section: str, cert: str, key: str) -> None:
    """Refuse half a certificate, and names of files that are not there.

    Raises:
        ConfigError: names the setting.
    """
    if bool(cert) != bool(key):
        raise ConfigError(f"{section}.tls_cert and {section}.tls_key go together: set both or none")
    for name, path in (("tls_cert", cert), ("tls_key", key)):
        if path and not Path(path).is_file():
            raise ConfigError(f"{section}.{name} names no file", path=path)


def check_bind(section: str, host: str, *, is_secure: bool) -> None:
    """Refuse to listen beyond this machine without TLS.

    Raises:
        ConfigError: names the settings.
    """
    if not is_loopback(host) and not is_secure:
        raise ConfigError(
            f"set {section}.tls_cert and {section}.tls_key before listening beyond this machine, or use host 127.0.0.1",
            host=host,
        )


def check_url(setting: str, url: str, ca_file: str = "") -> None:
    """Refuse an address beyond this machine that everybody on the way could read.

    Raises:
        ConfigError: names the setting.
    """
    parts = urlsplit(url)
    if parts.scheme in ("ws", "http") and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"{setting} must be {'wss' if parts.scheme == 'ws' else 'https'}:// beyond this machine", url=url
        )
    if ca_file and not Path(ca_file).is_file():
        raise ConfigError(f"the ca_file beside {setting} names no file", path=ca_file)


def server_context(cert: str, key: str) -> ssl.SSLContext | None:
    """What a server shows; None where it speaks plain.

    Raises:
        ConfigError: the files are no certificate and its key.
    """
    if not cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "tls_cert and tls_key are not a certificate and its key", cert=cert, cause=str(error)
        ) from error
    return context


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Whom a client believes: the authorities in a PEM file, else the system's.

    Raises:
        ConfigError: the file holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("ca_file holds no certificate in PEM", path=ca_file, cause=str(error)) from error


def context_for(url: str, ca_file: str = "") -> ssl.SSLContext | None:
    """What to dial a WebSocket address with; None for ws://."""
    return client_context(ca_file) if urlsplit(url).scheme in _SECURE else None


def problem_of(host: str, port: int, context: ssl.SSLContext | None) -> str:
    """Why TLS with this port does not work, in words; empty where it does, or nobody listens.

    Args:
        host: to ask.
        port: to ask.
        context: what we dial with; None where we speak plain, and then a port that speaks TLS is the problem.
    """
    probe = context
    if probe is None:
        probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        probe.check_hostname, probe.verify_mode = False, ssl.CERT_NONE
    try:
        with contextlib.closing(socket.create_connection((host, port), _PROBE_S)) as line:
            return _handshake(line, probe, host, is_expected=context is not None)
    except OSError:
        return ""


def _handshake(line: socket.socket, context: ssl.SSLContext, host: str, *, is_expected: bool) -> str:
    try:
        with context.wrap_socket(line, server_hostname=host):
            return "" if is_expected else "it speaks TLS, and we do not"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not believed: {error.verify_message}"
    except TimeoutError:
        return ""  # it may only be slow
    except OSError:  # ssl's other errors are of this kind too
        return "it does not speak TLS" if is_expected else ""
