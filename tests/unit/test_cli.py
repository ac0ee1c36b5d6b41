import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from infra import cli
from policy.errors import ConfigError, RegistryUnavailable, TouchlineError

HEAVY = ("torch", "mlflow", "kafka", "pyarrow", "numpy", "ray", "mujoco", "deltalake")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in cli.COMMANDS)
    assert cli.main([]) == 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from infra import cli; cli.main(['--help']); "
        f"sys.exit([name for name in {HEAVY} if name in sys.modules] != [])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rolback"]) == 2
    assert "did you mean 'rollback'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("port 1 is in use"), 2), (RegistryUnavailable("no answer", url="u"), 1), (KeyboardInterrupt(), 130)],
)
def test_errors_become_one_line_and_a_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        raise error

    monkeypatch.setattr("infra.status.main", fail)
    assert cli.main(["status"]) == code
    if isinstance(error, TouchlineError):
        assert capsys.readouterr().err == f"touchline status: {error}\n"


def test_a_package_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "status", cli.Command("no_such_package.x:main", ""))
    assert cli.main(["status"]) == 2
    assert "needs no_such_package, which is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_exists(name: str) -> None:
    module, _, function = cli.COMMANDS[name].target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_status_of_an_empty_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--home", str(tmp_path)]) == 1
    assert "touchline up starts a fleet" in capsys.readouterr().out


def test_promote_without_a_registry_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["promote", "3", "--home", str(tmp_path)]) == 2
    assert "start the fleet (touchline up)" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.cli", "config", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
