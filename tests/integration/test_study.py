"""Study a in miniature: the machinery from the command line to its files, stopped once on its way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_ALGORITHMS = {"base", "recap", "hg_dagger", "filtered_bc", "recap_random", "recap_no_critic"}
_DEADLINE_S = 240.0


def _command(out: Path) -> list[str]:
    return [sys.executable, "-m", "study", "a", "--miniature", "--seeds", "3", "--jobs", "2", "--out", str(out)]


def _cells(out: Path) -> list[dict[str, object]]:
    file = out / "a" / "cells.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_study_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    first = subprocess.Popen(_command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline_s = time.monotonic() + _DEADLINE_S
    while len(_cells(tmp_path)) < 4 and time.monotonic() < deadline_s and first.poll() is None:
        time.sleep(0.2)
    os.kill(first.pid, signal.SIGINT)
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "goes on from here" in said
    before = _cells(tmp_path)
    assert 4 <= len(before) < 15

    second = subprocess.run(_command(tmp_path), capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    after = _cells(tmp_path)
    assert after[: len(before)] == before
    assert len({cell["id"] for cell in after}) == len(after) == 15

    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert set(summary["plug_insertion"]) == _ALGORITHMS
    assert summary["plug_insertion"]["recap"]["num_episodes"] == 8
    assert "recap - hg_dagger" in (tmp_path / "a" / "results.md").read_text()
    assert not list((tmp_path / "a" / "artefacts").iterdir()), "episodes and weights that nobody needs any more"

    third = subprocess.run(_command(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert third.returncode == 0
    assert _cells(tmp_path) == after


def test_a_cell_that_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "study", "d", "--miniature", "--jobs", "2", "--out", str(tmp_path)]
    command += ["--changes", '{"recap": {"value": {"num_updates": 0}}}']
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    assert ran.returncode == 1
    assert "failed: plug_insertion 0.03 recap: " in ran.stdout
    assert "num_updates must be at least 2" in ran.stdout
    summary = json.loads((tmp_path / "d" / "summary.json").read_text())
    assert set(summary["plug_insertion"]) == {"base", "hg_dagger"}
