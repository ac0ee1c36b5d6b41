"""The benchmarks run at their small sizes, and what they say follows from what they measured."""

import dataclasses
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from actor.inference import Inference
from benchmarks import __main__ as benchmarks_main
from benchmarks import control_tick, figures, hundred_robots, ingest, large_lake, replay, results, sizes, soak
from benchmarks.__main__ import BENCHMARKS, main, measure, run_all
from benchmarks.figures import Figure
from benchmarks.lake_data import SPEC, distinct, episode, pictures
from benchmarks.processes import Slope, folder_bytes, usage
from infra.metrics import Metrics
from storage.frames import decode_frame

MACHINE = results.Machine(processor="abacus", num_cores=1, memory_gib=1, python="3", commit="c0ffee", day="2026-01-01")


def test_every_benchmark_is_listed_and_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = capsys.readouterr().out
    for name, benchmark in BENCHMARKS.items():
        assert name in listed
        assert importlib.util.find_spec(benchmark.command[0]) is not None


def test_one_takes_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def remember(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[2:])
        return subprocess.CompletedProcess(command, returncode=0)

    monkeypatch.setattr(subprocess, "run", remember)
    assert main(["replay", "--steps", "1"]) == 0
    assert ran == [["benchmarks.replay", "--steps", "1"]]


def test_all_small_sizes_go_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def fail_first(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[2:])
        return subprocess.CompletedProcess(command, returncode=int(len(ran) == 1))

    monkeypatch.setattr(subprocess, "run", fail_first)
    assert main(["all", "--quick"]) == 1
    small = [benchmark for benchmark in BENCHMARKS.values() if benchmark.quick]
    assert ran == [[*benchmark.command, *benchmark.quick.split()] for benchmark in small]


def test_all_takes_no_arguments_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["all", "--seeds", "1"])
    assert "arguments are for one benchmark" in capsys.readouterr().err


