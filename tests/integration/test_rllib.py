"""The update inside RLlib computes the numbers of the plain loop: with 0, 1 and 2 learners."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 240.0


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("rllib")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "RAY_raylet_start_wait_time_s": "200",
        # A busy machine must not fail the test: Ray gives its own agents 15 s to start.
        "RAY_agent_register_timeout_ms": "200000",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.rllib_rig", str(directory)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("num_learners", ["0", "1", "2"])
def test_losses_and_weights_are_those_of_the_plain_loop(comparison: dict[str, Any], num_learners: str) -> None:
    both = comparison[num_learners]
    assert both["rllib"] == pytest.approx(both["plain"], rel=1e-5)
    assert both["weight_distance"] > 1e-4
    assert both["weight_gap"] < 1e-5
