"""Ports on this machine: find a free one, refuse a taken one in words, and know which addresses are this machine's."""

import ipaddress
import socket

from policy.errors import ConfigError

LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on now."""
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


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
