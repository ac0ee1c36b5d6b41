"""Ports that are free, and stay so until their owner listens."""

import socket
from pathlib import Path

import pytest

from infra.ports import free_port
from policy.errors import ConfigError


def test_a_free_port_is_none_that_an_outgoing_connection_may_take() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(20):
        port = free_port()
        assert port < lowest
        socket.create_server(("127.0.0.1", port)).close()


def test_an_address_of_another_machine_has_none() -> None:
    with pytest.raises(ConfigError, match=r"no free port on 192\.0\.2\.1"):
        free_port("192.0.2.1")
