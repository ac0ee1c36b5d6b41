"""What a fleet is told before it starts."""

from pathlib import Path

import pytest

from infra import config
from infra.bus import KafkaConfig
from infra.fleet import load_doors


def test_the_file_of_the_command_line_is_told_to_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.toml").write_text('[kafka]\ntopic_prefix = "mine-"\n')
    doors = load_doors(Path("fleet.toml"))
    assert doors.kafka.topic_prefix == "mine-"
    monkeypatch.chdir("/")
    assert config.load("kafka", KafkaConfig, environ=doors.environ).topic_prefix == "mine-"
    assert load_doors().environ == {}
