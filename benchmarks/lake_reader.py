"""A replay that follows a lake, in a process of its own, so that its memory and its time are its own.

    python -m benchmarks.lake_reader LAKE FOLDER SPEC CAPACITY     one line of JSON for each line on standard input

Used by `large_lake` and `hundred_robots`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.processes import usage
from policy.spec import EmbodimentSpec
from storage.replay import Replay
from storage.tables import Lake

_HORIZON = 8
_BATCH = 256


class LakeReader:
    """Our end of it; a context manager."""

    def __init__(self, lake: str, spec: EmbodimentSpec, capacity: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        command = [
            sys.executable,
            "-m",
            "benchmarks.lake_reader",
            lake,
            self._folder.name,
            spec.to_json(),
            str(capacity),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def refresh(self) -> dict[str, Any]:
        """Let it read what came, and draw a batch; what it says: num_steps, refresh_s, anonymous_bytes."""
        self._stdin.write("\n")
        self._stdin.flush()
        said: dict[str, Any] = json.loads(self._stdout.readline())
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._process.wait()
        self._stdout.close()
        self._folder.cleanup()


def answers(replay: Replay) -> Iterator[dict[str, Any]]:
    """One for each line that comes in."""
    rng, pid = np.random.default_rng(0), os.getpid()
    for _ in sys.stdin:
        started_s = time.monotonic()
        replay.refresh()
        view = replay.view()
        refresh_s = time.monotonic() - started_s
        if view.num_steps:
            view.gather(view.draw(rng, _BATCH), _HORIZON)
        yield {
            "num_steps": view.num_steps,
            "refresh_s": refresh_s,
            "anonymous_bytes": usage(pid).anonymous_bytes,
        }


def main() -> int:
    """Follow until standard input ends."""
    lake, folder, spec, capacity = sys.argv[1:]
    replay = Replay(Lake(lake), Path(folder), EmbodimentSpec.from_json(spec), int(capacity))
    for answer in answers(replay):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    replay.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
