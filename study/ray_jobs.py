"""Cells on the nodes of a Ray cluster: the same processes as here, wherever a core is free.

Every node needs this installation, and the study's folder under the same path. A cell whose node dies is computed
again on another one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from study.runner import start_here

_STOP_S = 30.0


class RayJob:
    """A process on some node, with as much of `subprocess.Popen` as the runner asks of it."""

    def __init__(self, arguments: Sequence[str], text: str, log: Path) -> None:
        """As `study.runner.start_here`; after `learner.ray_cluster.connect`."""
        self.returncode: int | None = None
        self._log = log
        self._result: Any = _run.remote(list(arguments), text, str(log))

    def poll(self) -> int | None:
        """The exit code; None while it runs, or waits for a core."""
        return self._ended(0.0)

    def terminate(self) -> None:
        """Stop it; `wait` says when it has."""
        ray.cancel(self._result, force=True)  # ends the worker, and Ray its children

    def wait(self) -> int:
        """The exit code; 1 for one that was stopped."""
        code = self._ended(_STOP_S)
        return 1 if code is None else code

    def _ended(self, timeout_s: float) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = ray.get(self._result, timeout=timeout_s)
            except GetTimeoutError:
                return None
            except RayError as error:
                self._log.write_text(f"Ray: {error}")
                self.returncode = 1
        return self.returncode


@ray.remote(num_cpus=1)
def _run(arguments: list[str], text: str, log: str) -> int:
    return start_here(arguments, text, Path(log)).wait()
