"""What a process says of how it is set."""

import argparse
import json
import logging
from pathlib import Path

import pytest

from actor import own_settings
from console.configurations import differences, standing_of
from corrections.inspection import MAX_LINE_CHARS, MAX_LOG_BYTES, About, Inspect
from corrections.protocol import RobotInfo
from infra import logs
from infra.sections import SECTIONS


def resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: str) -> own_settings.Settings:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(f"TOUCHLINE_{name}", value)
    return own_settings.resolved(argparse.Namespace(home=tmp_path))


def test_the_hash_changes_with_a_setting_and_not_with_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = resolved(monkeypatch, tmp_path)
    same = resolved(monkeypatch, tmp_path, ACTOR__NAME="actor-7", SERVICE__METRICS_PORT="9100")
    other = resolved(monkeypatch, tmp_path, CHUNKS__NUM_EXECUTED="3")
    assert own_settings.hash_of(usual) == own_settings.hash_of(same) != own_settings.hash_of(other)
    assert differences(other, usual) == [{"section": "chunks", "field": "num_executed", "value": 3, "other": 4}]
    assert usual.keys() <= SECTIONS.keys()
    assert len(json.dumps(usual)) < 16_000, "it must fit into one message"


def test_secrets_are_never_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = resolved(monkeypatch, tmp_path, MLFLOW__TRACKING_URL="http://ann:hunter2@mlflow:5000/x")
    assert settings["mlflow"]["tracking_url"] == "http://(secret)@mlflow:5000/x"


def test_the_settings_of_the_start_before_are_kept(tmp_path: Path) -> None:
    file = tmp_path / own_settings.SETTINGS_FILE
    assert own_settings.keep(file, {"actor": {"seed": 1}}) == {}
    assert own_settings.keep(file, {"actor": {"seed": 2}}) == {"actor": {"seed": 1}}
    file.write_text("{half a fi")
    assert own_settings.keep(file, {"actor": {"seed": 3}}) == {}


def robots(*hashes: str, spec: str = "arm") -> dict[str, RobotInfo]:
    return {
        f"{spec}{n}": RobotInfo(robot_id=f"{spec}{n}", spec=spec, is_simulated=True, config_hash=text)
        for n, text in enumerate(hashes)
    }


def test_a_majority_is_more_than_half_of_a_kind() -> None:
    tied = robots("a", "a", "b", "b")
    assert standing_of("arm0", tied).words == "2 different settings among 4 of its kind"
    assert not any(standing_of(name, tied).is_odd for name in tied)
    mixed = {**robots("a", "a", "b"), **robots("b", spec="leg"), **robots("", spec="old")}
    assert [name for name in mixed if standing_of(name, mixed).is_odd] == ["arm2"]
    assert standing_of("arm2", mixed).like == "arm0"
    assert standing_of("leg0", mixed).words == "the only one of its kind"
    assert standing_of("old0", mixed).words == "not reported"


def test_a_tail_keeps_the_newest_lines_and_their_numbers() -> None:
    tail = logs.Tail("actor", num_lines=3)
    for number in range(5):
        tail.handle(logging.makeLogRecord({"msg": f"line {number}", "levelname": "INFO"}))

    def after(line: int) -> tuple[int, list[str]]:
        first, lines = tail.after(line)
        return first, [json.loads(text)["message"] for text in lines]

    assert after(-1) == (2, ["line 2", "line 3", "line 4"])
    assert after(3) == (4, ["line 4"])
    assert after(4) == (5, [])
    assert after(99) == (2, ["line 2", "line 3", "line 4"]), "the number of a process before"


def test_an_answer_holds_the_newest_lines_that_fit() -> None:
    lines = tuple(f"{n:05d}" + "x" * 2 * MAX_LINE_CHARS for n in range(100))
    about = About(settings="{}", lines=lambda after: (7, lines))
    answer = about.answer(Inspect(robot_id="r", ticket=5, asked_by=9))
    assert (answer.ticket, answer.asked_by, answer.settings) == (5, 9, "{}")
    assert sum(map(len, answer.lines)) <= MAX_LOG_BYTES
    assert answer.lines[-1].startswith("00099")
    assert answer.first_line == 7 + 100 - len(answer.lines)
    assert about.answer(Inspect(robot_id="r", ticket=5, wants_lines=False)).lines == ()
