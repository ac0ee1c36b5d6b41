"""The update inside RLlib computes the numbers of the plain loop: with 0, 1 and 2 learners."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 500.0
NUM_STARTS = 3


def run_rig(directory: Path) -> tuple[int, str, str]:
    """Exit code, output and errors; whatever Ray leaves behind goes with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rllib_rig", str(directory)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    for _ in range(NUM_STARTS):
        code, out, err = run_rig(tmp_path_factory.mktemp("rllib"))
        # Ray gives its own agents 15 s to start, whatever else the machine does.
        if "timed out during startup" not in err:
            break
    assert code == 0, err[-4000:]
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


@pytest.mark.timeout(NUM_STARTS * DEADLINE_S)
@pytest.mark.parametrize("num_learners", ["0", "1", "2"])
def test_losses_and_weights_are_those_of_the_plain_loop(comparison: dict[str, Any], num_learners: str) -> None:
    both = comparison[num_learners]
    assert both["rllib"] == pytest.approx(both["plain"], rel=1e-5)
    assert both["weight_distance"] > 1e-4
    assert both["weight_gap"] < 1e-5
