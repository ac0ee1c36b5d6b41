import argparse
import dataclasses
from pathlib import Path
from typing import Literal

import pytest

from infra import config
from infra.home import Home
from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotorConfig:
    """For these tests."""

    speed_hz: float = 1.0
    """How fast it turns,
    in turns per second; 100 % is full."""
    num_poles: int = 2
    """Magnets."""
    is_brushed: bool = False
    """Old or new."""
    names: tuple[str, ...] = ("a",)
    """Who they are."""
    mode: Literal["soft", "hard"] = "soft"
    """How it starts."""
    log: Path | None = None
    """Where it writes."""
    token: str = dataclasses.field(default="", repr=False)
    """Secret."""


def load(**kwargs: object) -> MotorConfig:
    return config.load("motor", MotorConfig, **{"environ": {}, **kwargs})  # type: ignore[arg-type]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    file = tmp_path / "touchline.toml"
    file.write_text('[motor]\nspeed_hz = 2\nnum_poles = 4\nnames = ["x", "y"]\n')
    return file


def test_defaults() -> None:
    assert load() == MotorConfig()


def test_file_then_environment_then_flags_win(toml: Path) -> None:
    environ = {"TOUCHLINE_MOTOR__NUM_POLES": "6", "TOUCHLINE_MOTOR__SPEED_HZ": "3.5", "OTHER": "1"}
    resolved = config.resolve("motor", MotorConfig, file=toml, environ=environ, flags={"speed_hz": "9"})
    assert resolved.value == MotorConfig(speed_hz=9.0, num_poles=6, names=("x", "y"))
    assert resolved.sources["speed_hz"] == "--speed-hz"
    assert resolved.sources["num_poles"] == "TOUCHLINE_MOTOR__NUM_POLES"
    assert resolved.sources["names"] == str(toml)
    assert resolved.sources["mode"] == "default"


def test_a_running_fleet_stands_between_defaults_and_file(tmp_path: Path, toml: Path) -> None:
    home = Home(tmp_path / "home")
    home.write_fleet({"settings": {"motor": {"num_poles": 10, "mode": "hard", "of_an_older_fleet": 1}}})
    loaded = load(home=home, file=toml)
    assert (loaded.num_poles, loaded.mode) == (4, "hard")


def test_the_file_may_be_named_by_the_environment(toml: Path) -> None:
    assert load(environ={"TOUCHLINE_CONFIG": str(toml)}).num_poles == 4


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("is_brushed", "yes", True),
        ("names", "p, q", ("p", "q")),
        ("mode", "hard", "hard"),
        ("log", "a/b", Path("a/b")),
        ("log", "none", None),
        ("num_poles", "1_000", 1000),
        ("speed_hz", "1e3", 1000.0),
    ],
)
def test_text_becomes_the_field_type(field: str, text: str, value: object) -> None:
    assert getattr(load(flags={field: text}), field) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [("is_brushed", "maybe"), ("num_poles", "2.5"), ("mode", "mild"), ("speed_hz", "fast")],
)
def test_a_value_that_does_not_fit_names_key_and_source(field: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"motor\.{field} must be .* not '{text}' \(from TOUCHLINE_MOTOR__"):
        load(environ={f"TOUCHLINE_MOTOR__{field.upper()}": text})


@pytest.mark.parametrize("line", ["num_poles = true", "num_poles = 2.5", "token = 3", "speed_hz = [1]"])
def test_a_toml_value_of_another_type_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"[motor]\n{line}\n")
    with pytest.raises(ConfigError, match="must be"):
        load(file=file)


def test_an_unknown_key_names_key_source_and_nearest(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[motor]\nspeed_khz = 1\n")
    with pytest.raises(ConfigError, match=r"motor\.speed_khz in .*c\.toml; did you mean 'speed_hz'\?"):
        load(file=file)
    with pytest.raises(ConfigError, match=r"motor\.zzz in TOUCHLINE_MOTOR__ZZZ; valid are: speed_hz, "):
        load(environ={"TOUCHLINE_MOTOR__ZZZ": "1"})


@pytest.mark.parametrize("content", ["[motor", "motor = 3"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"c\.toml"):
        load(file=file)
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load(file=tmp_path / "absent.toml")


def test_flags_come_from_the_dataclass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = config.parser("touchline motor", "Turns.")
    config.add_flags(parser, "motor", MotorConfig)
    args = parser.parse_args(["--home", str(tmp_path), "--speed-hz", "7", "--is-brushed"])
    assert config.from_args("motor", MotorConfig, args) == MotorConfig(speed_hz=7.0, is_brushed=True)
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "in turns per second; 100 % is full." in " ".join(capsys.readouterr().out.split())


def test_a_flag_that_another_section_has_gets_its_own_name() -> None:
    parser = config.parser("touchline motor", "Turns.")
    config.add_flags(parser, "motor", MotorConfig)
    config.add_flags(parser, "second_motor", MotorConfig)
    args = parser.parse_args(["--speed-hz", "7", "--second-motor-speed-hz", "8"])
    assert config.from_args("motor", MotorConfig, args).speed_hz == 7.0
    assert config.from_args("second_motor", MotorConfig, args).speed_hz == 8.0


def test_field_docs_join_lines() -> None:
    assert config.field_docs(MotorConfig)["speed_hz"] == "How fast it turns, in turns per second; 100 % is full."


def test_from_args_without_common_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_HOME", str(tmp_path))
    assert config.from_args("motor", MotorConfig, argparse.Namespace()) == MotorConfig()
