"""Which release orders this machine has followed, so that it never goes back to an older one."""

import json
import logging
from pathlib import Path

from infra.registry import PolicyVersion
from infra.weight_signing import Trust
from policy.errors import WeightsRejected

_LOG = logging.getLogger(__name__)
_FILE = "orders.json"


class OrderBook:
    """The newest order per role (champion, canary), kept over restarts; used by the weight-sync thread only."""

    def __init__(self, trust: Trust, directory: Path) -> None:
        """`directory` is this process's alone."""
        self._trust, self._file = trust, directory / _FILE
        self._newest_ns = self._read()

    def follow(self, version: PolicyVersion, role: str) -> None:
        """Accept a version in a role, and remember it.

        Raises:
            WeightsRejected: nobody who may has published or ordered it, or the order is older than one followed before.
        """
        self._trust.check_weights(version)  # before anything of it is downloaded: how much there is of it is signed too
        order = self._trust.order_of(version, role)
        newest_ns = self._newest_ns.get(role, 0)
        if order.time_ns < newest_ns:
            raise WeightsRejected(
                "its release order is older than the last one followed here",
                version=version.version,
                role=role,
                order_ns=order.time_ns,
                newest_ns=newest_ns,
            )
        if order.time_ns > newest_ns:
            self._newest_ns[role] = order.time_ns
            self._write()

    def _read(self) -> dict[str, int]:
        try:
            return {str(role): int(time_ns) for role, time_ns in json.loads(self._file.read_text()).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _LOG.error("the orders followed so far are lost", extra={"path": str(self._file), "cause": str(error)})
            return {}

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".tmp")
        draft.write_text(json.dumps(self._newest_ns))
        draft.replace(self._file)
