import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from infra import cli, config
from infra.sections import SECTIONS, refuse_unknown, section_class
from policy.errors import ConfigError

FOLDERS = ("actor", "corrections", "demo", "infra", "learner", "storage")
READS = re.compile(r'config\.(?:from_args|load|resolve)\(\s*"(\w+)", (\w+)')


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_section_is_a_frozen_documented_dataclass_with_defaults(section: str) -> None:
    cls = section_class(section)
    assert dataclasses.is_dataclass(cls)
    assert inspect.getdoc(cls)
    fields = [field.name for field in dataclasses.fields(cls)]
    assert set(config.field_docs(cls)) >= set(fields)
    assert config.load(section, cls, environ={}) == cls()


def test_every_section_that_code_reads_is_in_the_table() -> None:
    root = Path(cli.__file__).parents[1]
    sources = [file for folder in FOLDERS for file in (root / folder).rglob("*.py")]
    read = {match for file in sources for match in READS.findall(file.read_text())}
    assert {section: SECTIONS.get(section, "").partition(":")[2] for section, _ in read} == dict(read)


def test_a_section_nobody_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"\[kafak\] in touchline.toml; did you mean 'kafka'"):
        refuse_unknown({"kafak": {}}, {}, "touchline.toml")
    with pytest.raises(ConfigError, match=r"\[laek\] in TOUCHLINE_LAEK__URL"):
        refuse_unknown({}, {"TOUCHLINE_LAEK__URL": "x", "TOUCHLINE_HOME": "y"}, "none")


def test_config_prints_values_and_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "t.toml"
    file.write_text("[kafka]\nlinger_ms = 7\n")
    monkeypatch.setenv("TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS", "here:1")
    assert cli.main(["config", "kafka", "--docs", "--config", str(file), "--home", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert f"linger_ms = 7  # {file}" in text
    assert "bootstrap_servers = 'here:1'  # TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS" in text
    assert "buffer_bytes = 67108864  # default" in text
    assert "# How long a message waits for company." in text
