"""Ports on this machine: find a free one, refuse a taken one in words, and know which addresses are this machine's."""

import contextlib
import ipaddress
import random
import socket

from policy.errors import ConfigError

LOOPBACK = "127.0.0.1"
_PORTS = range(10_240, 32_768)
"""Below those that Linux gives to outgoing connections, one of which could take the port before its owner listens."""
_TRIES = 100


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on now.

    Raises:
        ConfigError: none was found.
    """
    for port in random.sample(_PORTS, _TRIES):
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    raise ConfigError(f"no free port on {host} between {_PORTS.start} and {_PORTS.stop - 1}; is it this machine's?")


def choose_port(port: int, setting: str, host: str = LOOPBACK) -> int:
    """The port to listen on: the configured one, or a free one for 0.

    Raises:
        ConfigError: somebody listens on it; `setting` is the one to change.
    """
    if port == 0:
        return free_port(host)
    try:
        with socket.create_server((host, port)):
            return port
    except OSError as error:
        raise port_in_use(port, setting, host) from error


def port_in_use(port: int, setting: str, host: str = LOOPBACK) -> ConfigError:
    """The refusal: names the port and the fix."""
    return ConfigError(
        f"port {port} on {host} is in use; stop what listens there, or set {setting} to another port (0 for a free one)"
    )


def is_open(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether somebody answers there."""
    try:
        with socket.create_connection((host, port), timeout_s):
            return True
    except OSError:
        return False
