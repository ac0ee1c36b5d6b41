"""A small fleet in which five things break, one after the other, keeps every promise: `touchline chaos`, short."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from infra.topics import EPISODES, STEPS
from tests.loop_rig import HURRIED

pytestmark = pytest.mark.timeout(900)

SEED = 11102
"""Kills ingest, cuts the robots' line, kills the gateway, a robot process and Kafka."""
KINDS = {"kill ingest", "cut robot-line", "kill gateway", "kill actor", "kill kafka"}
FLAGS = {
    "--seed": SEED,
    "--robots": 4,
    "--faults": len(KINDS),
    "--minutes": 12,  # an idle machine needs one
    "--recover-s": 300,
    "--freeze-s": 3,
    "--pause-s": 1,
    "--promotions": 0,
}
SMALL = {
    "TOUCHLINE_FLEET__DEMONSTRATIONS": "6",
    "TOUCHLINE_FLEET__NUM_EVALUATORS": "0",
    "TOUCHLINE_FLEET__HAS_CRITIC": "false",
    "TOUCHLINE_FLEET__HAS_CONSOLE": "false",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    out = tmp_path_factory.mktemp("chaos")
    flags = [word for flag in FLAGS.items() for word in map(str, flag)]
    command = [sys.executable, "-m", "infra.cli", "chaos", *flags, "--out", str(out)]
    done = subprocess.run(
        command, env={**os.environ, **HURRIED, **SMALL}, capture_output=True, text=True, timeout=850, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "report.md").read_text().startswith(f"# Chaos, seed {SEED}")
    content: dict[str, Any] = json.loads((out / "report.json").read_text())
    return content


def test_everything_that_was_to_break_did_and_came_back(report: Mapping[str, Any]) -> None:
    assert set(report["recovery"]) == KINDS
    assert all(fault["recovery_s"] is not None for fault in report["faults"])


def test_nothing_is_lost_and_nothing_doubled(report: Mapping[str, Any]) -> None:
    for topic in (STEPS.name, EPISODES.name):
        found = report["journals"][topic]
        assert found["delivered"] > 0
        assert (found["num_lost"], found["num_doubled"], found["num_dropped"]) == (0, 0, 0)


def test_nothing_moved_after_a_lost_link(report: Mapping[str, Any]) -> None:
    motion = report["motion"]
    assert motion["num_corrected"] > 0
    assert motion["num_held"] > 0
    assert not motion["moved_while_held"] + motion["moved_by_old_command"] + motion["moved_while_parted"]


def test_every_promise_held(report: Mapping[str, Any]) -> None:
    assert report["promises_held"]
    assert all(report["promises"].values())