@pytest.mark.parametrize("run", [ingest.main, replay.main, large_lake.main], ids=["ingest", "replay", "large_lake"])
def test_the_lake_s_run_at_their_small_size(
    run: Callable[[Sequence[str]], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setenv(figures.FILE_VARIABLE, str(file))
    assert run(["--quick"]) == 0
    found = figures.read(file)
    assert len(found) >= 5
    assert all(np.isfinite(figure.value) and figure.value > 0 for figure in found)


def test_a_command_hands_over_what_it_measured() -> None:
    result = measure("learner_step", BENCHMARKS["learner_step"].quick.split())
    assert result.exit_code == 0
    assert [figure for figure in result.figures if figure.is_met is not None]
    assert result.figures[0].what in result.output


def test_a_robot_ticks_with_recording_and_without() -> None:
    recorded: list[object] = []
    inference = Inference(Metrics())
    turn = control_tick.run_turn(inference, lambda topic, record, frames: recorded.append(record), 2.0)
    inference.close()
    assert len(turn.tick_ms) == len(turn.due_ms) > 0
    assert (turn.due_ms >= turn.tick_ms - 1e-6).all()
    assert len(recorded) > len(turn.tick_ms)
    rows = control_tick.figures_of({name: [turn] for name in control_tick.WAYS})
    assert rows[-1].value == turn.num_missed
    assert next(row for row in rows if row.what == "tick, p99, added").value == 0.0


def test_who_is_late_by_more_than_a_tick_does_not_catch_up() -> None:
    assert control_tick.dues_s([0.0, 1.1, 2.0, 5.0, 6.2], period_s=1.0) == [0.0, 1.0, 2.0, 5.0, 6.0]


def test_a_goal_is_met_or_missed_for_a_reason() -> None:
    ratio = Figure.of("ratio", [0.5, 0.7, 0.6], at_least=0.6, bounded_by="the clock")
    assert (ratio.value, ratio.verdict, ratio.measured) == (0.6, "met", "0.6 [0.55, 0.65]")
    slow = Figure(what="wait", value=1.5, unit="s", at_most=1.0, bounded_by="the clock")
    assert (slow.verdict, slow.goal, slow.measured) == ("missed: the clock", "<= 1", "1.5 s")
    assert Figure(what="size", value=3).is_met is None
    assert Figure(what="unknown", value=float("nan"), at_most=1.0).is_met is False
    assert Figure(what="none", value=0, at_most=0).is_met is True


def test_ways_take_turns_and_change_places() -> None:
    order: list[str] = []

    def way(name: str) -> Callable[[], float]:
        def turn() -> float:
            order.append(name)
            return len(order)

        return turn

    found = figures.take_turns({"a": way("a"), "b": way("b")}, num_turns=2)
    assert order == ["a", "b", "b", "a"]
    assert found == {"a": [1.0, 4.0], "b": [2.0, 3.0]}
    assert figures.ratios(found["a"], found["b"]) == [0.5, 4 / 3]


def _result(name: str, *, machine: results.Machine = MACHINE, exit_code: int = 0) -> results.Result:
    return results.Result(
        name=name,
        command=f"python -m benchmarks {name}",
        machine=machine,
        duration_s=3.0,
        load_before=0.5,
        exit_code=exit_code,
        figures=[Figure(what="wait", value=2.0, unit="s", spread=(1.5, 2.5), at_most=1.0, bounded_by="the clock")],
        output="it waited\n",
    )


def test_the_table_says_what_was_met_and_keeps_what_was_printed(tmp_path: Path) -> None:
    result = _result("wait", exit_code=1)
    results.write(tmp_path, [result])
    page = (tmp_path / "results.md").read_text()
    wait = "| wait | 2 [1.5, 2.5] s | - | <= 1 | missed: the clock | `python -m benchmarks wait` | c0ffee |"
    assert wait in page.splitlines()
    assert "abacus, 1 cores" in page
    assert "failed with exit code 1" in page
    assert "it waited" in page
    assert json.loads((tmp_path / "results.json").read_text())[0]["figures"][0]["is_met"] is False
    assert results.read(tmp_path) == {"wait": result}


def test_all_goes_on_where_it_was_stopped_and_measures_anew_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def measured(name: str) -> results.Result:
        ran.append(name)
        return _result(name, machine=results.Machine.here())

    monkeypatch.setattr(benchmarks_main, "measure", measured)
    monkeypatch.setattr(results.Machine, "here", lambda: MACHINE)
    everything = [name for name, benchmark in BENCHMARKS.items() if benchmark.is_in_all]
    older = dataclasses.replace(MACHINE, commit="01d")
    stored = [_result(everything[0]), _result(everything[1], exit_code=1), _result(everything[2], machine=older)]
    results.write(tmp_path, stored)
    assert run_all(tmp_path, []) == 0
    assert ran == everything[1:]
    assert list(results.read(tmp_path)) == everything
    ran.clear()
    assert run_all(tmp_path, [everything[3], everything[0]]) == 0
    assert ran == [everything[3], everything[0]]
    assert list(results.read(tmp_path)) == everything


@pytest.mark.parametrize(("arguments", "goes_on"), [([], True), (["ingest"], False)])
def test_who_interrupts_is_told_whether_it_goes_on(
    arguments: list[str], goes_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> results.Result:
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmarks_main, "measure", interrupted)
    assert main(["all", *arguments]) == 130
    assert ("goes on from here" in capsys.readouterr().out) is goes_on


def test_what_grows_is_told_from_what_swings() -> None:
    hours = np.linspace(0, 1, 200)
    noise = np.random.default_rng(0).normal(size=200)
    assert Slope.of(hours, 100 + noise).low < 0 < Slope.of(hours, 100 + noise).high
    leak = Slope.of(hours, 100 + 30 * hours + noise)
    assert leak.low > 25
    assert leak.high < 35


def test_the_soak_s_report_names_what_leaks() -> None:
    samples = [
        soak.Sample(
            time_s=60.0 * minute,
            columns={
                "ingest": {
                    "memory_mb": 100.0 + minute,
                    "handles": 30.0 + minute % 2,
                    "threads": 20.0 + 10 * (minute > 20) + 10 * (minute > 40),  # a pool that twice had more to do
                    "cpu_s": 6.0 * minute + minute**2 / 20,
                },
                "console": {"memory_mb": 200.0 + minute / 60},
                "fleet": {"steps": 600.0 * minute},
            },
        )
        for minute in range(61)
    ]
    trends = soak.trends_of(samples)
    assert {(t.process, t.column) for t in trends if t.is_growing} == {
        ("ingest", "memory_mb"), ("ingest", "busy_percent")
    }  # fmt: skip
    assert soak.steps_per_s(samples) == pytest.approx(10)
    page = soak.page("here", trends)
    assert "| ingest | memory_mb | 133.5 | +60.0 [+60.0, +60.0] | grows |" in page
    assert "| console | memory_mb | 200.6 | +1.0 [+1.0, +1.0] | keeps 1 |" in page  # 40 bytes of 36,000 steps


def test_a_robot_s_share_is_the_slope_over_robots() -> None:
    found = {1: {"ingest": (0.1, 200.0)}, 4: {"ingest": (0.4, 260.0)}, 8: {"ingest": (0.8, 340.0)}}
    assert sizes.slope(found, "ingest", 0) == pytest.approx(0.1)
    assert sizes.slope(found, "ingest", 1) == pytest.approx(20.0)
    assert "ingest" in sizes.table(found)
    assert sizes.figures_of(found, {8: 100.0})[0].is_met is False


def test_distinct_steps_have_the_same_pictures_in_bytes_of_their_own() -> None:
    frames = pictures(1)
    steps, _ = episode(0, 2, frames)
    found = [frame for step in distinct(steps) for frame in step.frames[:1]]
    assert len({*found, *frames}) == 3
    first, second, same = (decode_frame(frame, SPEC.cameras[0]) for frame in (*found, *frames))
    assert np.array_equal(first, same)
    assert np.array_equal(second, same)


def test_the_dearest_process_of_one_core_is_full_first() -> None:
    def phase(steps_per_s: float) -> hundred_robots.Phase:
        cost_us = {"broker": 200, "ingest": 100, "replay": 50}
        return hundred_robots.Phase(
            steps_per_s=steps_per_s,
            cores={name: 0.1 + steps_per_s * us / 1e6 for name, us in cost_us.items()},
            lags=[(float(second), 1_000.0 + 10 * (second % 3)) for second in range(30)],
            late_s=0.0,
        )

    run = hundred_robots.Run(few=phase(500.0), many=phase(2_000.0), sent_bytes=2_000.0, stored_bytes=1_500.0)
    rows = hundred_robots.figures_of(run, 100)
    assert (rows[-1].what, round(rows[-1].value)) == ("one core of ingest is full first, at", 450)
    assert all(row.is_met is not False for row in rows)
    assert "20.10 cores" in hundred_robots.table(run)


def test_a_process_says_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    assert folder_bytes(tmp_path) == 4
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        used = usage(process.pid)
        process.kill()
    assert used.pss_bytes >= used.anonymous_bytes > 0
    assert used.num_handles > 0
