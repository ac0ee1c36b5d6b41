import importlib.util
import subprocess

import pytest

from benchmarks.__main__ import BENCHMARKS, main


def test_every_benchmark_is_listed_and_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = capsys.readouterr().out
    for name, benchmark in BENCHMARKS.items():
        assert name in listed
        assert importlib.util.find_spec(benchmark.command[0]) is not None


def test_one_takes_its_arguments_and_all_go_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def fail_first(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[2:])
        return subprocess.CompletedProcess(command, returncode=int(len(ran) == 2))

    monkeypatch.setattr(subprocess, "run", fail_first)
    assert main(["replay", "--steps", "1"]) == 0
    assert ran == [["benchmarks.replay", "--steps", "1"]]
    assert main(["all"]) == 1
    assert len(ran) == 1 + len(BENCHMARKS)


def test_all_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["all", "--seeds", "1"])
    assert "arguments are for one benchmark" in capsys.readouterr().err
