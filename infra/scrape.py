"""What a process of this machine says of itself at /metrics, to whoever knows the secret of its home.

Prometheus does the same with `authorization: {credentials_file: HOME/metrics.token}`.
"""

import http.client
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from infra import whole_file
from infra.ports import LOOPBACK

_MAX_BYTES = 8 << 20


def secret(home: Path) -> str:
    """What the processes of a home ask for; made by the first of them."""
    return whole_file.shared_secret(home / "metrics.token")


def metrics(port: int, home: Path, *, timeout_s: float) -> Sequence[Metric]:
    """What the process that serves a port of this machine has counted.

    Args:
        port: as in `fleet.json`.
        home: of the fleet that it belongs to.
        timeout_s: longest wait for each part of its answer.

    Raises:
        OSError: nobody answers, it is not of this home, or the answer cannot be read.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {secret(home)}"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise ConnectionRefusedError(f"/metrics of port {port} answers {answer.status} {answer.reason}")
        return list(text_string_to_metric_families(answer.read(_MAX_BYTES).decode()))
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionError(f"/metrics of port {port} cannot be read: {error}") from error
    finally:
        connection.close()
