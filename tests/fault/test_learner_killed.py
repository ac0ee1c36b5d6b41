"""A learner that is killed at any moment goes on, in a new process, to the losses of one that was not."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from infra.memory_registry import MemoryRegistry
from learner import train_state
from learner.mix import MixConfig
from tests.learner_rig import UPDATE, toy_learner

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120.0


def start(directory: Path) -> subprocess.Popen[bytes]:
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen([sys.executable, "-m", "tests.learner_rig", str(directory)], cwd=ROOT, env=environment)


def states(directory: Path) -> set[str]:
    return {path.name for path in directory.glob("state-*")}


def kill_after_progress(directory: Path) -> None:
    before, deadline = states(directory), time.monotonic() + DEADLINE_S
    process = start(directory)
    while not states(directory) - before:
        assert process.poll() in (None, 0)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait(DEADLINE_S)


def test_killed_then_resumed_gives_the_same_losses(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    toy_learner(whole, MemoryRegistry(tmp_path / "registry")).run()
    kill_after_progress(killed)
    process = start(killed)
    assert process.wait(DEADLINE_S) == 0
    expected, found = (
        train_state.load_latest(directory, update_config=UPDATE, mix_config=MixConfig(), device=torch.device("cpu"))
        for directory in (whole, killed)
    )
    assert expected is not None
    assert found is not None
    assert found.round == expected.round == 1
    assert found.losses == expected.losses
    assert all(torch.equal(found.ema[name], value) for name, value in expected.ema.items())
