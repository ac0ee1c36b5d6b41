"""The door to a Ray cluster, for several learners and for studies.

A cluster is one trust domain: whoever is let in may run anything on each of its nodes, which talk in pickles. So one
that is not all on loopback addresses has to speak TLS, as every door of ours (`docs/security.md`).
"""

import logging
import os
import signal
import threading
from collections.abc import Iterable
from typing import Any

import ray
from ray.exceptions import AuthenticationError

from infra.ports import is_loopback, is_open
from policy.errors import ConfigError

AUTO = "auto"


def connect(address: str) -> int:
    """Join a cluster until this process ends; returns how many cores it has.

    Args:
        address: host:port of its head; "auto" for the cluster that a node on this machine belongs to.

    Raises:
        ConfigError: none is there or lets us in, or it speaks plain beyond loopback.
    """
    if address != AUTO:
        _check_head(address)
    on_stop = signal.getsignal(signal.SIGTERM)  # Ray puts one of its own in its place that ends the process at once
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, AuthenticationError) as error:
        raise ConfigError(
            "no Ray cluster lets us in; is one up (`ray start --head`), and is RAY_AUTH_TOKEN its own?", address=address
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_stop)
    nodes: list[dict[str, Any]] = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    _check_plain(node["NodeManagerAddress"] for node in nodes)
    return sum(int(node["Resources"].get("CPU", 0)) for node in nodes)


def _check_head(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"a Ray cluster's address is host:port, or {AUTO}", got=address)
    _check_plain([host])
    if not is_open(host, int(port)):
        raise ConfigError("no Ray cluster there; `ray start --head` starts one", address=address)


def _check_plain(hosts: Iterable[str]) -> None:
    strangers = [host for host in hosts if not is_loopback(host)]
    if strangers and os.environ.get("RAY_USE_TLS", "0") not in ("1", "true"):
        raise ConfigError(
            "a Ray cluster needs RAY_USE_TLS=1, or only nodes with --node-ip-address 127.0.0.2 or the like",
            host=strangers[0],
        )
