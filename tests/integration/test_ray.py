"""On a Ray cluster of two nodes: RLlib computes the numbers of the plain loop, and a study its cells, on both nodes."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.ports import free_port
from infra.processes import Launch, running
from policy.errors import TouchlineError

ROOT = Path(__file__).parents[2]
DEADLINE_S = 500.0
NUM_STARTS = 5
ANY_PORT = (
    "--node-manager-port=0",
    "--object-manager-port=0",
    "--min-worker-port=0",
    "--max-worker-port=0",
    "--dashboard-agent-listen-port=0",
    "--runtime-env-agent-port=0",
)
"""Ray's own are the same on each node, which would be each node's on a machine of its own."""

pytestmark = pytest.mark.timeout(NUM_STARTS * DEADLINE_S)


@pytest.fixture(scope="module")
def environ() -> Iterator[Mapping[str, str]]:
    """What every process of the cluster needs to know, its token among it."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # short: it goes into sockets' names
        # jsonschema, which Ray imports in each of its dozen processes, makes a grammar of this for 1.4 s if it can.
        (Path(folder) / "rfc3987_syntax.py").write_text("raise ImportError\n")
        yield {
            "PYTHONPATH": f"{folder}:{ROOT}",
            "OMP_NUM_THREADS": "1",
            "RAY_TMPDIR": folder,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }


@contextlib.contextmanager
def node(name: str, environ: Mapping[str, str], log_dir: Path, *arguments: str) -> Iterator[None]:
    """A node of one core, started as by hand."""
    log = log_dir / f"{name}.log"
    launch = Launch(
        name=name,
        command=(
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *arguments, *ANY_PORT),
            *("--num-cpus=1", "--object-store-memory=100000000", "--include-log-monitor=false"),
        ),
        environ=environ,
        is_ready=lambda: "Ray runtime started" in log.read_text(),
        ready_within_s=DEADLINE_S,
    )
    with running(launch, log_dir):
        yield


@pytest.fixture(scope="module")
def address(environ: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the head of two nodes, each on a loopback address of its own."""
    with contextlib.ExitStack() as stack:
        for start in range(NUM_STARTS):
            port, log_dir = free_port("127.0.0.2"), tmp_path_factory.mktemp("nodes")
            try:
                # Ray gives a node 30 s to start, whatever else the machine does.
                head = ("--head", "--node-ip-address=127.0.0.2", f"--port={port}", "--include-dashboard=false")
                stack.enter_context(node("head", environ, log_dir, *head))
                other = ("--node-ip-address=127.0.0.3", f"--address=127.0.0.2:{port}")
                stack.enter_context(node("other", environ, log_dir, *other))
                break
            except TouchlineError:
                stack.close()
                if start + 1 == NUM_STARTS:
                    raise
        yield f"127.0.0.2:{port}"


@pytest.fixture(scope="module")
def results(address: str, environ: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ray_rig", str(tmp_path_factory.mktemp("ray")), address],
        cwd=ROOT,
        env={**os.environ, **environ},
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
    assert process.returncode == 0, err[-4000:]
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


@pytest.mark.parametrize("num_learners", ["0", "2"])
def test_a_round_that_rllib_takes_up_and_gives_back_is_the_plain_loops(
    results: dict[str, Any], num_learners: str
) -> None:
    both = results["learners"][num_learners]
    assert both["rllib"] == pytest.approx(both["plain"], rel=1e-5)
    assert both["weight_distance"] > 1e-4
    assert both["weight_gap"] < 1e-5


def test_a_learner_that_dies_is_said(results: dict[str, Any]) -> None:
    assert "an RLlib learner" in results["learners"]["2"]["said_of_a_death"]


def test_a_whole_learner_publishes_what_it_publishes_by_itself(results: dict[str, Any]) -> None:
    loops = results["loops"]
    assert [len(losses) for losses in loops["plain"]] == [2, 3]
    for rllib, plain in zip(loops["rllib"], loops["plain"], strict=True):
        assert rllib == pytest.approx(plain, rel=1e-5)


def test_each_learner_is_on_a_node_of_its_own_with_a_replay_ring_of_its_own(results: dict[str, Any]) -> None:
    nodes = results["learners"]["2"]["nodes"]
    assert set(nodes) == {"learner-0", "learner-1"}
    assert len(set(nodes.values())) == 2


def test_processes_of_a_study_run_on_both_nodes_at_once(results: dict[str, Any]) -> None:
    assert results["jobs"] == [0, 0]


def test_a_cell_of_a_study_finds_there_what_it_finds_here(results: dict[str, Any]) -> None:
    here, there = ({**found, "wall_s": 0} for found in results["cells"])
    assert here["num_episodes"] > 0
    assert there == here


def test_a_study_says_why_a_cluster_does_not_compute_for_it(
    address: str, environ: Mapping[str, str], tmp_path: Path
) -> None:
    refusals = {
        "no Ray cluster lets us in": (address, {"RAY_AUTH_TOKEN": "0" * 64, "RAY_NUM_REDIS_GET_RETRIES": "1"}),
        "no Ray cluster there": (f"127.0.0.2:{free_port('127.0.0.2')}", {}),
        "needs RAY_USE_TLS=1": ("192.0.2.1:6379", {}),
    }
    asked = {
        reason: subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "study", "c", "--ray", where, "--out", str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, **environ, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for reason, (where, changes) in refusals.items()
    }
    for reason, process in asked.items():
        _, said = process.communicate(timeout=DEADLINE_S)
        assert process.returncode != 0
        assert reason in said
