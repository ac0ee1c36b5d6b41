"""The console's port, and uvicorn on it with the settings that sockets need."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from console.config import ConsoleConfig
from console.sockets.door import MAX_FRAME_BYTES
from infra.ports import port_in_use

_PEER_GONE_MS = 10_000
"""A browser that neither reads nor answers is forgotten by the kernel after this long."""
_DRAIN_S = 2


class Server(uvicorn.Server):
    """Leaves signals to `infra.service`; stop it with `should_exit`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def open_port(config: ConsoleConfig) -> socket.socket:
    """Listen.

    Raises:
        ConfigError: the port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        listener = socket.create_server((config.host, config.port), family=family, backlog=256)
    except OSError as error:
        raise port_in_use(config.port, "console.port (--port)", config.host) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # Accepted sockets inherit it. Without it, one that never reads again would be kept until it does.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PEER_GONE_MS)
    return listener


def server(app: ASGIApp, config: ConsoleConfig) -> Server:
    """A server for `serve(sockets=[open_port(config)])`."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=2,
            ws_ping_timeout=5,
            ws_per_message_deflate=False,  # it costs 30-45 ms beside pictures
            access_log=False,
            log_config=None,
            log_level="warning",
            proxy_headers=False,  # the address that sign-ins are counted by is the peer's own
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_S,
            ssl_certfile=config.tls_cert or None,
            ssl_keyfile=config.tls_key or None,
        )
    )


def address(config: ConsoleConfig, port: int) -> str:
    """What a person types, such as http://127.0.0.1:8780."""
    if config.origins:
        return config.origins[0]
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::") else config.host
    return f"{config.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
